"""Before the kernels are compiled on a machine, a user is told why nothing happens."""

import ast
import io
import os
import pickle
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import IndexDataCacheFile

from ceteris.data.preparation import Preparation
from ceteris.draws import compiled as draws
from ceteris.train.cpu import decorators, interpreter, turns
from ceteris.train.cpu.compiled import NOTE
from ceteris.train.cpu.decorators import keep_form

from .runs import plan, run_plans

ASK = "from ceteris.train.cpu.compiled import kernels_are_compiled; print(kernels_are_compiled())"

DOUBLING = """
from ceteris.train.cpu.decorators import compiling
@compiling()
def f(x):
    return 2 * x
"""
ONE_TURN = """
from pathlib import Path
from ceteris.train.cpu import turns
turns.turn_file = lambda: Path({!r})
"""
CALLED = """
print("ready", flush=True)
assert f(3) == 6
print(sum(f.stats.cache_misses.values()), sum(f.stats.cache_hits.values()))
"""


def answer(folder: str, **more: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": folder, **more}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_kernels_are_compiled_where_the_cache_holds_them_as_their_sources_are(
    digits: Preparation, tmp_path: Path
) -> None:
    run_plans([plan("compiles them", epochs=1)], digits)
    cache = tmp_path / "cache"
    copy_kernels(cache)
    assert answer(str(cache)) == "True"
    age(cache)
    assert answer(str(cache)) == "False"


