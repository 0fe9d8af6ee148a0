"""Inputs on a scale that initial weights and usual learning rates are not made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.evidence.wording import listing
from ceteris.spec.data import DataSpec

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

LEAST, MOST = 0.01, 3.0
"""Root mean squares in between are unremarkable: standardised inputs have 1, images in [0, 1] about 0.5.

The weights of PyTorch's layers keep inputs of about 1 at about 1 (He et al. 2015, eq. 10).
"""


def input_scale_notes(facts: Mapping[str, Any], trials: Sequence[TrialRecord]) -> tuple[str, ...]:
    """Say which levels' networks see inputs far from unit scale, from the facts of a run's data.

    Only inputs that are left as they are or divided by a number can be: the other scales bring them to 1.
    Whole numbers that a network of the user's own looks up have no scale.
    """
    looked_up = {trial.level for trial in trials if trial.experiment["model"].get("input") == "integers"}
    data = {trial.level: trial.experiment["data"] for trial in trials if trial.level not in looked_up}
    found: dict[float, list[str]] = {}
    for level, own in data.items():
        rms = _rms(facts, own)
        if rms is not None and rms > 0 and not LEAST <= rms <= MOST:
            found.setdefault(rms, []).append(level)
    return tuple(_sentence(rms, levels) for rms, levels in found.items())


def _rms(facts: Mapping[str, Any], data: Mapping[str, Any]) -> float | None:
    """Return the root mean square of prepared inputs; None where they are scaled, or it is not on record."""
    scale = data.get("scale")
    divisor = 1.0 if scale == "none" else scale
    if isinstance(divisor, str) or not divisor:
        return None
    reading = DataSpec.model_validate(data).reading
    own = facts if facts.get("source") == reading else facts.get("other_data", {}).get(reading, {})
    return None if own.get("rms") is None else float(own["rms"]) / float(divisor)


def _sentence(rms: float, levels: Sequence[str]) -> str:
    return (
        f"The inputs are far from unit scale ({listing(levels)}): their root mean square is {rms:.3g}, where "
        "initial weights and usual learning rates are made for about 1. Plain gradient descent moves the "
        f"first layer's outputs there as a rate {rms**2:.2g} times as large would at 1; see `data.scale`."
    )
