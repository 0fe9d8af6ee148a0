"""Networks of the user's own as levels, and with settings beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import ceteris
from ceteris.api import own_modules
from ceteris.api.own_levels import module_levels
from ceteris.errors import CeterisError
from tests.api.conftest import NUMBERS, ROWS


def Narrow() -> Any:  # noqa: N802  # stands for a class
    return nn.Linear(4, 1)


def Wide(width: int = 8) -> Any:  # noqa: N802
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))


def test_levels_are_classes_and_functions_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = ceteris.Experiment(data=(ROWS, NUMBERS), model="linear", epochs=1)
    study = ceteris.vary(
        experiment, {"model": [Narrow, {"name": Wide, "arguments": {"width": 3}}, "linear"]}, seeds=1
    )
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert [trial.level for trial in result.trials] == ["Narrow", "Wide arguments=width=3", "linear"]
    assert result.trial("Wide arguments=width=3").network()[0].out_features == 3
    monkeypatch.setattr(own_modules, "_GIVEN", {})  # as in a new process
    given = {"Narrow": Narrow, "Wide": Wide}
    assert len(result.predict(ROWS[:2], "Narrow", model=given).values) == 2
    assert len(result.predict(ROWS[:2], "Wide arguments=width=3", model=given).values) == 2


def test_functions_without_a_name_go_by_their_level() -> None:
    first, second = (lambda: Wide(2)), (lambda: Wide(3))
    levels, modules = module_levels({"model": {"a": first, "b": {"name": second, "input": "flat"}}})
    assert modules == {"a": first, "b": second}
    assert levels["model"]["b"] == {"model": {"kind": "module", "name": "b", "input": "flat"}}
    patches, modules = module_levels({"kind": {"wide": {"model": Wide, "epochs": 2}, "base": {}}})
    assert modules == {"Wide": Wide}
    assert patches["kind"]["wide"] == {"model": {"kind": "module", "name": "Wide"}, "epochs": 2}
    with pytest.raises(CeterisError, match="two networks go by the name `model`"):
        module_levels({"model": [first, second]})
