"""The script for a card, tried on the processor with little data."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu, gpu_pieces


@pytest.mark.slow
def test_the_cnn_is_judged_by_the_test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_pieces, "FASHION", "digits")
    monkeypatch.setattr(gpu_pieces, "CNN", {"kind": "cnn", "convolutions": [4], "hidden": [8]})
    recipe = {"optimizer": {"kind": "adam", "lr": 0.01}, "batch_size": 64, "epochs": 4}
    monkeypatch.setattr(gpu_pieces, "RECIPES", {"quick": recipe})
    monkeypatch.setattr(gpu_pieces, "ACCURACY", 0.7)
    found = gpu_pieces.cnn(None, "cpu")
    assert found.keys() == {"quick, float32", "quick, bfloat16"}
    for own in found.values():
        assert 0.5 < own["test_accuracy"] < 1
        assert own["reached"] == (own["test_accuracy"] >= 0.7 and own["seconds"] < gpu_pieces.CNN_SECONDS)


def asked(only: str | None, path: Path) -> argparse.Namespace:
    return argparse.Namespace(data_dir=path, device="cpu", only=only, json=path / "out.json")


@pytest.mark.parametrize(
    ("code", "seconds", "end"),
    [
        ("print('done')", 60, "exit code 0"),
        ("raise SystemExit('no card')", 60, "exit code 1"),
        ("import time; time.sleep(60)", 1, "ended after 1 s"),
    ],
)
def test_a_piece_that_fails_or_takes_too_long_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, seconds: float, end: str
) -> None:
    def command(name: str, options: argparse.Namespace, out: Path) -> list[str]:
        before = f"open({str(out)!r}, 'w').write('[1]'); "
        return [sys.executable, "-c", before + code]

    monkeypatch.setattr(gpu, "command", command)
    found: dict[str, Any] = gpu.piece("cnn", asked(None, tmp_path), seconds)
    assert found["end"] == end
    assert found["found"] == [1]  # what was done is kept
    assert json.loads(json.dumps(found)) == found


def test_every_piece_is_a_command_of_this_machine(tmp_path: Path) -> None:
    for name in gpu.SHARES:
        words = gpu.command(name, asked(None, tmp_path), tmp_path / "found.json")
        assert words[0] == sys.executable
        assert (Path(gpu.HOME) / words[-1] if name == "tests" else tmp_path).exists()


def test_what_is_not_installed_is_told_in_one_line_and_the_tests_alone_are_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--json", str(out), "--device", "cpu"])
    monkeypatch.setattr(gpu, "_is_installed", lambda name: name not in ("pooch", "ceteris"))
    monkeypatch.setattr(gpu, "piece", lambda name, asked, seconds: {"end": f"{name} was run"})
    gpu.main()
    told = f"not installed: ceteris, pooch; install Ceteris with `pip install {gpu.HOME}`"
    assert capsys.readouterr().out.splitlines()[0] == told
    report = json.loads(out.read_text())
    assert report["missing"] == ["ceteris", "pooch"]
    assert [report[name]["end"] for name in gpu.SHARES] == ["tests was run", told, told, told]


def test_here_nothing_is_missing() -> None:
    assert gpu.missing_packages() == []


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
class Missing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import tests.train.test_cuda, benchmarks.gpu, benchmarks.machine
"""


def test_the_tests_for_a_card_need_neither_records_nor_reports_nor_downloads() -> None:
    names = ("cyclopts", "rich", "sqlalchemy", "jinja2", "pooch", "requests", "platformdirs", "ruamel")
    names += ("threadpoolctl", "pandas", "safetensors", "cloudpickle")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(names=names)],
        cwd=gpu.HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
