"""Rows that are kept on disk: the same bits as in memory, and memory that stays bounded."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ceteris.data import Preparation, facts, load
from ceteris.data.mapped import DEFAULT_MIB, empty_rows, memory_limit
from ceteris.data.places import cache_folder
from ceteris.spec.data import DataSpec
from tests.train.runs import plan, run_plans

from .conftest import refusal


def is_mapped(array: np.ndarray) -> bool:
    base = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return isinstance(base, memoryview) or type(base).__name__ == "mmap"


def saved(folder: Path, rows: int = 300, dtype: type = np.float32) -> Path:
    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    x = random.normal(100, 20, (rows, 8, 8)).astype(dtype)
    np.save(folder / "X.npy", x)
    np.save(folder / "y.npy", random.integers(0, 3, rows))
    np.save(folder / "x_test.npy", x[:5])
    np.save(folder / "y_test.npy", np.array([0, 1, 2, 0, 1]))
    return folder


def test_a_folder_of_arrays_is_read_without_reading_its_inputs(tmp_path):
    folder = saved(tmp_path / "own")
    data = load(str(folder))
    assert is_mapped(data.x)
    assert data.classes == ("0", "1", "2")
    np.savez(
        tmp_path / "own.npz",
        **{name: np.load(folder / f"{name}.npy") for name in ("y", "x_test", "y_test")},
        x=np.load(folder / "X.npy"),
    )
    same = load(str(tmp_path / "own.npz"))
    assert data.content == same.content
    assert facts(data) | {"name": "", "origin": ""} == facts(same) | {"name": "", "origin": ""}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", [np.float32, ">f8", np.uint8])
def test_arrays_of_an_npz_file_are_unpacked_to_disk(tmp_path, monkeypatch, save, dtype):
    random = np.random.default_rng(0)
    x = random.integers(0, 200, (90, 6, 5)).astype(dtype)
    save(tmp_path / "own.npz", x=x, y=np.arange(90) % 3, x_test=x[:4], y_test=np.array([0, 1, 2, 0]))
    here = load(str(tmp_path / "own.npz"))
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    there = load(str(tmp_path / "own.npz"))
    assert is_mapped(there.x) == (np.dtype(dtype).isnative)
    assert there.content == here.content
    np.testing.assert_array_equal(there.x, x)


def test_a_large_array_that_is_cut_off_or_stored_by_columns(tmp_path, monkeypatch):
    x = np.random.default_rng(0).normal(size=(90, 30))
    np.savez(tmp_path / "columns.npz", x=np.asfortranarray(x), y=np.arange(90) % 3)
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    np.testing.assert_array_equal(load(str(tmp_path / "columns.npz")).x, x)
    stored = io.BytesIO()
    np.save(stored, x)
    with zipfile.ZipFile(tmp_path / "short.npz", "w") as file:
        file.writestr("x.npy", stored.getvalue()[:-1000])
    assert "short.npz is damaged: it ends after 20,600 of 21,600 bytes" in (
        refusal(lambda: load(str(tmp_path / "short.npz"))) or ""
    )


@pytest.mark.parametrize("reduced", [{"resize": [3, 5]}, {"project": 7}, {"resize": [16, 16], "project": 2}])
def test_resized_and_projected_rows_are_the_same_bits_on_disk(tmp_path, monkeypatch, reduced):
    reading = DataSpec(source=str(saved(tmp_path / "own")), **reduced).reading
    here = load(reading)
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    there = load(reading)
    assert is_mapped(there.x)
    assert not is_mapped(here.x)
    np.testing.assert_array_equal(there.x, here.x)
    assert there.content == here.content


@pytest.mark.parametrize("scale", ["none", "unit", "standardize", 7.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_prepared_rows_are_the_same_bits_on_disk(tmp_path, monkeypatch, scale, dtype):
    data = load(str(saved(tmp_path / "own", dtype=dtype)))
    spec = DataSpec(source="own", scale=scale)
    here = Preparation(data).prepare(spec, 0)
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0.01")
    there = Preparation(data).prepare(spec, 0)
    assert is_mapped(there.x)
    assert not is_mapped(here.x)
    assert there.x.flags.writeable
    np.testing.assert_array_equal(there.x, here.x)
    assert there.key == here.key


@pytest.mark.parametrize(
    ("model", "augment"),
    [
        ({"kind": "mlp", "hidden": [8], "batch_norm": True, "dropout": 0.2}, {}),
        ({"kind": "mlp", "hidden": [8]}, {"shift": 2, "flip": True}),
        ({"kind": "cnn", "convolutions": [4], "hidden": [8]}, {}),
    ],
)
def test_training_from_disk_gives_the_same_bits(tmp_path, monkeypatch, model, augment):
    data = load(str(saved(tmp_path / "own")))
    settings = {
        "data": {"source": "own", "scale": 255, "augment": augment},
        "model": model,
        "optimizer": {"kind": "adam", "lr": 0.01},
        "epochs": 2,
    }
    trials = [plan(str(seed), seed=seed, **settings) for seed in (0, 1)]
    here = run_plans(trials, Preparation(data))
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0.01")
    there = run_plans(trials, Preparation(data))
    for trial in trials:
        np.testing.assert_array_equal(there.final(trial.identity), here.final(trial.identity))
        for name in ("train_loss", "val_loss", "val_accuracy"):
            np.testing.assert_array_equal(there.curve(trial.identity, name), here.curve(trial.identity, name))


def test_a_folder_of_images_is_read_to_disk(tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((4, 4), 10 * number + len(name), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{number}.png")
    here = load(str(tmp_path / "own"))
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    there = load(str(tmp_path / "own"))
    assert is_mapped(there.x)
    assert there.content == here.content


def test_the_space_is_free_again_once_nobody_holds_the_array(monkeypatch):
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    array = empty_rows((1000, 3), np.float64)
    array[:] = 1.5
    assert array.sum() == 4500
    assert not list(cache_folder("mapped").iterdir())
    del array
    gc.collect()


def test_the_threshold_is_a_setting(monkeypatch):
    monkeypatch.delenv("CETERIS_MEMORY_MIB", raising=False)
    assert memory_limit() == DEFAULT_MIB << 20
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0.5")
    assert memory_limit() == 1 << 19
    for wrong in ("much", "-1", "nan"):
        monkeypatch.setenv("CETERIS_MEMORY_MIB", wrong)
        assert (refusal(memory_limit) or "").startswith(f"CETERIS_MEMORY_MIB is `{wrong}`")


def test_rows_that_fit_nowhere_are_refused_in_one_line():
    told = refusal(lambda: empty_rows((1 << 40, 4), np.float32)) or ""
    assert told.startswith(
        "16384.0 GiB of rows do not fit into memory (CETERIS_MEMORY_MIB) and not on the disk"
    )
    assert "\n" not in told


def test_arrays_with_something_wrong_are_named(tmp_path):
    folder = saved(tmp_path / "own")
    x = np.load(folder / "X.npy")
    x[7, 0, 0] = np.nan
    np.save(folder / "X.npy", x)
    assert "`x` has 1 value that is not finite (NaN or infinity), the first in row 7" in (
        refusal(lambda: load(str(folder))) or ""
    )
    (folder / "X.npy").write_bytes(b"\x93NUMPY no array")
    assert "X.npy: it is no .npy file, or a damaged one" in (refusal(lambda: load(str(folder))) or "")
    np.save(folder / "X.npy", np.array([{}, {}]), allow_pickle=True)
    assert "X.npy: it holds Python objects" in (refusal(lambda: load(str(folder))) or "")


LIMITED = """
import resource, sys
import numpy as np
from ceteris.data import Preparation, load
from ceteris.spec.data import DataSpec

