"""Networks and their training written out with tensors alone: to be read, and to check the engines by.

Nothing here uses ``torch.nn`` or ``torch.optim``, and no engine imports it. Each file is one idea.
"""
