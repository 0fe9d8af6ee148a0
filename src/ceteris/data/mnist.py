"""MNIST and Fashion-MNIST: four IDX files each, found in a folder or downloaded.

The MD5 values are those of the decompressed files as their authors published them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ceteris.data.dataset import Rows, SourceData
from ceteris.data.download import Report, download
from ceteris.data.idx import Payload, md5_of, parse_idx, read_payload
from ceteris.data.places import Place, cache_folder, find_file, places
from ceteris.errors import CeterisError

PARTS = ("train_x", "train_y", "test_x", "test_y")
BYTE_RANGE = (0.0, 255.0)


@dataclass(frozen=True)
class IdxSource:
    """A classification data set of images in four IDX files; satisfies ``Source``."""

    name: str
    description: str
    payloads: Mapping[str, Payload]
    """One for each of ``PARTS``."""
    mirrors: tuple[str, ...]
    classes: tuple[str, ...]
    default_validation: int
    aliases: tuple[str, ...] = ()
    """Subfolders in which other tools keep these files."""
    system: tuple[Path, ...] = ()
    """Folders in which a system's package installs them."""

    def place(self, folder: Path | None) -> str | None:
        """Say in which folder all four files lie, without reading them."""
        found = next((p for p in self._places(folder) if not self._missing(p.folder)), None)
        return str(found.folder) if found else None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows, from the first place that has them, else from a download into the cache."""
        contents, origin = self._contents(folder, report)
        arrays = {part: parse_idx(contents.pop(part), self.payloads[part].file) for part in PARTS}
        return SourceData(
            name=self.name,
            task="classification",
            train=Rows(arrays["train_x"], arrays["train_y"].astype(np.int64)),
            test=Rows(arrays["test_x"], arrays["test_y"].astype(np.int64)),
            classes=self.classes,
            value_range=BYTE_RANGE,
            origin=str(origin),
            default_validation=self.default_validation,
        )

    def fetch(self, folder: Path | None, report: Report | None = None) -> Path:
        """Make sure that the four files lie in ``folder / name`` (by default the cache); return that folder.

        Files that are there and right are not downloaded again.
        """
        target = cache_folder(self.name) if folder is None else folder.expanduser() / self.name
        for payload in self.payloads.values():
            path = find_file(target, payload.file)
            if path is None or not _is_right(path, payload):
                self._download(payload, target, report)
        return target

    def _contents(self, folder: Path | None, report: Report | None) -> tuple[dict[str, bytes], Path]:
        for place in self._places(folder):
            contents = self._contents_of(place)
            if contents is not None:
                return contents, place.folder
        target = self.fetch(None, report)
        contents = self._contents_of(Place(target))
        if contents is None:
            raise CeterisError(f"{self.name}: its files vanished from {target} while they were read")
        return contents, target

    def _contents_of(self, place: Place) -> dict[str, bytes] | None:
        """Read the four files of a place; None where they are not there or not this data set's.

        Raises CeterisError for a damaged or missing file in a place that is not our own.
        """
        missing = self._missing(place.folder)
        if len(missing) == len(PARTS) or (place.general and self._holds_another(place.folder)):
            return None
        try:
            if missing:
                raise CeterisError(f"{place.folder} lacks {', '.join(missing)} of {self.name}")
            return {part: self._read_part(place.folder, part) for part in PARTS}
        except CeterisError:
            if place.ours:
                return None
            raise

    def _read_part(self, folder: Path, part: str) -> bytes:
        payload = self.payloads[part]
        path = find_file(folder, payload.file)
        if path is None:
            raise CeterisError(f"{folder / payload.file} is missing")
        return read_payload(path, payload)

    def _holds_another(self, folder: Path) -> bool:
        """Tell whether the files in ``folder`` are those of another data set with the same file names.

        The labels of the test rows decide, the smallest of the four files.
        """
        path = find_file(folder, self.payloads["test_y"].file)
        others = [other.payloads["test_y"] for other in IDX_SOURCES if other.name != self.name]
        return path is not None and any(_is_right(path, payload) for payload in others)

    def _missing(self, folder: Path) -> list[str]:
        files = [payload.file for payload in self.payloads.values()]
        return [file for file in files if find_file(folder, file) is None]

    def _places(self, folder: Path | None) -> tuple[Place, ...]:
        return places(self.name, folder, self.aliases, self.system)

    def _download(self, payload: Payload, target: Path, report: Report | None) -> None:
        def check(arrived: Path) -> None:
            if not _is_right(arrived, payload):
                raise CeterisError("damaged: its content is not that of the published file")

        download(self.name, f"{payload.file}.gz", self.mirrors, target, check=check, report=report)


def _is_right(path: Path, payload: Payload) -> bool:
    try:
        return md5_of(read_payload(path, payload)) == payload.md5
    except CeterisError:
        return False


def _payloads(*md5: str) -> dict[str, Payload]:
    """Describe the four files of a set of 60,000 training and 10,000 test images of 28 x 28."""
    files = (
        ("train-images-idx3-ubyte", 47_040_016),
        ("train-labels-idx1-ubyte", 60_008),
        ("t10k-images-idx3-ubyte", 7_840_016),
        ("t10k-labels-idx1-ubyte", 10_008),
    )
    return {
        part: Payload(file, length, digest)
        for part, (file, length), digest in zip(PARTS, files, md5, strict=True)
    }


MNIST = IdxSource(
    name="mnist",
    description="handwritten digits, 60,000 grey images of 28 x 28 in 10 classes (and 10,000 test rows)",
    payloads=_payloads(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    classes=tuple("0123456789"),
    default_validation=10_000,
    aliases=("MNIST/raw",),
)

FASHION_MNIST = IdxSource(
    name="fashion-mnist",
    description="clothes and shoes, 60,000 grey images of 28 x 28 in 10 classes (and 10,000 test rows)",
    payloads=_payloads(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    default_validation=10_000,
    aliases=("FashionMNIST/raw",),
    system=(Path("/usr/share/datasets/fashion-mnist"),),  # Debian's package dataset-fashion-mnist
)

IDX_SOURCES = (MNIST, FASHION_MNIST)
