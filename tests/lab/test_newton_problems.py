"""What Newton's step does not know is told in one sentence each, before anything is trained."""

from typing import Any

import pytest

from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.spec import parse_study


def told(**experiment: Any) -> list[str]:
    given = {"data": "digits", "model": "linear", "optimizer": "newton"} | experiment
    parsed = parse_study({"experiment": given})
    return [str(problem) for problem in bind(parsed, load_sources([str(given["data"])], None, None), ())[1]]


def test_what_it_knows_is_not_mentioned() -> None:
    assert told() == []
    assert told(model={"kind": "mlp", "hidden": [9], "layer_norm": True}, label_smoothing=0.1) == []


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"model": {"kind": "mlp", "hidden": [64]}},
            "experiment.optimizer: Newton's step solves with one row and column for each parameter; this "
            "network has 4,810, and at most 1,000 are allowed; use sgd or adam",
        ),
        (
            {"model": {"kind": "cnn", "convolutions": [2], "hidden": []}},
            "experiment.optimizer: Newton's step is for linear networks and mlps; this is a cnn",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [9], "dropout": 0.5}},
            "experiment.model.dropout: a curvature cannot be drawn anew; set it to 0 with newton",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [9], "batch_norm": True}},
            "experiment.model.batch_norm: newton needs rows that do not depend on each other; "
            "set it to false",
        ),
        (
            {"penalty": {"kind": "l2", "weight": 0.1}},
            "experiment.penalty: Newton's step is that of the plain loss of a batch; leave this out",
        ),
        (
            {"clip": {"norm": 1.0}},
            "experiment.clip: Newton's step is that of the plain loss of a batch; leave this out",
        ),
        (
            {"implementation": "scratch"},
            "experiment.optimizer: `implementation: scratch` has no newton; use sgd, or train with `builtin`",
        ),
    ],
)
def test_what_it_does_not_know(settings: dict[str, Any], line: str) -> None:
    assert told(**settings) == [line]
