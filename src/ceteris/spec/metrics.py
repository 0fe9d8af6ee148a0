"""Metrics that Ceteris brings besides loss and accuracy, and which way a metric improves."""

from __future__ import annotations

PROVIDED_METRICS = ("log_rmse",)
"""Measured where an experiment lists them. ``log_rmse``: sqrt(mean((log max(output, 1) - log target)^2)),
for positive targets such as prices."""


def lower_is_better(metric: str) -> bool:
    """Tell whether a smaller value of the metric is the better one: losses, errors and gaps."""
    return "loss" in metric or "rmse" in metric or metric.startswith("gap_")
