"""``ceteris aa``: a study repeated with a factor that does nothing."""

from __future__ import annotations


def aa() -> None:
    """Repeat a study with a factor that does nothing, and show the false-alarm rate."""
