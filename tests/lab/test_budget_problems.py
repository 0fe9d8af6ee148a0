"""Batches, steps and warm-ups that do not fit: one clear line each, before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.lab.quick import quick
from ceteris.spec.parse import parse_study
from tests.lab.made import settings, small_study

ROWS = {"source": "digits", "rows": 100}


def told(**changes: Any) -> list[str]:
    parsed = small_study(vary={}, data=ROWS, **changes)
    return [str(problem) for problem in bind(parsed, load_sources(["digits"], None), ())[1]]


def test_a_step_of_more_batches_than_there_are_is_refused() -> None:
    assert told(batch_size=30, accumulate=4) == []
    assert told(batch_size=30, accumulate=5) == [
        "experiment.accumulate: a step of 5 batches cannot be filled: 100 training rows make 4 of 30; "
        "use at most 4"
    ]
    (line,) = told(batch_size=30, last_batch="drop", accumulate=4)
    assert line.endswith("make 3 of 30; use at most 3")


@pytest.mark.parametrize("kind", ["constant", "cosine", "plateau"])
def test_a_warm_up_that_outlasts_the_training_is_refused(kind: str) -> None:
    assert told(epochs=2, schedule={"kind": kind, "warmup": 2}) == []
    assert told(epochs=2, schedule={"kind": kind, "warmup": 2.5}) == [
        "experiment.schedule.warmup: a warm-up of 2.5 epochs does not end within a training of 2 epochs; "
        "use at most 2"
    ]


def test_a_level_with_too_long_a_warm_up_is_named() -> None:
    parsed = small_study(vary={"schedule.warmup": [1, 3]}, epochs=2, schedule="cosine")
    (problem,) = bind(parsed, load_sources(["digits"], None), ())[1]
    assert str(problem).startswith("vary.schedule.warmup.1: a warm-up of 3 epochs does not end")


@pytest.mark.parametrize("epochs", [7, 13, 30])
def test_what_fits_fits_in_a_quick_look_too(epochs: int) -> None:
    given = settings() | {"vary": {}, "seeds": 1}
    given["experiment"] |= {
        "data": "digits",
        "epochs": epochs,
        "schedule": {"kind": "cosine", "warmup": epochs},
        "batch_size": 100,
        "accumulate": 11,
        "last_batch": "drop",
    }
    small = quick(parse_study(given).study)
    assert bind(parse_study(small), load_sources(["digits"], None), ())[1] == []
