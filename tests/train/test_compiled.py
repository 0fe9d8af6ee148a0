"""Before the kernels are compiled on a machine, a user is told why nothing happens."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ceteris.draws import compiled as draws
from ceteris.train.cpu import interpreter
from ceteris.train.cpu.compiled import NOTE

ASK = "from ceteris.train.cpu.compiled import kernels_are_compiled; print(kernels_are_compiled())"


def answer(folder: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_an_index_that_is_newer_than_the_source_tells_that_kernels_are_compiled(tmp_path: Path) -> None:
    assert answer(str(tmp_path)) == "False"
    (place,) = [folder for folder in tmp_path.iterdir() if folder.name.startswith("cpu")]
    index = place / "interpreter.train_steps-1.py311.nbi"
    index.touch()
    assert answer(str(tmp_path)) == "True"
    os.utime(index, (0, 0))
    assert answer(str(tmp_path)) == "False"


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    copy_kernels(cache)
    for index in cache.glob("cpu*/interpreter.train_steps-*.nbi"):
        os.utime(index, (0, 0))  # as if it were of an earlier source, though nothing has to be compiled
    options = ["--seeds", "2", "--epochs", "1", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "ceteris", "run", "digits/learning-rate", *options],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(NOTE) == 1


def copy_kernels(cache: Path) -> None:
    """Copy the kernels that are compiled here to another cache; compiling them takes a minute."""
    cache.mkdir()
    assert answer(str(cache)) == "False"  # makes the folders
    for name, kernel in (("cpu", interpreter.train_steps), ("draws", draws.fill_words)):
        (place,) = cache.glob(f"{name}*")
        for file in Path(kernel.stats.cache_path).glob("*.nb[ci]"):
            shutil.copy2(file, place)
