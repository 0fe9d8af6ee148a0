"""Where IDX files are found, and how they are downloaded: from a server in this process."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest

from ceteris.data.download import Download
from ceteris.data.mnist import FASHION_MNIST, IDX_SOURCES, MNIST
from ceteris.data.places import cache_folder
from ceteris.errors import CeterisError

from .conftest import FILES, write_files


@pytest.mark.parametrize("sub", ["", "tiny", "Tiny/raw"])
@pytest.mark.parametrize("compress", [True, False])
def test_files_are_found_in_the_folder_and_in_its_subfolders(tiny, contents, tmp_path, sub, compress):
    write_files(tmp_path / "data" / sub, contents, compress=compress)
    data = tiny.read(tmp_path / "data", None)
    assert data.origin == str(tmp_path / "data" / sub)
    assert data.train.x.shape == (40, 3, 3)
    assert data.train.x.dtype == np.uint8
    np.testing.assert_array_equal(data.train.y, np.arange(40) % 2)
    assert data.test is not None
    assert data.test.x.shape == (10, 3, 3)


def test_names_with_a_dot_are_found_too(tiny, contents, tmp_path):
    for part, content in contents.items():
        (tmp_path / FILES[part].replace("-idx", ".idx")).write_bytes(content)
    assert tiny.read(tmp_path, None).train.y.dtype == np.int64


def test_the_environment_variable_names_a_folder(tiny, contents, tmp_path, monkeypatch):
    monkeypatch.setenv("CETERIS_DATA", str(write_files(tmp_path / "mine", contents)))
    assert tiny.place(None) == str(tmp_path / "mine")
    assert tiny.read(None, None).origin == str(tmp_path / "mine")


def test_a_named_folder_comes_before_the_variable(tiny, contents, tmp_path, monkeypatch):
    monkeypatch.setenv("CETERIS_DATA", str(write_files(tmp_path / "variable", contents)))
    write_files(tmp_path / "named", contents)
    assert tiny.read(tmp_path / "named", None).origin == str(tmp_path / "named")


def test_the_cache_comes_before_the_systems_folder(tiny, contents, tmp_path):
    installed = replace(tiny, system=(write_files(tmp_path / "share", contents),))
    assert installed.read(None, None).origin == str(tmp_path / "share")
    write_files(cache_folder("tiny"), contents)
    assert installed.read(None, None).origin == str(cache_folder("tiny"))


def test_debians_package_is_looked_for_where_it_installs():
    assert [str(path) for path in FASHION_MNIST.system] == ["/usr/share/datasets/fashion-mnist"]


def test_a_folder_that_is_not_there_is_told_with_what_named_it(tiny, tmp_path, monkeypatch):
    with pytest.raises(CeterisError, match=r"no folder .*gone \(named by --data-dir, `data_dir` in Python\)"):
        tiny.read(tmp_path / "gone", None)
    monkeypatch.setenv("CETERIS_DATA", str(tmp_path / "lost"))
    with pytest.raises(CeterisError, match=r"no folder .*lost \(named by CETERIS_DATA\)"):
        tiny.read(None, None)


def test_a_missing_file_in_the_users_folder_is_told(tiny, contents, tmp_path):
    del contents["test_y"]
    folder = write_files(tmp_path / "tiny", contents)
    with pytest.raises(CeterisError) as caught:
        tiny.read(tmp_path, None)
    assert str(caught.value) == f"{folder} lacks t10k-labels-idx1-ubyte of tiny"


def test_a_damaged_file_in_the_users_folder_is_refused_by_name(tiny, contents, tmp_path):
    folder = write_files(tmp_path / "tiny", contents)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CeterisError) as caught:
        tiny.read(tmp_path, None)
    assert str(caught.value).startswith(f"{path} is damaged")


def test_another_sets_files_in_the_folder_itself_are_passed_over(tiny, contents, tmp_path, monkeypatch):
    """MNIST and Fashion-MNIST name their files alike: a folder may hold the other one's."""
    write_files(tmp_path, contents)
    other = replace(MNIST, name="other", payloads=tiny.payloads)
    monkeypatch.setattr("ceteris.data.mnist.IDX_SOURCES", (*IDX_SOURCES, other))
    with pytest.raises(CeterisError, match=r"could not be downloaded"):
        replace(FASHION_MNIST, mirrors=("http://127.0.0.1:9/",), system=()).read(tmp_path, None)


