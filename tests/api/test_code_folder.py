"""Modules that lie beside a study's file are found where code is allowed, and nowhere else."""

import sys
from pathlib import Path

import pytest

import ceteris
from ceteris.api.code_folder import look_beside


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "study.yaml").touch()
    return tmp_path / "study.yaml"


def test_the_folder_of_a_file_comes_last_and_once(file: Path) -> None:
    for _ in range(2):
        look_beside(str(file), allow_code=True)
    assert sys.path[-1] == str(file.parent)
    assert sys.path.count(str(file.parent)) == 1


def test_without_permission_or_without_a_file_nothing_is_added(file: Path) -> None:
    before = list(sys.path)
    look_beside(file, allow_code=False)
    look_beside(file.parent / "other.yaml", allow_code=True)
    look_beside({"experiment": {}}, allow_code=True)
    look_beside("digits/learning-rate", allow_code=True)
    assert sys.path == before


def test_a_run_that_goes_on_finds_the_code_beside_its_study(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "beside_lab.py").write_text(
        "def half(outputs, targets):\n    return (outputs.argmax(dim=1) == targets).float().mean() / 2\n"
    )
    file.write_text(
        "experiment: {data: iris, model: linear, epochs: 1, metrics: ['beside_lab:half']}\nseeds: 1\n"
    )
    before = list(sys.path)
    settings = {"runs_dir": file.parent / "runs", "allow_code": True, "progress": False}
    result = ceteris.run(file, **settings)
    monkeypatch.setattr(sys, "path", before)
    longer = ceteris.extend(result.id, seeds=2, **settings)
    assert [trial.metrics["val_half"] > 0 for trial in longer.trials] == [True, True]
