"""Trials of built-in networks with everything that the compiled engine does; no torch is imported here."""

from __future__ import annotations

from typing import Any

from ceteris.spec.experiment import Experiment
from ceteris.train.plan import TrialPlan

MODEL: dict[str, Any] = {"kind": "mlp", "hidden": [8, 8], "batch_norm": True, "residual": True}
SETTINGS: list[dict[str, Any]] = [
    {"model": MODEL | {"dropout": 0.2, "noise": 0.1, "drop_connect": 0.1}},
    {"model": MODEL | {"init": "he"}, "penalty": {"kind": "l1", "weight": 1e-4}, "clip": {"norm": 1}},
    {"model": MODEL, "schedule": {"kind": "plateau", "warmup": 0.5}, "class_weights": "balanced"},
    {"model": MODEL, "early_stopping": {"patience": 1}, "label_smoothing": 0.1},
    {
        "model": MODEL,
        "probes": {"histograms": "all", "confusion": "last", "sharpness": {"epochs": "last"}},
    },
]
PLANS = tuple(
    TrialPlan(
        f"t{place}",
        f"t{place}",
        {},
        0,
        0,
        Experiment(**{"data": {"source": "digits", "rows": 100}, "epochs": 2} | own),
    )
    for place, own in enumerate(SETTINGS)
)
