"""Settings that cannot work, from Python and with networks of the user's own: one line, before training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import ceteris

X = np.random.default_rng(0).normal(size=(60, 4))
CLASSES, NUMBERS = np.arange(60) % 3, X[:, 0]  # 48 rows train


def linear(outputs: int = 3) -> Callable[[], nn.Module]:
    return lambda: nn.Linear(4, outputs)


def with_batch_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


NOT_FINITE = "values that are not finite (NaN or infinity), the first in row"
CASES: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "a batch larger than the data": (
        (X, CLASSES),
        linear(),
        {"batch_size": 49},
        "a batch of 49 rows cannot be filled: there are 48 training rows of `arrays`; use at most 48",
    ),
    "a batch of one left over": (
        (X, CLASSES),
        with_batch_norm,
        {"batch_size": 47},
        "48 training rows in batches of 47 leave a last batch of one row, which batch norm cannot",
    ),
    "batches of one": (
        (X, CLASSES),
        with_batch_norm,
        {"batch_size": 1},
        "batch norm needs at least 2 rows in a batch",
    ),
    "a plateau of what is not recorded": (
        (X, CLASSES),
        None,
        {"schedule": {"kind": "plateau", "metric": "val_f1"}},
        "experiment.schedule.metric: there is no validation metric `val_f1` (known: val_loss, val_accuracy)",
    ),
    "a plateau of accuracy of numbers": (
        (X, NUMBERS),
        linear(1),
        {"schedule": {"kind": "plateau", "metric": "val_accuracy"}},
        "experiment.schedule.metric: `arrays` has numbers to predict, which have no accuracy; use val_loss",
    ),
    "outputs of another task": (
        (X, CLASSES),
        linear(4),
        {},
        "`model` gives outputs of shape (2, 4) for two rows; the data needs (2, 3), one logit for each class",
    ),
    "a target too many": (
        (X, np.stack([NUMBERS, NUMBERS], axis=1)),
        linear(1),
        {},
        "`model` gives outputs of shape (2, 1) for two rows; the data needs (2, 2), one for each target",
    ),
    "labels outside the classes": (
        (X, CLASSES, ["a", "b"]),
        None,
        {},
        "`y` has 2 in row 2, which is not the number of a class; with 2 classes labels are 0 to 1",
    ),
    "inputs that are not finite": (
        (np.where(X > 2, np.nan, X), CLASSES),
        linear(),
        {},
        f"`x` has 3 {NOT_FINITE} 19",
    ),
    "targets that are not finite": ((X, np.where(NUMBERS > 1, np.inf, NUMBERS)), None, {}, NOT_FINITE),
}


@pytest.mark.parametrize("case", CASES)
def test_each_is_told_in_one_line_before_anything_is_trained(case: str, tmp_path: Path) -> None:
    data, model, settings, words = CASES[case]
    experiment = {"data": "arrays", "model": "linear", "batch_size": 16, "epochs": 1, **settings}
    with pytest.raises(ceteris.CeterisError) as told:
        ceteris.run(
            {"experiment": experiment, "seeds": 1},
            data=data,
            model=model,
            runs_dir=tmp_path / "runs",
            workers=1,
            progress=False,
        )
    (problem,) = told.value.problems
    assert words in str(problem)
    assert "\n" not in str(problem)
    assert not (tmp_path / "runs").exists()
