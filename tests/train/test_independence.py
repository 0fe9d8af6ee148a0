"""Law 7: a trial's result does not depend on which cohort, position or shard it went through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceteris.data.preparation import Preparation
from ceteris.spec.model_parts import Activation
from ceteris.train.loop import train_cohort
from ceteris.train.messages import EpochMeasured, TrialEnded

from .runs import Outcome, Train, cohorts, plan

MODELS: list[dict[str, Any]] = [
    {"kind": "mlp", "hidden": [17], "activation": activation, "dropout": 0.3, "batch_norm": True}
    for activation in get_args(Activation)
]
OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9},
    {"kind": "adam", "lr": 0.01},
    {"kind": "adamw", "lr": 0.01},
    {"kind": "rmsprop", "lr": 0.003, "centered": True, "momentum": 0.5},
    {"kind": "adagrad", "lr": 0.02, "biases": {"weight_decay": 0.1}},
]
RANDOM: dict[str, Any] = {
    "kind": "mlp",
    "hidden": [9, 6],
    "noise": 0.1,
    "input_noise": 0.2,
    "drop_connect": 0.3,
    "dropout": 0.2,
    "layer_norm": True,
}
MODELS += [
    {"kind": "mlp", "hidden": [9, 9], "activation": "tanh", "residual": True, "output": ["relu", "softmax"]},
    {
        "kind": "mlp",
        "hidden": [64, 17],
        "activation": "relu",
        "residual": True,
        "batch_norm": True,
        "batch_norm_eps_place": "outside",
        "output": ["log_softmax"],
    },
]
FURTHER: list[dict[str, Any]] = [
    {"penalty": {"kind": "l1", "weight": 1e-4, "on": "all"}},
    {"penalty": [{"kind": "l2", "form": "norm", "weight": 1e-3}, {"kind": "l1", "weight": 1e-4}]},
    {"clip": {"norm": 0.1}},
    {"clip": {"to_norm": 0.5}},
    {"clip": {"value": 0.01}, "schedule": {"kind": "one_cycle"}},
    {"schedule": {"kind": "plateau", "patience": 0, "threshold": 1.0, "threshold_mode": "abs"}},
    {"schedule": {"kind": "cosine", "warmup": 0.5}, "label_smoothing": 0.1},
    {"class_weights": "balanced", "early_stopping": {"patience": 1}},
]
"""Settings that members of one stack may have or not have."""


@pytest.mark.parametrize("model", MODELS, ids=lambda m: "-".join([m["activation"], *m.get("output", ())]))
@pytest.mark.parametrize("optimizer", OPTIMIZERS[:2], ids=lambda o: o["kind"])
def test_alone_and_among_many_are_equal_bit_for_bit(
    train: Train, model: dict[str, Any], optimizer: dict[str, Any]
) -> None:
    own = plan("own", seed=1, model=model, optimizer=optimizer)
    others = [
        plan(
            f"o{i}",
            seed=i % 3,
            model=model | {"dropout": i / 10},
            optimizer=optimizer | {"lr": 0.02 * (i + 1)},
        )
        for i in range(5)
    ]
    alone = train(own)
    among = train(*others[:2], own, *others[2:])
    assert np.array_equal(alone.final("own"), among.final("own"))
    for name in ("train_loss", "val_loss", "val_accuracy", "grad_norm", "train_loss_running", "weight_norm"):
        assert np.array_equal(alone.curve("own", name), among.curve("own", name)), name


def outcome_of(outcome: Outcome, identity: str) -> list[np.ndarray]:
    """All that a trial leaves behind: final weights, names and values of its curves."""
    epochs = [m for m in outcome.messages if isinstance(m, EpochMeasured) and identity in m.rows]
    curves = [np.append(m.rows[identity], len(m.names)) for m in epochs]
    return [outcome.final(identity), *curves]


def assert_same(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    assert len(first) == len(second)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o["kind"])
def test_what_a_member_draws_does_not_depend_on_its_neighbours(
    train: Train, optimizer: dict[str, Any]
) -> None:
    own = plan("own", seed=1, model=RANDOM, optimizer=optimizer)
    calm = {"noise": 0.0, "input_noise": 0.0, "drop_connect": 0.0, "dropout": 0.0}
    quiet = plan("quiet", seed=1, model=RANDOM | calm, optimizer=optimizer)
    louder = plan(
        "louder", seed=1, model=RANDOM | {"noise": [0.5, 0.0], "drop_connect": 0.6}, optimizer=optimizer
    )
    together = train(louder, quiet, own, plan("other", seed=2, model=RANDOM, optimizer=optimizer))
    for one in (own, quiet, louder):
        assert_same(outcome_of(together, one.identity), outcome_of(train(one), one.identity))
    assert not np.array_equal(together.final("own"), together.final("louder"))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=st.lists(st.sampled_from([{}, *FURTHER]), min_size=3, max_size=6),
    own=st.integers(0, 2),
    kind=st.sampled_from(["sgd", "rmsprop"]),
)
def test_no_setting_of_one_member_reaches_another(
    train: Train, chosen: list[dict[str, Any]], own: int, kind: str
) -> None:
    plans = [
        plan(f"t{i}", seed=i // 2, optimizer={"kind": kind, "lr": 0.01 * (i + 1)}, **further)
        for i, further in enumerate(chosen)
    ]
    together = train(*plans)
    alone = train(plans[own])
    assert_same(outcome_of(together, f"t{own}"), outcome_of(alone, f"t{own}"))
    assert_same(outcome_of(train(*plans[::-1]), f"t{own}"), outcome_of(alone, f"t{own}"))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(6)),
    kept=st.sets(st.integers(0, 5), min_size=1),
    batch_norm=st.booleans(),
    rates=st.lists(st.sampled_from([0.0, 0.2, 0.5]), min_size=6, max_size=6),
)
def test_permuting_and_removing_members_changes_no_bit(
    train: Train, order: list[int], kept: set[int], batch_norm: bool, rates: list[float]
) -> None:
    plans = [
        plan(
            f"t{i}",
            seed=i // 2,
            epochs=1,
            model={"kind": "mlp", "hidden": [9], "dropout": rates[i], "batch_norm": batch_norm},
            optimizer={"kind": "adam", "lr": 0.001 * (i + 1)},
        )
        for i in range(6)
    ]
    whole = train(*plans)
    part = train(*[plans[i] for i in order if i in kept])
    for i in kept:
        assert np.array_equal(whole.final(f"t{i}"), part.final(f"t{i}"))


def test_shards_of_a_cohort_give_the_bits_of_the_whole(digits: Preparation, train: Train) -> None:
    plans = [plan(f"t{i}", seed=i // 3, optimizer={"kind": "sgd", "lr": 0.05 * (i + 1)}) for i in range(7)]
    whole = train(*plans)
    (cohort,) = cohorts(plans, digits)
    shards = cohort.shards(3, 10**9)
    assert [len(s.trials) for s in shards] == [2, 3, 2]
    ended: dict[str, TrialEnded] = {}
    for shard in shards:

        def emit(message: object) -> None:
            if isinstance(message, TrialEnded):
                ended[message.identity] = message

        train_cohort(shard, digits, emit=emit)
    for name, message in whole.ended.items():
        for tensor, value in message.final.items():
            assert np.array_equal(value, ended[name].final[tensor])


def test_shards_obey_the_memory_limit(digits: Preparation) -> None:
    (cohort,) = cohorts([plan(f"t{i}") for i in range(6)], digits)
    member = cohort.bytes_per_member()
    members_alone = replace(cohort, data=None)
    assert len(members_alone.shards(1, 2 * member)) == 3
    assert len(members_alone.shards(1, 1)) == 6
    assert len(members_alone.shards(100, 10**9)) == 6
    rows = replace(cohort, trials=cohort.trials[:1]).predicted_bytes() - member
    assert rows > digits.dataset.x.nbytes > 4 * member
    shards = cohort.shards(1, 4 * member)  # less than the rows take, so that members get the half of it
    assert [shard.predicted_bytes() for shard in shards] == [rows + 2 * member] * 3
    assert len(cohort.shards(1, 10**9)) == 1


def test_a_member_that_diverges_harms_nobody(train: Train) -> None:
    model = {"kind": "mlp", "hidden": [16], "batch_norm": False}
    bad = plan(
        "bad",
        seed=1,
        epochs=3,
        model=model | {"activation": "relu"},
        loss="mse",
        optimizer={"kind": "sgd", "lr": 1e6},
    )
    good = [plan(f"g{i}", seed=i, model=model, epochs=3, loss="mse") for i in range(3)]
    alone, together = train(*good), train(*good, bad)
    assert together.ended["bad"].status == "diverged"
    assert together.ended["bad"].diverged_step is not None
    assert 0 < together.ended["bad"].diverged_step < 36
    assert len(together.curve("bad", "val_loss")) == 1, "it left the stack at the end of its epoch"
    for i in range(3):
        assert together.ended[f"g{i}"].status == "finished"
        assert np.array_equal(alone.final(f"g{i}"), together.final(f"g{i}"))


def test_stopping_ends_after_the_epoch_under_way(digits: Preparation) -> None:
    (cohort,) = cohorts([plan("t", epochs=5)], digits)
    messages: list[object] = []
    train_cohort(cohort, digits, emit=messages.append, should_stop=lambda: True)
    assert [m.epoch for m in messages if isinstance(m, EpochMeasured)] == [0]
    assert not [m for m in messages if isinstance(m, TrialEnded)]
