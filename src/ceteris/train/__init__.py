"""Training: cohorts, engines, losses, updates, randomness, numerics, measurements."""
