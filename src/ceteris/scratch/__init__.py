"""Networks and their training written out with tensors alone: to be read, and to check the engines by.

Nothing here uses ``torch.nn`` or ``torch.optim``, and no built-in engine imports it; where a study says
``implementation: scratch``, ``ceteris.lab.scratch_engine`` trains by it. Each file is one idea.
"""
