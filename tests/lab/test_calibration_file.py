import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ceteris.lab import calibration_file
from ceteris.lab.calibration_file import calibration_file as path_of_file
from ceteris.lab.calibration_file import keep_kinds, read_kinds
from ceteris.train.messages import Timed

TIMED = (Timed(1, 1, 1e-5, 2e-7, 0.25), Timed(64, 2, 5e-6, 1e-7, 0.125))


def test_what_is_kept_is_read_again_and_added_to(tmp_path: Path) -> None:
    file = tmp_path / "new" / "kinds.json"
    assert read_kinds(file) == {}
    keep_kinds(file, {"one": TIMED})
    keep_kinds(file, {"two": TIMED[:1]})
    keep_kinds(file, {"one": TIMED[1:]})
    assert read_kinds(file) == {"one": TIMED[1:], "two": TIMED[:1]}
    assert [path.name for path in file.parent.iterdir()] == ["kinds.json"]


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    keep_kinds(tmp_path / "kinds.json", {})
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "kinds.json"
    file.symlink_to(os.devnull)
    keep_kinds(file, {"one": TIMED})
    assert file.is_symlink()
    assert read_kinds(file) == {}


def with_time(*numbers: object) -> str:
    return json.dumps({"version": 2, "kinds": {"one": {"at": 1.0, "timed": [numbers]}}})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "\udcff",
        "[" * 100_000,
        '{"version": 2}',
        '{"version": 2, "kinds": {}}',
        '{"version": 2, "kinds": {"one": null}}',
        with_time(1, 1, 1.0, 1.0),
        with_time(0, 1, 1.0, 1.0, 1.0),
        with_time(1, 1, -1.0, 1.0, 1.0),
        with_time(1, 1, float("nan"), 1.0, 1.0),
        with_time(1, 1, float("inf"), 1.0, 1.0),
        with_time("many", 1, 1.0, 1.0, 1.0),
        with_time(10**400, 1, 1.0, 1.0, 1.0),
        with_time(1, 1, 10**400, 1.0, 1.0),
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kinds.json"
    file.write_bytes(content.encode(errors="surrogateescape"))
    assert read_kinds(file) == {}
    keep_kinds(file, {"one": TIMED})
    assert read_kinds(file) == {"one": TIMED}


def test_the_kinds_that_were_met_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_file, "MOST_KINDS", 2)
    for kind in ("one", "two", "one", "three"):
        keep_kinds(tmp_path / "kinds.json", {kind: TIMED})
    assert set(read_kinds(tmp_path / "kinds.json")) == {"one", "three"}


def test_where_nothing_can_be_written_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_kinds(tmp_path / "file" / "kinds.json", {"one": TIMED})
    assert read_kinds(tmp_path / "file" / "kinds.json") == {}
    assert read_kinds(tmp_path) == {}


def test_a_variable_moves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CETERIS_CALIBRATION", "~/kinds.json")
    assert path_of_file() == Path.home() / "kinds.json"
    monkeypatch.delenv("CETERIS_CALIBRATION")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert path_of_file().name == "calibration.json"


WRITER = """
import sys
from pathlib import Path
from ceteris.lab.calibration_file import keep_kinds, read_kinds
from ceteris.train.messages import Timed
for number in range(200):
    keep_kinds(Path(sys.argv[1]), {f"{sys.argv[2]} {number % 10}": (Timed(1, 1, 1.0, 1.0, 1.0),)})
    assert read_kinds(Path(sys.argv[1])), "half a file was seen"
"""


def test_processes_that_write_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "kinds.json"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert {kind[0] for kind in read_kinds(file)} <= {"a", "b"}
    assert len(read_kinds(file)) >= 10
