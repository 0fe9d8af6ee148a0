"""Data at addresses, from a server in this process: fetched once, checked, unpacked, told in one sentence."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from ceteris.data import fetch, load
from ceteris.data.archives import unpack
from ceteris.data.house_prices import TEST, TRAIN, HousePrices
from ceteris.data.sources import load_test_rows
from ceteris.data.web_source import WebSource
from ceteris.spec.data import DataSpec

from .conftest import refusal

TABLE = b"size,kind,price\n1.5,flat,100\n2.5,house,220\n3,flat,300\n"


@pytest.fixture(autouse=True)
def _no_folder(no_data_folder):
    pass


@pytest.fixture
def table_url(server) -> str:
    server.files["/files/houses.csv"] = TABLE
    return server.url("files") + "houses.csv"


def reading(url: str, **more: object) -> str:
    return DataSpec.model_validate({"source": url, **more}).reading


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return held.getvalue()


def tarred(files: dict[str, bytes], compression: str = "gz", *, link: str | None = None) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=f"w:{compression}") as file:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        if link is not None:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            file.addfile(member)
    return held.getvalue()


def image(value: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.full((2, 3), value, np.uint8)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("prefix", [True, False])
def test_a_table_is_fetched_once_and_checked_whenever_it_is_read(
    table_url, server, algorithm, prefix, tmp_path
):
    digits = hashlib.new(algorithm, TABLE).hexdigest().upper()
    given = reading(table_url, target="price", checksum=f"{algorithm}:{digits}" if prefix else digits)
    first, second = load(given), load(given)
    assert first.name == "houses.csv"
    assert first.content == second.content
    np.testing.assert_array_equal(first.y, [100, 220, 300])
    assert server.asked == ["/files/houses.csv"]
    with open(first.origin, "ab") as file:  # what was kept is damaged, and so fetched again
        file.write(b"9,flat,1\n")
    assert load(given).content == first.content
    assert len(server.asked) == 2


def test_what_arrives_is_checked_too_and_a_wrong_file_is_not_kept(table_url, server, tmp_path):
    wrong = hashlib.sha1(b"another").hexdigest()
    found = hashlib.sha1(TABLE).hexdigest()
    given = reading(table_url, target="price", checksum=wrong)
    told = f"damaged or another file: its SHA-1 is {found}, and {wrong} is expected"
    for _ in range(2):
        assert refusal(lambda: load(given)) == (
            f"experiment.data.source: {table_url} could not be downloaded: {told}"
        )
    assert len(server.asked) == 2
    assert not list((tmp_path / "cache").rglob("*.csv"))
    assert not list((tmp_path / "cache").rglob("*.part"))


@pytest.mark.parametrize(
    ("trouble", "told"),
    [("missing", "404 Not Found"), ("broken", "the connection broke off"), ("closed", "no connection")],
)
def test_trouble_on_the_way_is_told_in_one_sentence(table_url, server, trouble, told):
    if trouble == "missing":
        server.files.clear()
    elif trouble == "broken":
        server.broken.add("/files/houses.csv")
    else:
        table_url = table_url.replace(str(server.url("")).split(":")[2].strip("/"), "9")
    given = reading(table_url, target="price")
    assert refusal(lambda: load(given)) == (
        f"experiment.data.source: {table_url} could not be downloaded: {told}"
    )


def test_an_address_may_have_a_question_mark(server):
    server.files["/files/houses.csv?raw=true"] = TABLE
    given = reading(server.url("files") + "houses.csv?raw=true", target="price", ids=["kind"])
    data = load(given)
    assert data.name == "houses.csv"
    assert list(data.columns) == ["kind"]


def test_a_folder_of_the_users_keeps_it_instead(table_url, server, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    place = fetch(table_url, own)
    assert place.startswith(f"{own}/downloads/")
    assert load(reading(table_url, target="price"), own).origin == place
    assert len(server.asked) == 1


@pytest.mark.parametrize("top", ["", "photos/"])
@pytest.mark.parametrize("name", ["photos.zip", "photos.tar", "photos.tar.gz", "photos.tgz", "photos.tar.xz"])
def test_an_archive_of_images_becomes_a_folder_under_its_own_name(server, name, top):
    files = {f"{top}cat/1.png": image(10), f"{top}cat/2.png": image(20), f"{top}dog/1.png": image(30)}
    compression = {"photos.tar": "", "photos.tar.xz": "xz"}.get(name, "gz")
    packed = zipped(files) if name.endswith(".zip") else tarred(files, compression)
    server.files[f"/files/{name}"] = packed
    data = load(reading(server.url("files") + name, checksum=hashlib.md5(packed).hexdigest()))
    assert data.classes == ("cat", "dog")
    assert data.x[:, 0, 0].tolist() == [10, 20, 30]
    assert data.name == "photos"
    assert data.origin.endswith("/photos/photos" if top else "/photos")


def test_images_of_an_archive_are_resized_as_they_are_read(server):
    server.files["/files/photos.zip"] = zipped({"cat/1.png": image(10), "dog/1.png": image(30)})
    data = load(reading(server.url("files") + "photos.zip", resize=[1, 1]))
    assert data.x.reshape(-1).tolist() == [10, 30]


@pytest.mark.parametrize("inside", ["train.csv", "data/train.csv"])
def test_a_file_inside_an_archive_is_named_behind_a_hash(server, inside):
    server.files["/files/houses.zip"] = zipped({"data/train.csv": TABLE, "data/read.me": b"-"})
    url = server.url("files") + f"houses.zip#{inside}"
    data = load(reading(url, target="price"))
    assert data.name == "train.csv"
    assert len(data.x) == 3
    lost = refusal(lambda: load(reading(server.url("files") + "houses.zip#test.csv", target="price")))
    assert lost == (
        "experiment.data.source: there is no test.csv in the archive, which holds read.me, train.csv"
    )


def test_test_rows_are_another_file_at_an_address(server):
    more = b"kind,price,size\nflat,100,1\nhut,200,2\n"
    server.files["/files/houses.zip"] = zipped({"train.csv": TABLE, "test.csv": more})
    base = server.url("files") + "houses.zip#"
    own = reading(base + "train.csv", target="price", test=base + "test.csv")
    rows = load_test_rows(own)
    assert (rows.x[:, 0].tolist(), rows.y.tolist()) == ([1, 2], [100, 200])
    assert rows.notes[0].startswith("Column `kind` has `hut` in 1 row")
    lost = refusal(lambda: load(reading(base + "train.csv", target="price", test=base + "tset.csv")))
    assert (
        lost == "experiment.data.test: there is no tset.csv in the archive, which holds test.csv, train.csv"
    )


def test_a_new_version_of_an_archive_is_unpacked_anew(server):
    url, sums = server.url("files") + "houses.zip#train.csv", []
    for content in (TABLE, TABLE + b"4,flat,5\n"):
        server.files["/files/houses.zip"] = zipped({"train.csv": content})
        sums.append(hashlib.sha1(server.files["/files/houses.zip"]).hexdigest())
        data = load(reading(url, target="price", checksum=sums[-1]))
    assert len(data.x) == 4


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (zipped({"../evil.csv": TABLE}), "holds `../evil.csv`, which leads out of its folder"),
        (zipped({"a.csv": TABLE})[:-30], "is damaged or no archive: File is not a zip file"),
        (b"no zip at all", "is damaged or no archive: File is not a zip file"),
    ],
)
def test_bad_zip_files_are_refused_and_leave_nothing(tmp_path, packed, told):
    path = tmp_path / "bad.zip"
    path.write_bytes(packed)
    assert refusal(lambda: unpack(path)) == f"{path} {told}"
    assert [file.name for file in tmp_path.iterdir()] == ["bad.zip"]


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (tarred({"../evil.csv": TABLE}), "holds `../evil.csv`, which leads out of its folder"),
        (tarred({}, link="/etc/passwd"), "holds `link`, which is neither a file nor a folder"),
        (tarred({"a.csv": TABLE * 99})[:-20], "is damaged or no archive: "),
    ],
)
def test_bad_tar_files_are_refused_and_leave_nothing(tmp_path, packed, told):
    path = tmp_path / "bad.tar.gz"
    path.write_bytes(packed)
    assert (refusal(lambda: unpack(path)) or "").startswith(f"{path} {told}")
    assert [file.name for file in tmp_path.iterdir()] == ["bad.tar.gz"]


def test_an_archive_that_claims_more_than_the_disk_holds_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "big.zip"
    path.write_bytes(zipped({"a.csv": TABLE}))
    monkeypatch.setattr("ceteris.data.archives.SPARE_BYTES", 1 << 60)
    assert refusal(lambda: unpack(path)) == f"{path} does not fit on the disk once it is unpacked"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "https://x.org/a.csv", "target": "y", "checksum": "abc"}, "`abc` is no checksum"),
        ({"source": "digits", "checksum": "0" * 40}, "`digits` is not downloaded from an address"),
        ({"source": "https://x.org/a.csv", "target": "y", "checksum": "md5:" + "0" * 40}, "is no checksum"),
    ],
)
def test_checksums_that_do_not_fit_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        DataSpec.model_validate(changes)


@pytest.fixture
def houses(server) -> HousePrices:
    files = {TRAIN: TABLE.replace(b"price", b"SalePrice"), TEST: b"size,kind\n1,flat\n"}
    for name, content in files.items():
        server.files[f"/mirror/{name}"] = content.replace(b"size", b"Id,size").replace(b"\n1", b"\n1,1")
    sums = {name: f"sha1:{hashlib.sha1(server.files[f'/mirror/{name}']).hexdigest()}" for name in files}
    return HousePrices(mirrors=(server.url("none"), server.url("mirror")), checksums=sums)


def test_the_house_prices_come_from_a_mirror_once_and_are_mended(houses, server, tmp_path):
    assert houses.place(None) is None
    folder = houses.fetch(None)
    assert [path.name for path in sorted(folder.iterdir())] == [TEST, TRAIN]
    asked = len(server.asked)
    assert asked == 4  # each file of the first mirror, which lacks it, then of the second
    assert houses.fetch(None) == folder == houses.fetch(None)
    assert len(server.asked) == asked
    (folder / TRAIN).write_bytes(b"damaged")
    houses.fetch(None)
    assert server.asked[asked:] == [f"/none/{TRAIN}", f"/mirror/{TRAIN}"]


def test_where_no_mirror_has_the_house_prices_it_says_where_they_can_be_had(houses, server):
    server.files.clear()
    told = refusal(lambda: houses.fetch(None)) or ""
    assert "\n" not in told
    assert told.endswith(
        "put the files of house-prices into a folder and name it with --data-dir or CETERIS_DATA, as a "
        "folder `house-prices` inside it; "
        "https://www.kaggle.com/c/house-prices-advanced-regression-techniques has them after a login, as "
        "train.csv and test.csv"
    )


def test_the_files_of_the_competition_are_found_by_their_own_names(houses, tmp_path):
    (tmp_path / "house-prices").mkdir()
    assert houses.place(tmp_path) is None
    for name in ("train.csv", "test.csv"):
        (tmp_path / "house-prices" / name).write_bytes(b"Id,SalePrice\n")
    assert houses.place(tmp_path) == str(tmp_path / "house-prices")


def test_a_source_that_was_fetched_says_where_it_lies(table_url):
    source = WebSource(table_url)
    assert source.place(None) is None
    assert source.fetch(None).read_bytes() == TABLE
    assert source.place(None) == str(source.fetch(None))
