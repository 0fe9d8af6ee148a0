"""The engine for CUDA, MPS and oracles: stacked torch tensors and autograd."""
