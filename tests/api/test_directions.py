"""Metrics of the user's own that say which of their values are better."""

from typing import Any

import numpy as np
import pytest
import torch

import ceteris
from ceteris.api.metrics import directions, named_metrics

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = X @ [1.0, 2.0, 3.0] + 0.1 * RNG.normal(size=120)
LEVELS = {"optimizer.lr": [0.01, 1e30]}


def off(outputs: Any, targets: Any) -> Any:
    return (outputs - targets).abs().mean()


def test_a_metric_that_says_its_direction_keeps_its_name_and_numbers() -> None:
    stated = ceteris.metric(off, better="lower")
    assert list(named_metrics([stated])) == ["off"]
    assert directions({"off": stated, "other": off}) == {"off": "lower"}
    assert stated(torch.tensor([1.0]), torch.tensor([3.0])) == 2


def test_another_word_is_refused() -> None:
    with pytest.raises(ceteris.CeterisError, match="'up' is no direction; give `lower` or `higher`"):
        ceteris.metric(off, better="up")  # type: ignore[arg-type]  # the mistake that is meant


def test_an_experiment_takes_the_direction_from_the_function() -> None:
    own = ceteris.metric(off, better="lower")
    assert ceteris.Experiment(data=(X, Y), model="linear", metrics=[own]).better == {"off": "lower"}


def test_a_level_that_always_diverges_is_not_the_one_with_the_lower_error(tmp_path: Any) -> None:
    base = ceteris.Experiment(data=(X, Y), model="linear", optimizer="sgd", epochs=2)
    claim = {"text": "A huge rate is better.", "metric": "val_off", "less": [1e30, 0.01]}
    study = ceteris.vary(base, LEVELS, seeds=5, claims=[claim])
    run = {"runs_dir": tmp_path, "progress": False}
    stated = ceteris.run(study, metrics=[ceteris.metric(off, better="lower")], **run)
    assert stated.verdicts[0].verdict == "contradicted"
    assert stated.best("val_off").status == "finished"
    silent = ceteris.run(study, metrics=[off], **run)
    assert silent.verdicts[0].verdict == "not established"
    assert "whether a lower or a higher `val_off` is better is not known" in str(silent)
    with pytest.raises(ceteris.CeterisError, match=r"say it in the experiment: `better: \{off: lower\}`"):
        silent.best("val_off")
    summary = next(level for level in silent.to_dict()["levels"] if level["finished"])["metrics"]["val_off"]
    assert (summary["best"], summary["best_epoch"]) == (None, None)
    assert silent.table()["val_off_best"].isna().all()
