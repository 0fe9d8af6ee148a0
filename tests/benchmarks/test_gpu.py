"""The script for a card, tried on the processor with little data."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu


@pytest.mark.slow
def test_the_cnn_is_judged_by_the_test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "FASHION", "digits")
    monkeypatch.setattr(gpu, "CNN", {"kind": "cnn", "convolutions": [4], "hidden": [8]})
    recipe = {"optimizer": {"kind": "adam", "lr": 0.01}, "batch_size": 64, "epochs": 4}
    monkeypatch.setattr(gpu, "RECIPES", {"quick": recipe})
    monkeypatch.setattr(gpu, "ACCURACY", 0.7)
    found = gpu.cnn(None, "cpu")
    assert found.keys() == {"quick, float32", "quick, bfloat16"}
    for own in found.values():
        assert 0.5 < own["test_accuracy"] < 1
        assert own["reached"] == (own["test_accuracy"] >= 0.7 and own["seconds"] < gpu.CNN_SECONDS)


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
