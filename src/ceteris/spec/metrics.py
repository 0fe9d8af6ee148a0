"""Which way a metric improves."""

from __future__ import annotations


def lower_is_better(metric: str) -> bool:
    """Tell whether a smaller value of the metric is the better one: losses, errors and gaps."""
    return "loss" in metric or metric.startswith("gap_")
