"""Functions to tabulate and draw: activations and losses, with derivatives, ranges and measured cost."""
