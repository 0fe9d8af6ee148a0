"""The engine for ``torch.nn.Module``s: convolutional networks, and modules of the user's own."""
