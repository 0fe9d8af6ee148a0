"""Paths into the layers of a composed network, for --set, --vary and levels."""

from __future__ import annotations

from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import parse_study
from ceteris.spec.combine import combinations

STUDY: dict[str, Any] = {
    "experiment": {
        "data": "digits",
        "model": {
            "kind": "sequential",
            "layers": [
                {"linear": 16},
                "relu",
                {"dropout": 0.2},
                {"residual": [{"linear": 16}, {"dropout": 0.3}], "name": "body"},
            ],
        },
    }
}


def layers(**options: Any) -> list[dict[str, Any]]:
    """The layers of every combination, as plain data."""
    study = parse_study(STUDY, **options).study
    return [c.experiment.model.model_dump(mode="json")["layers"] for c in combinations(study)]


def test_a_setting_of_a_layer_varies_and_the_others_stay() -> None:
    first, second = layers(varies=["model.layers.2.p=0.1,0.5"])
    assert (first[2]["p"], second[2]["p"]) == (0.1, 0.5)
    assert first[:2] == second[:2]
    assert parse_study(STUDY, varies=["model.layers.2.p=0.1,0.5"]).study.vary[0].labels == ("0.1", "0.5")


def test_short_forms_and_inner_layers_are_reached() -> None:
    sets = ["model.layers.1.function=tanh", "model.layers.0.width=8", "model.layers.3.layers.1.p=0.5"]
    (found,) = layers(sets=[*sets, "model.layers.3.layers.0.width=8"])
    assert found[1] == layers(sets=["model.layers.1=tanh"])[0][1]
    assert (found[0]["width"], found[3]["layers"][1]["p"], found[3]["name"]) == (8, 0.5, "body")


def test_levels_change_layers_together_with_other_settings() -> None:
    patch = {"model.layers.2.p": 0.0, "model.layers.0.width": 16, "epochs": 3}
    study = parse_study(STUDY | {"vary": {"size": {"base": {}, "other": patch}}}).study
    other = combinations(study)[1].experiment
    assert (other.epochs, other.model.model_dump()["layers"][2]["p"]) == (3, 0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model.layers.2.q=1", "there is no setting `model.layers.2.q` in an experiment"),
        ("model.layers.1.p=0.5", "--set model.layers.1.p=0.5: there is no such setting for `activation`"),
        ("model.layers.9.p=0.5", "`model.layers.9` is not set here, so `p` cannot be changed"),
        ("model.layers.2.p=1.5", "1.5 is not a "),
    ],
)
def test_what_is_not_there_is_told(text: str, words: str) -> None:
    with pytest.raises(CeterisError) as told:
        layers(sets=[text])
    assert words in str(told.value)
