"""Networks and their training written out with tensors alone: to be read, and to check the engines by.

Nothing here uses ``torch.nn`` or ``torch.optim``, and no built-in engine imports it: ``implementation: scratch``
trains by it (``ceteris.lab.scratch_engine``). Each file is one idea.
"""
