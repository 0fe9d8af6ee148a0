"""A/A on real training: a factor that does nothing is told, and disjoint seeds raise few false alarms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.evidence.aa import false_alarm_rate
from ceteris.evidence.assessment import assess
from ceteris.lab.aa import judge
from ceteris.records.views import TrialRecord
from ceteris.spec.combine import combinations
from ceteris.spec.parse import parse_study
from ceteris.train.messages import EpochMeasured
from tests.train.runs import Outcome, plan, run_plans

SMALL: dict[str, Any] = {
    "data": {"source": "wine", "scale": "standardize", "rows": 40},
    "model": "linear",
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "epochs": 1,
    "batch_size": 20,
    "probes": {"layers": False},
}
SEEDS, REPETITIONS = 3, 200


@pytest.fixture(scope="module")
def wine() -> Preparation:
    return Preparation(load("wine"))


def records(outcome: Outcome, places: dict[str, tuple[str, int]]) -> list[TrialRecord]:
    """Return trials with all that was measured of them; ``places`` has (level, seed) by identity."""
    found = []
    for identity, (level, seed) in places.items():
        epochs = [m for m in outcome.messages if isinstance(m, EpochMeasured) and identity in m.rows]
        rows = np.array([epoch.rows[identity] for epoch in epochs])
        curves = dict(zip(epochs[0].names, rows.T, strict=True))
        coordinates = {"clip": level}
        found.append(TrialRecord(identity, level, coordinates, seed, 0, "finished", None, curves, 1.0, {}))
    return found


def test_200_repetitions_on_disjoint_seeds_raise_false_alarms_at_the_promised_rate(wine: Preparation) -> None:
    seeds = range(2 * SEEDS * REPETITIONS)
    outcome = run_plans([plan(str(seed), seed, **SMALL) for seed in seeds], wine)
    (measured,) = (message for message in outcome.messages if isinstance(message, EpochMeasured))
    values = measured.numbers[:, measured.names.index("val_loss")]
    trials = [
        TrialRecord(
            name, "base", {}, int(name), 0, "finished", None, {"val_loss": np.array([value])}, 1.0, {}
        )
        for name, value in zip(measured.identities, values, strict=True)
    ]
    study = parse_study({"experiment": SMALL, "seeds": SEEDS}).study
    found = false_alarm_rate(judge(study, trials, SEEDS, REPETITIONS, "val_loss", 35))
    assert found.repetitions == REPETITIONS
    assert found.low <= 0.05
    assert found.rate > 0.01, "a test that never alarms finds nothing"


def test_levels_that_do_nothing_give_identical_trials_and_the_verdict_says_so(wine: Preparation) -> None:
    """No gradient comes near either limit."""
    claim = {"text": "A.", "metric": "val_loss", "less": ["1e9", "1e10"]}
    levels = {"1e9": {"clip": {"norm": 1e9}}, "1e10": {"clip": {"norm": 1e10}}}
    made = {"experiment": SMALL, "vary": {"clip": levels}, "seeds": 4, "claims": [claim]}
    study = parse_study(made).study
    places = {f"{c.label}/{s}": (c.label, s) for c in combinations(study) for s in range(4)}
    by_label = {c.label: c.experiment for c in combinations(study)}
    plans = [
        plan(name, seed, **by_label[label].model_dump(mode="json")) for name, (label, seed) in places.items()
    ]
    outcome = run_plans(plans, wine)
    for seed in range(4):
        assert outcome.final(f"1e9/{seed}").tobytes() == outcome.final(f"1e10/{seed}").tobytes()
    found = assess(study, records(outcome, places), validation_rows=35)
    (verdict,) = found.verdicts
    assert verdict.verdict == "not established"
    assert "the trials with 1e9 and with 1e10 are identical bit for bit" in verdict.explanation
    assert all(pair.identical for pair in found.pairs)