def test_mirrors_are_tried_in_turn_until_one_is_right(tiny, contents, server):
    """The first has nothing, the second damaged files, the third the right ones."""
    damaged = {part: content[:-1] + b"\xff" for part, content in contents.items()}
    mirrors = (server.url("none"), server.add("damaged", damaged), server.add("right", contents))
    data = replace(tiny, mirrors=mirrors).read(None, None)
    np.testing.assert_array_equal(data.train.y, np.arange(40) % 2)
    first = FILES["train_x"] + ".gz"
    assert server.asked[:3] == [f"/none/{first}", f"/damaged/{first}", f"/right/{first}"]
    assert sorted(path.name for path in cache_folder("tiny").iterdir()) == sorted(
        f"{name}.gz" for name in FILES.values()
    )


def test_every_mirror_and_its_failure_is_in_the_one_sentence(tiny, contents, server):
    damaged = server.add("damaged", {part: content + b"?" for part, content in contents.items()})
    mirrors = (server.url("none"), damaged, "http://127.0.0.1:9/")
    with pytest.raises(CeterisError) as caught:
        replace(tiny, mirrors=mirrors).read(None, None)
    file = "train-images-idx3-ubyte.gz"
    assert str(caught.value) == (
        f"tiny: {file} could not be downloaded from any mirror: "
        f"{mirrors[0]}{file} (404 Not Found), "
        f"{mirrors[1]}{file} (damaged: its content is not that of the published file), "
        f"{mirrors[2]}{file} (no connection); "
        "put the files of tiny into a folder and name it with --data-dir or CETERIS_DATA"
    )
    assert list(cache_folder("tiny").iterdir()) == []


def test_what_is_right_is_not_downloaded_again(tiny, contents, server):
    source = replace(tiny, mirrors=(server.add("right", contents),))
    source.read(None, None)
    assert len(server.asked) == 4
    source.read(None, None)
    source.fetch(None)
    assert len(server.asked) == 4


def test_only_the_damaged_file_of_the_cache_is_fetched_again(tiny, contents, server):
    source = replace(tiny, mirrors=(server.add("right", contents),))
    folder = source.fetch(None)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half")
    assert source.read(None, None).test is not None
    assert server.asked[4:] == ["/right/t10k-labels-idx1-ubyte.gz"]


def test_a_recompressed_mirror_is_accepted(tiny, contents, server):
    mirror = server.add("right", contents)
    for part, content in contents.items():
        server.files[f"/right/{FILES[part]}.gz"] = gzip.compress(content, 1, mtime=7)
    assert replace(tiny, mirrors=(mirror,)).read(None, None).train.x.shape == (40, 3, 3)


def test_a_connection_that_breaks_off_leaves_nothing_behind(tiny, contents, server):
    mirror = server.add("right", contents)
    server.broken.add(f"/right/{FILES['train_y']}.gz")
    with pytest.raises(CeterisError, match=r"train-labels.*the connection broke off"):
        replace(tiny, mirrors=(mirror,)).read(None, None)
    assert [path.name for path in cache_folder("tiny").iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_an_interrupted_download_leaves_nothing_behind(tiny, contents, server):
    def interrupt(progress: Download) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(tiny, mirrors=(server.add("right", contents),)).read(None, interrupt)
    assert list(cache_folder("tiny").iterdir()) == []


def test_progress_is_reported_up_to_the_last_byte(tiny, contents, server):
    seen: list[Download] = []
    replace(tiny, mirrors=(server.add("right", contents),)).fetch(None, seen.append)
    assert {step.file for step in seen} == {f"{name}.gz" for name in FILES.values()}
    for step in seen:
        assert step.source == "tiny"
        assert step.total is not None
        assert 0 < step.received <= step.total
    assert seen[-1].received == seen[-1].total == len(server.files["/right/t10k-labels-idx1-ubyte.gz"])


def test_fetch_puts_files_where_it_is_told(tiny, contents, server, tmp_path):
    source = replace(tiny, mirrors=(server.add("right", contents),))
    assert source.fetch(tmp_path / "new") == tmp_path / "new" / "tiny"
    assert source.read(tmp_path / "new", None).origin == str(tmp_path / "new" / "tiny")
    assert len(server.asked) == 4


def test_a_cache_that_cannot_be_written_is_told(tiny, contents, server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    source = replace(tiny, mirrors=(server.add("right", contents),))
    with pytest.raises(CeterisError, match=r"cannot write into .*file/tiny: Not a directory"):
        source.fetch(tmp_path / "file")


@pytest.mark.real_data
@pytest.mark.parametrize("source", IDX_SOURCES, ids=lambda source: source.name)
def test_the_real_rows_are_what_was_published(source, real_data):
    data = source.read(real_data, None)
    assert data.train.x.shape == (60_000, 28, 28)
    assert data.test is not None
    assert data.test.x.shape == (10_000, 28, 28)
    assert (data.train.x.min(), data.train.x.max()) == (0, 255)
    assert (
        np.bincount(data.test.y).tolist()
        == {
            "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            "fashion-mnist": [1000] * 10,
        }[source.name]
    )