def test_where_nothing_is_compiled_nothing_is_waited_for_and_a_run_says_what_to_do(tmp_path: Path) -> None:
    assert answer(str(tmp_path), NUMBA_DISABLE_JIT="1") == "True"
    done = subprocess.run(
        [sys.executable, "-m", "ceteris", "run", "digits/learning-rate", "--seeds", "1", "--epochs", "1"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the training kernels have to be compiled: unset the variable NUMBA_DISABLE_JIT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_kernel_is_compiled_anew_where_any_source_of_kernels_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "doubling.py"
    place.write_text(DOUBLING)

    def hits() -> int:
        function = runpy.run_path(str(place))["f"]
        assert function(3) == 6
        return sum(function.stats.cache_hits.values())

    assert hits() == 0
    assert hits() == 1
    monkeypatch.setattr(decorators, "sources_stamp", lambda: b"an update of another file")
    assert hits() == 0
    assert hits() == 1


def cache_file(folder: Path, name: str, stamp: bytes) -> Any:
    file: Any = IndexDataCacheFile(str(folder), name, stamp)
    file.save = partial(keep_form, file)
    return file


def test_two_processes_that_compile_two_forms_at_once_do_not_mix_them_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (cache_file(tmp_path, "f", b"sources") for _ in range(2))
    write = one._save_data

    def write_late(name: str, code: str) -> None:
        other.save("float64", "code for float64")
        write(name, code)

    with monkeypatch.context() as at_once:
        for process in (one, other):  # each has read the index before the other writes it
            at_once.setattr(process, "_load_index", dict)
        at_once.setattr(one, "_save_data", write_late)
        one.save("float32", "code for float32")
    assert one.load("float32") == "code for float32"
    assert one.load("float64") in {None, "code for float64"}  # None: it is compiled once more
    other.save("float64", "code for float64")
    assert (one.load("float32"), one.load("float64")) == ("code for float32", "code for float64")


def test_code_of_sources_that_have_changed_does_not_stay_on_the_disk(tmp_path: Path) -> None:
    cache_file(tmp_path, "f", b"before").save("float32", "old code")
    neighbour = cache_file(tmp_path, "f2", b"before")
    neighbour.save("float32", "of another function")
    after = cache_file(tmp_path, "f", b"after")
    assert after.load("float32") is None
    after.save("float64", "new code")
    assert len(list(tmp_path.glob("f.*.nbc"))) == 1
    assert (after.load("float64"), neighbour.load("float32")) == ("new code", "of another function")


def test_of_two_processes_that_want_a_kernel_one_compiles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, lock = tmp_path / "doubling.py", tmp_path / "compiling.lock"
    place.write_text(ONE_TURN.format(str(lock)) + DOUBLING + CALLED)
    monkeypatch.setattr(turns, "turn_file", lambda: lock)
    with turns.own_turn(), turns.own_turn():
        started = [
            subprocess.Popen([sys.executable, str(place)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):  # it waits
            started[0].wait(0.5)
    assert sorted(process.communicate()[0] for process in started) == ["0 1\n", "1 0\n"]


def test_nobody_waits_for_ever_for_the_turn_to_compile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "turn_file", lambda: tmp_path / "compiling.lock")
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.1)
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / "compiling.lock").open("ab") as suspended:
        fcntl.flock(suspended, fcntl.LOCK_EX)
        with turns.own_turn():
            pass
    monkeypatch.setattr(turns, "turn_file", lambda: Path("/dev/null/compiling.lock"))
    with turns.own_turn():
        pass


@pytest.fixture
def changing() -> Iterator[None]:
    """Forget what was computed of sources that a test changes."""
    decorators.sources_stamp.cache_clear()
    yield
    decorators.sources_stamp.cache_clear()


@pytest.mark.usefixtures("changing")
def test_a_change_of_any_file_that_kernels_are_compiled_from_changes_the_stamp(tmp_path: Path) -> None:
    files = decorators.sources()
    named = {file.relative_to(decorators.PACKAGE).as_posix() for file in files}
    assert named > {"draws/compiled.py", "draws/philox.py", "train/cpu/interpreter.py", "train/warp.py"}
    assert "train/cpu/compiled.py" not in named
    copies = [tmp_path / file.relative_to(decorators.PACKAGE) for file in files]
    for file, copy in zip(files, copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    stamps = {decorators.sources_stamp()}
    for copy in copies:
        copy.write_text(copy.read_text() + "# changed\n")
        decorators.sources_stamp.cache_clear()
        stamps.add(decorators.sources_stamp(tmp_path))
    assert len(stamps) == 1 + len(files) > 30


@pytest.mark.usefixtures("changing")
def test_a_constant_that_is_compiled_into_kernels_changes_the_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    before = decorators.sources_stamp()
    monkeypatch.setattr("ceteris.train.engine.GRADIENT_EVERY", 11)
    decorators.sources_stamp.cache_clear()
    assert decorators.sources_stamp() != before


def test_every_constant_of_a_kernel_is_in_the_stamp() -> None:
    files = decorators.sources()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ceteris."):
                constants = [name.name for name in node.names if name.name.isupper()]
                source = decorators.PACKAGE.parent / f"{str(node.module).replace('.', '/')}.py"
                known = source in files or node.module in decorators.FROZEN
                assert known or not constants, (file.name, node.module, constants)


def test_what_is_left_out_holds_no_kernel() -> None:
    for name in decorators.ON_HOST:
        text = (decorators.PACKAGE / name).read_text()
        assert "decorators import" not in text
        assert "numba" not in text


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles_once(tmp_path: Path) -> None:
    # Every process, those that train too, begins with this; nothing has to be compiled.
    lines = "from ceteris.train.cpu import compiled", "compiled.kernels_are_compiled = lambda: False"
    (tmp_path / "sitecustomize.py").write_text("\n".join(lines))
    options = ["--seeds", "2", "--epochs", "1", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "ceteris", "run", "digits/learning-rate", *options],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(NOTE) == 1


def age(cache: Path) -> None:
    """Write Numba's index of the interpreter as it would be of other sources."""
    for index in cache.glob("cpu*/interpreter.train_steps-*.nbi"):
        file = io.BytesIO(index.read_bytes())
        version, (_, functions) = pickle.load(file), pickle.loads(file.read())
        index.write_bytes(pickle.dumps(version) + pickle.dumps((b"other sources", functions)))


def copy_kernels(cache: Path) -> None:
    """Copy the kernels that are compiled here to another cache; compiling them takes a minute."""
    cache.mkdir()
    assert answer(str(cache)) == "False"  # makes the folders
    for name, kernel in (("cpu", interpreter.train_steps), ("draws", draws.fill_words)):
        (place,) = cache.glob(f"{name}*")
        for file in Path(kernel.stats.cache_path).glob("*.nb[ci]"):
            shutil.copy2(file, place)
