"""Before the kernels are compiled on a machine, a user is told why nothing happens."""

import os
import subprocess
import sys

import pytest

from ceteris.train.cpu.compiled import NOTE

ASK = "from ceteris.train.cpu.compiled import kernels_are_compiled; print(kernels_are_compiled())"


def answer(folder: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_without_a_cache_the_kernels_are_not_compiled(tmp_path) -> None:
    assert answer(str(tmp_path)) == "False"


def test_an_index_that_is_newer_than_the_source_tells_that_they_are(tmp_path) -> None:
    assert answer(str(tmp_path)) == "False"
    (place,) = [folder for folder in tmp_path.iterdir() if folder.name.startswith("cpu")]
    index = place / "interpreter.train_steps-1.py311.nbi"
    index.touch()
    assert answer(str(tmp_path)) == "True"
    os.utime(index, (0, 0))
    assert answer(str(tmp_path)) == "False"


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles_once(tmp_path) -> None:
    command = [
        sys.executable,
        "-m",
        "ceteris",
        "run",
        "digits/learning-rate",
        "--seeds",
        "2",
        "--epochs",
        "1",
    ]
    done = subprocess.run(
        [*command, "--workers", "2"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count(NOTE) == 1
