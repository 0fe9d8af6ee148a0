"""Checkpoints in files: two in turn, whole or known not to be, and never only ones that know too much."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ceteris.errors import CeterisError
from ceteris.records.checkpoints import (
    Generations,
    drop_folder,
    find_states,
    generation_paths,
    read_states,
    sort_checkpoints,
)

Arrays = dict[str, NDArray[np.generic]]


def state(number: int) -> Arrays:
    """All that a state may hold: views, nothing, single numbers, bytes, several types."""
    table = np.arange(60, dtype=np.float32).reshape(6, 10) + number
    return {
        "parameters": table[2],
        "slots": table[1:3, :7],
        "buffers": np.zeros(0, dtype=np.float32),
        "plateau": np.array([np.inf, number, 0.0]),
        "one": np.float64(number).reshape(()),
        "buffer mean": np.arange(5, dtype=np.uint8),
    }


def write(files: Generations, epochs: int, names: str = "ab", recorded: int | None = None) -> None:
    states = [(name, epochs, state(epochs + place)) for place, name in enumerate(names)]
    assert files.write(states, epochs if recorded is None else recorded) == epochs


def epochs_found(folder: Path, numerics: str = "n", **reached: int) -> dict[str, int]:
    return {name: found.epochs for name, found in find_states(folder, reached, numerics).items()}


def same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        (one[name].dtype, one[name].shape, one[name].tobytes())
        == (other[name].dtype, other[name].shape, other[name].tobytes())
        for name in one
    )


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    files = Generations(tmp_path / "deep" / "x", "n")
    assert files.write([("a", 3, state(0)), ("b", 2, {"w": np.ones((2, 2))}), ("c", 3, state(9))], 0) == 3
    found = find_states(tmp_path / "deep", {"a": 5, "b": 5, "c": 5, "d": 5}, "n")
    assert {name: own.epochs for name, own in found.items()} == {"a": 3, "b": 2, "c": 3}
    states = read_states(found, "n")
    assert same(states["a"], state(0))
    assert same(states["b"], {"w": np.ones((2, 2))})
    assert same(states["c"], state(9))
    assert all(array.flags.writeable for array in states["a"].values())


def test_the_newest_that_the_record_knows_counts(tmp_path: Path) -> None:
    files = Generations(tmp_path / "x", "n")
    write(files, 4)
    write(files, 6)
    assert epochs_found(tmp_path, a=9, b=5, c=9) == {"a": 6, "b": 4}
    assert epochs_found(tmp_path, a=3, b=0) == {}
    assert epochs_found(tmp_path, a=4, numerics="other") == {}


def test_files_of_earlier_sittings_count_until_there_are_newer_ones(tmp_path: Path) -> None:
    write(Generations(tmp_path / "x", "n"), 4)
    write(Generations(tmp_path / "y", "n"), 6, "b")
    assert epochs_found(tmp_path, a=9, b=9) == {"a": 4, "b": 6}


def test_the_newest_one_that_is_on_record_is_not_overwritten(tmp_path: Path) -> None:
    files = Generations(tmp_path / "x", "n")
    write(files, 1, recorded=0)
    write(files, 2, recorded=0)
    write(files, 3, recorded=0)  # both know more than the record: the older one will be of use first
    assert epochs_found(tmp_path, a=9) == {"a": 3}
    assert epochs_found(tmp_path, a=2) == {"a": 1}
    write(files, 4, recorded=1)
    assert epochs_found(tmp_path, a=2) == {"a": 1}
    write(files, 5, recorded=4)
    assert epochs_found(tmp_path, a=4) == {"a": 4}
    assert epochs_found(tmp_path, a=5) == {"a": 5}


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5)), min_size=1, max_size=30))
def test_whatever_the_record_lags_behind_its_last_known_state_stays(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    """``steps``: epochs until the next state, and how far the record is behind it then."""
    folder = tmp_path_factory.mktemp("states")
    files, epochs, recorded, safe = Generations(folder / "x", "n"), 0, 0, 0
    for more, lag in steps:
        recorded = max(recorded, epochs - lag)
        safe = epochs_found(folder, a=recorded).get("a", 0)
        epochs += more
        write(files, epochs, "a", recorded=recorded)
        assert epochs_found(folder, a=recorded).get("a", 0) == safe
        assert epochs_found(folder, a=epochs) == {"a": epochs}


def torn(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    match how:
        case "truncated":
            del content[-1:]
        case "cut to the prefix":
            del content[20:]
        case "empty":
            content.clear()
        case "no magic":
            content[:8] = bytes(8)
        case "a byte of an array":
            content[40] ^= 1
        case "a byte of the head":
            content[-5] ^= 1
        case "a length":
            content[18] ^= 255
        case "no JSON":
            content[content.index(b'{"format"')] = 0
    path.write_bytes(content)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "cut to the prefix",
        "empty",
        "no magic",
        "a byte of an array",
        "a byte of the head",
        "a length",
        "no JSON",
    ],
)
def test_a_torn_file_falls_back_to_the_other_one_and_then_to_nothing(tmp_path: Path, how: str) -> None:
    files = Generations(tmp_path / "x", "n")
    write(files, 4)
    write(files, 5)
    older, newer = generation_paths(tmp_path / "x")
    whole = find_states(tmp_path, {"a": 9}, "n")
    torn(newer, how)
    assert read_states(whole, "n") == {}, "it changed since it was found"
    assert epochs_found(tmp_path, a=9, b=9) == {"a": 4, "b": 4}
    torn(older, how)
    assert epochs_found(tmp_path, a=9, b=9) == {}


def test_what_nobody_can_use_is_removed_before_training_goes_on(tmp_path: Path) -> None:
    write(Generations(tmp_path / "x", "n"), 4)
    write(Generations(tmp_path / "ended", "n"), 4, "c")
    write(Generations(tmp_path / "other", "m"), 5)
    (tmp_path / "0123.safetensors").touch()  # as an earlier version wrote them
    assert sort_checkpoints(tmp_path, {"a": 7, "b": 7, "d": 7}, "n") == {"a": 4, "b": 4}
    assert [path.name for path in tmp_path.iterdir()] == ["x.0"]
    drop_folder(tmp_path)
    assert not tmp_path.exists()
    drop_folder(tmp_path)
    assert sort_checkpoints(tmp_path, {"a": 7}, "n") == {}


def test_a_file_that_cannot_be_removed_stays_alone_and_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = tmp_path / "held", tmp_path / "other"
    unlink = Path.unlink

    def unless_held(path: Path, *, missing_ok: bool = False) -> None:
        if path == held:
            raise PermissionError(13, "the file is open in another process")  # as Windows has it
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unless_held)
    for clean in (lambda: sort_checkpoints(tmp_path, {}, "n"), lambda: drop_folder(tmp_path)):
        held.touch()
        other.touch()
        clean()
        assert list(tmp_path.iterdir()) == [held]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CeterisError, match=r"the state of the training could not be written: .*file"):
        write(Generations(tmp_path / "file" / "x", "n"), 1)


def test_a_full_disk_is_said_and_leaves_the_other_file(tmp_path: Path) -> None:
    files = Generations(tmp_path / "x", "n")
    write(files, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(CeterisError, match="is full, so the state of the training could not be written"):
            write(files, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)
    assert epochs_found(tmp_path, a=2) == {"a": 1}


WRITING = """
import sys
import numpy as np
from pathlib import Path
from ceteris.records.checkpoints import Generations

files, states = Generations(Path(sys.argv[1]), "n"), np.empty((3, 100_000), dtype=np.float32)
for epochs in range(1, 1_000_000):
    states[:] = epochs
    files.write([(str(place), epochs, {"w": own}) for place, own in enumerate(states)], epochs - 1)
    print(epochs, flush=True)
"""


def kill_in_the_midst(path: Path, seconds: float) -> int:
    """Kill a process that writes states; return the last one of which it said that it is there."""
    process: Any = subprocess.Popen(
        [sys.executable, "-c", WRITING, str(path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        return int((first + process.stdout.read()).split()[-1])


def test_a_process_that_is_killed_while_it_writes_leaves_its_last_state(tmp_path: Path) -> None:
    moments = np.random.default_rng().uniform(0.05, 0.3, size=8)
    for number, seconds in enumerate(moments):
        said = kill_in_the_midst(tmp_path / str(number) / "x", seconds)
        found = find_states(tmp_path / str(number), dict.fromkeys("012", 10**9), "n")
        assert all(own.epochs in (said, said + 1) for own in found.values())
        for name, own in read_states(found, "n").items():
            np.testing.assert_array_equal(own["w"], np.float32(found[name].epochs))
        assert len(found) == 3
