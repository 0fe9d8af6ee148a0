"""Epochs with balanced classes: rates, sharing between levels, and what they leave alone."""

from __future__ import annotations

import numpy as np

from ceteris.data.preparation import Preparation
from ceteris.data.user_arrays import arrays
from ceteris.train.streams import balanced_order, epoch_order

from .runs import Train, plan

LABELS = np.repeat([0, 1, 2], [900, 90, 10])
ROWS = np.arange(5_000, 6_000)
RARE = arrays(
    np.random.default_rng(0).normal(size=(300, 4)), np.repeat([0, 1], [270, 30]), classes=["a", "b"]
)


def order(seed: int = 0, fold: int = 0, epoch: int = 0) -> np.ndarray:
    return balanced_order(seed, fold, ROWS, LABELS, epoch)


def test_every_class_is_equally_likely_and_every_row_within_it() -> None:
    drawn = np.concatenate([order(epoch=epoch) for epoch in range(60)]) - ROWS[0]
    assert set(drawn) <= set(range(1000))
    shares = np.bincount(LABELS[drawn]) / len(drawn)
    # 60,000 draws: the standard error of a share of 1/3 is 0.0019
    np.testing.assert_allclose(shares, 1 / 3, atol=0.008)
    rare = np.bincount(drawn, minlength=1000)[990:]
    np.testing.assert_allclose(rare / rare.sum(), 0.1, atol=0.01)


def test_the_draws_are_keyed_by_seed_fold_and_epoch() -> None:
    np.testing.assert_array_equal(order(), order())
    others = [order(seed=1), order(fold=1), order(epoch=1)]
    assert all(not np.array_equal(order(), other) for other in others)
    assert len(order()) == len(ROWS)


def test_a_class_that_does_not_occur_is_not_drawn() -> None:
    labels = np.where(LABELS == 1, 0, LABELS)
    assert set(labels[balanced_order(0, 0, ROWS, labels, 0) - ROWS[0]]) == {0, 2}


def test_levels_of_one_seed_read_the_same_rows_and_others_stay_as_they_are(train: Train) -> None:
    preparation = Preparation(RARE)

    def levels(names: str, **data: object) -> list:
        rates = {"a": 0.1, "b": 0.1, "c": 0.01}
        return [
            plan(
                name + str(data.get("balance", "")),
                data={"source": "arrays", **data},
                optimizer={"kind": "sgd", "lr": rates[name]},
            )
            for name in names
        ]

    balanced, plain = levels("abc", balance="oversample"), levels("a")
    outcome = train(*balanced, *plain, preparation=preparation)
    same = [outcome.final(f"{name}oversample").tobytes() for name in "ab"]
    assert same[0] == same[1]
    assert same[0] == train(balanced[0], preparation=preparation).final("aoversample").tobytes()
    assert outcome.final("a").tobytes() == train(*plain, preparation=preparation).final("a").tobytes()
    assert outcome.final("a").tobytes() != same[0]


def test_the_loop_reads_the_rows_that_the_balanced_order_names(train: Train) -> None:
    preparation = Preparation(RARE)
    one = plan(
        "one",
        data={"source": "arrays", "balance": "oversample"},
        model={"kind": "linear"},
        optimizer={"kind": "sgd", "lr": 0.5},
        batch_size=240,
        epochs=1,
    )
    outcome = train(one, preparation=preparation)
    own = preparation.prepare(one.experiment.data, 0)
    rows = balanced_order(0, 0, own.split.train, own.y[own.split.train], 0)
    assert len(rows) == len(epoch_order(0, 0, own.split.train, 0)) == 240
    start, end = outcome.ended["one"].initial, outcome.ended["one"].final
    logits = own.x[rows].astype(np.float64) @ start["head.weight"].T + start["head.bias"]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = odds / odds.sum(axis=1, keepdims=True) - np.eye(2)[own.y[rows]]
    expected = start["head.weight"] - 0.5 * error.T @ own.x[rows] / 240
    np.testing.assert_allclose(end["head.weight"], expected, rtol=1e-4, atol=1e-6)
