"""Probes and claims about them that do not fit: one clear sentence each, before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from ceteris.spec.parse import parse_study
from tests.lab.made import settings, small_study
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


def test_activations_of_validation_rows_need_some() -> None:
    data = {"source": "digits", "validation": 0}
    (line,) = told(small_study(data=data, probes={"activation_rows": "validation"}, vary={}))
    assert line == (
        "experiment.probes.activation_rows: with `data.validation: 0` no rows validate; use `training`"
    )


@pytest.mark.parametrize(
    ("metric", "probes", "message"),
    [
        (
            "gradient_noise",
            {},
            "claims.0.metric: `gradient_noise` is measured on request; set `probes: {gradient_noise: true}`",
        ),
        (
            "std_over_inputs/head.weight",
            {"gradient_noise": True},
            "`std_over_inputs/head.weight` is measured on request; set `probes: {units: true}`",
        ),
        ("std_over_outputs/head.weight", {"units": True}, ""),
        ("gradient_noise/head.weight", {}, "`gradient_noise/head.weight` is measured on request"),
        (
            "dead/hidden.0",
            {"layers": False},
            "claims.0.metric: `dead/hidden.0` is not measured with `probes: {layers: false}`; leave that out",
        ),
        (
            "gradient_noise/head.wait",
            {"gradient_noise": True},
            "there is no parameter `head.wait`; did you mean",
        ),
        (
            "sharpness",
            {},
            "claims.0.metric: it is measured on request; set `probes: {sharpness: {epochs: last}}`",
        ),
        ("sharpness", {"sharpness": {"epochs": "last"}}, ""),
        ("gradient_noise/head.weight", {"gradient_noise": True}, ""),
        ("dead/hidden.0", {}, ""),
    ],
)
def test_a_claim_needs_its_probe(metric: str, probes: dict[str, Any], message: str) -> None:
    claim = {"text": "It differs.", "metric": metric, "differ": [0.01, 0.001]}
    found = told(parse_study(settings(probes=probes) | {"claims": [claim]}))
    assert [message in line for line in found] == [True] * bool(message), found
