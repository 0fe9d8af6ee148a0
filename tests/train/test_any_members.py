"""Law 7 for any stack: members permuted, added, removed, stopping early or diverging change no bit of others.

Of compiled networks and of those that run as modules, with batch norm and dropout, whatever else they have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceteris.train.messages import EpochMeasured

from .runs import Outcome, Train, plan

MODELS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": [9, 9], "batch_norm": True, "residual": True},
    "cnn": {"kind": "cnn", "convolutions": [3], "hidden": [6], "batch_norm": True},
}
EARLY = {"early_stopping": {"patience": 1, "min_delta": 1e9}}
"""A trial that ends with its second epoch: nothing improves by so much."""
LOST = {"optimizer": {"kind": "sgd", "lr": 1e30, "weight_decay": 1e30}}
"""A trial that diverges at once."""
OWN: list[dict[str, Any]] = [
    {},
    LOST,
    EARLY,
    {"clip": {"norm": 0.1}, "penalty": {"kind": "l1", "weight": 1e-4}},
    {"clip": {"value": 0.01}, "schedule": {"kind": "plateau", "patience": 0, "metric": "val_accuracy"}},
    {"schedule": {"kind": "one_cycle"}, "label_smoothing": 0.1, "class_weights": "balanced"},
]


def left_behind(outcome: Outcome, identity: str) -> tuple[str, list[np.ndarray]]:
    """How a trial ended, its final tensors and every number of its curves."""
    epochs = [m for m in outcome.messages if isinstance(m, EpochMeasured) and identity in m.rows]
    return outcome.ended[identity].status, [
        outcome.final(identity),
        *(np.array(epoch.rows[identity]) for epoch in epochs),
    ]


@pytest.mark.parametrize("kind", MODELS)
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    own=st.lists(st.sampled_from(OWN), min_size=2, max_size=5),
    rates=st.lists(st.sampled_from([0.0, 0.2, 0.5]), min_size=5, max_size=5),
    activation=st.sampled_from(["relu", "tanh", "gelu", "silu"]),
    data=st.data(),
)
def test_the_company_of_a_member_changes_no_bit_of_it(
    train: Train,
    kind: str,
    own: list[dict[str, Any]],
    rates: list[float],
    activation: str,
    data: st.DataObject,
) -> None:
    plans = [
        plan(
            str(place),
            seed=place // 2,
            **{
                "data": {"source": "digits", "rows": 90},
                "model": MODELS[kind] | {"activation": activation, "dropout": rate},
                "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.5},
                "epochs": 3,
                **settings_,
            },
        )
        for place, (settings_, rate) in enumerate(zip(own, rates, strict=False))
    ]
    kept = data.draw(
        st.permutations(plans).flatmap(lambda some: st.integers(1, len(some)).map(lambda n: some[:n]))
    )
    whole, part = train(*plans), train(*kept)
    for one in kept:
        (status, numbers), (other_status, others) = (left_behind(o, one.identity) for o in (whole, part))
        assert status == other_status == ("diverged" if one.experiment.optimizer.lr > 1 else "finished")
        assert len(numbers) == len(others)
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(numbers, others, strict=True))
        epochs = len(numbers) - 1
        assert epochs == (1 if status == "diverged" else 2 if one.experiment.early_stopping.acts else 3)
