"""Measures how many model-epochs per second Ceteris and its peers train; start with ``run.py``."""
