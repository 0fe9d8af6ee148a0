"""Weights come back bit for bit, whole or not at all."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from safetensors import safe_open

from ceteris.errors import CeterisError
from ceteris.records.folders import explained_disk, prepare_folder
from ceteris.records.weights import Owner, read_weights, write_weights

OWNER = Owner("8c1f0a5d2b7e44aa9930", "lr=0.1, width=16", 3, 0)

types = st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])
any_array = types.flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, min_side=0, max_side=4)))


@given(st.dictionaries(st.text("abcw.0123", min_size=1), any_array, min_size=1, max_size=3))
def test_every_bit_type_and_shape_comes_back(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, NDArray[np.generic]]
) -> None:
    folder = tmp_path_factory.mktemp("weights")
    name = write_weights(folder, OWNER, "final", named)
    back = read_weights(folder / name, OWNER.identity)
    assert back.keys() == named.keys()
    for key, array in named.items():
        assert (back[key].dtype, back[key].shape) == (array.dtype, array.shape)
        assert back[key].tobytes() == array.tobytes()
        assert back[key].flags.writeable


def test_views_in_other_orders(tmp_path: Path) -> None:
    turned = np.arange(12, dtype=np.float32).reshape(3, 4).T[:, ::2]
    name = write_weights(tmp_path, OWNER, "final", {"w": turned, "big-endian": np.array([1.5], ">f4")})
    back = read_weights(tmp_path / name, OWNER.identity)
    np.testing.assert_array_equal(back["w"], turned)
    np.testing.assert_array_equal(back["big-endian"], [1.5])


def test_name_and_head_say_whose_they_are(tmp_path: Path) -> None:
    name = write_weights(tmp_path, OWNER, "initial", {"w": np.zeros(1)})
    assert name == "lr=0.1-width=16_seed-3_fold-0_8c1f0a5d2b7e.initial.safetensors"
    with safe_open(tmp_path / name, framework="np") as file:
        assert file.metadata() == {
            "identity": OWNER.identity,
            "level": "lr=0.1, width=16",
            "seed": "3",
            "fold": "0",
            "kind": "initial",
        }


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    name = write_weights(tmp_path, OWNER, "final", {"w": np.zeros(1)})
    write_weights(tmp_path, OWNER, "final", {"w": np.ones(1)})
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert read_weights(tmp_path / name, OWNER.identity)["w"] == 1


def test_half_written_files_of_dead_writers_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "weights"
    prepare_folder(folder)
    (folder / ".a.final.safetensors.123.part").write_bytes(b"half")
    (folder / "a.final.safetensors").write_bytes(b"whole")
    prepare_folder(folder)
    assert [path.name for path in folder.iterdir()] == ["a.final.safetensors"]


def test_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / write_weights(tmp_path, OWNER, "final", {"w": np.zeros(9)})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CeterisError, match=r"the weights of trial 8c1f0a5d2b7e44aa9930 in .* are damaged"):
        read_weights(path, OWNER.identity)


def test_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(CeterisError, match=r"are gone: there is no file .*nowhere"):
        read_weights(tmp_path / "nowhere", OWNER.identity)


def test_file_of_another_trial(tmp_path: Path) -> None:
    path = tmp_path / write_weights(tmp_path, OWNER, "final", {"w": np.zeros(1)})
    with pytest.raises(CeterisError, match="holds the weights of trial 8c1f0a5d2b7e44aa9930 and not"):
        read_weights(path, "other")


def test_file_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limits on the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(CeterisError, match="is full, so the weights could not be written"):
            write_weights(tmp_path, OWNER, "final", {"w": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_disk_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        CeterisError, match="is full, so the weights could not be written; everything before is safe"
    ):
        _fail(tmp_path, errno.ENOSPC)
    with pytest.raises(CeterisError, match=r"could not be written: .*: Read-only file system"):
        _fail(tmp_path, errno.EROFS)


def _fail(folder: Path, number: int) -> None:
    with explained_disk(folder, "the weights could not be written"):
        raise OSError(number, os.strerror(number))