def data_bytes():
    return 1024 * next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData"))

resource.setrlimit(resource.RLIMIT_DATA, (data_bytes() + (40 << 20),) * 2)
data = load(sys.argv[1])
prepared = Preparation(data).prepare(DataSpec(source="own", scale="standardize"), 0)
rows = prepared.split.train
total = sum(prepared.x[rows[i : i + 5000]].sum(axis=0, dtype="f8") for i in range(0, len(rows), 5000))
assert abs(total / len(rows)).max() < 1e-5
print(prepared.x.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on private memory is Linux's")
def test_memory_stays_bounded_while_rows_are_prepared(tmp_path):
    """80 MB of rows, prepared to as many, by a process that may take 40 MiB of memory of its own."""
    random = np.random.default_rng(0)
    (tmp_path / "own").mkdir()
    x = np.lib.format.open_memmap(tmp_path / "own" / "x.npy", "w+", np.float32, (200_000, 100))
    x[:] = random.normal(size=100).astype(np.float32)
    x[::2] += 1
    x.flush()
    np.save(tmp_path / "own" / "y.npy", np.arange(200_000) % 2)
    for mib, fits in (("8", True), ("1024", False)):
        environment = {"CETERIS_MEMORY_MIB": mib, "XDG_CACHE_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(tmp_path / "own")],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is fits, done.stderr
        if fits:
            assert done.stdout.split()[0] == "80000000"
