"""What is said when something goes wrong, and with which exit code."""

import sys
from pathlib import Path

import pytest

from ceteris.cli import main as entry
from ceteris.cli.failures import summary_lines
from ceteris.errors import CeterisError, Problem


def test_problems_of_a_file_are_counted() -> None:
    error = CeterisError([Problem("is wrong", "a.b", "s.yaml", 3), Problem("is bad", "c", "s.yaml", 9)])
    assert summary_lines(error) == [
        "s.yaml:3: a.b: is wrong",
        "s.yaml:9: c: is bad",
        "2 problems in s.yaml; nothing was run.",
    ]


def test_problems_without_a_file_stand_alone() -> None:
    assert summary_lines(CeterisError("one thing")) == ["one thing"]


def breaks(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def raising(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(entry, "_dispatch", raising)


def test_the_unexpected_is_one_sentence_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("CETERIS_DEBUG", raising=False)
    breaks(monkeypatch, ZeroDivisionError("by\nzero"))
    assert entry.main([]) == 1
    (file,) = tmp_path.iterdir()
    assert capsys.readouterr().err == (
        f"something went wrong inside Ceteris (ZeroDivisionError: by zero); the traceback is in {file} "
        "(CETERIS_DEBUG=1 shows it)\n"
    )
    assert "in raising" in file.read_text(encoding="utf-8")


def test_the_traceback_is_shown_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CETERIS_DEBUG", "1")
    breaks(monkeypatch, ZeroDivisionError("by zero"))
    assert entry.main([]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("something went wrong inside Ceteris (ZeroDivisionError: by zero)\n")


def test_an_interrupt_before_training_is_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks(monkeypatch, KeyboardInterrupt())
    assert entry.main([]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_arguments_default_to_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ceteris", "version"])
    assert entry.main() == 0
