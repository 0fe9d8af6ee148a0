"""Probes and claims about them that do not fit: one clear sentence each, before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.made import small_study
from tests.lab.test_binding import CLASSES, NUMBERS, told


@pytest.mark.parametrize(
    ("probes", "data", "message"),
    [
        (
            {"grid": {"epochs": "last"}},
            CLASSES,
            "experiment.probes.grid: `arrays` has classes; a fitted curve needs numbers to predict",
        ),
        (
            {"grid": {"epochs": [0]}},
            NUMBERS,
            "experiment.probes.grid: `arrays` has 3 inputs a row; a fitted curve is drawn along one",
        ),
        (
            {"confusion": "all"},
            NUMBERS,
            "experiment.probes.confusion: `arrays` has numbers to predict; confusion counts need classes",
        ),
        (
            {"histograms": [70, 80]},
            CLASSES,
            "experiment.probes.histograms: the training has 2 epochs, and none of these comes; give `last`",
        ),
    ],
)
def test_probes_that_data_does_not_bear(probes: dict[str, Any], data: Any, message: str) -> None:
    found = told(small_study(data="arrays", probes=probes), dataset=data)
    assert [line for line in found if message in line], found
