"""The store: runs, trials, curves and weights, kept in one folder that any process can read."""
