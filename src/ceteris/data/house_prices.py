"""The house prices of a competition: two tables, found in a folder or downloaded from a public mirror.

The competition's own page asks for a login, so its files cannot be fetched from there. The mirror is that of
the book "Dive into Deep Learning", which publishes their SHA-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ceteris.data.checksums import check_file, is_right
from ceteris.data.dataset import SourceData
from ceteris.data.download import Report, download
from ceteris.data.places import cache_folder, places
from ceteris.data.table_source import table_data
from ceteris.data.tables import read_table
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import pandas

COMPETITION = "https://www.kaggle.com/c/house-prices-advanced-regression-techniques"
TRAIN, TEST = "kaggle_house_pred_train.csv", "kaggle_house_pred_test.csv"
OWN_NAMES = {TRAIN: "train.csv", TEST: "test.csv"}
"""What the competition calls its files."""


@dataclass(frozen=True)
class HousePrices:
    """The sale prices of 1,460 houses, and 1,459 houses without a price; satisfies ``Source``."""

    name: str = "house-prices"
    description: str = "regression: sale prices of 1,460 houses from 79 columns (and 1,459 without a price)"
    target: str = "SalePrice"
    ids: tuple[str, ...] = ("Id",)
    mirrors: tuple[str, ...] = ("http://d2l-data.s3-accelerate.amazonaws.com/",)
    checksums: Mapping[str, str] = field(
        default_factory=lambda: {
            TRAIN: "sha1:585e9cc93e70b39160e7921475f9bcd7d31219ce",
            TEST: "sha1:fa19780a7b011d9b009e8bff8e99922a8ee2eb90",
        }
    )

    def place(self, folder: Path | None) -> str | None:
        """Return the folder with its files, or None if there is none; a damaged download does not count."""
        for place in places(self.name, folder):
            named = not place.general
            found = [_file_in(place.folder, file, own_names=named) for file in (TRAIN, TEST)]
            if all(found) and not (place.ours and self._damaged(place.folder)):
                return str(place.folder)
        return None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return the rows with a price, checked; downloads what is missing. Raises ``CeterisError``."""
        return table_data(self._file(folder, TRAIN, report), self.name, self.target, self.ids)

    def read_unlabelled(self, folder: Path | None) -> pandas.DataFrame:
        """Return the rows without a price as they stand. Raises ``CeterisError``."""
        return read_table(self._file(folder, TEST, None), self.ids)

    def fetch(self, folder: Path | None, report: Report | None = None) -> Path:
        """Make sure that both files lie in ``folder / name``, by default anywhere; return their folder.

        Files that are there and right are not downloaded again. Raises ``CeterisError``, which says where the
        files can be had by hand, if no mirror has them.
        """
        if folder is None and (found := self.place(None)) is not None:
            return Path(found)
        target = cache_folder(self.name) if folder is None else folder.expanduser() / self.name
        for file in self._damaged(target):
            self._download(file, target, report)
        return target

    def _download(self, file: str, target: Path, report: Report | None) -> None:
        def check(arrived: Path) -> None:
            check_file(arrived, self.checksums[file])

        try:
            download(self.name, file, self.mirrors, target, check=check, report=report)
        except CeterisError as error:
            own = " and ".join(OWN_NAMES.values())
            raise CeterisError(
                f"{error}, as a folder `{self.name}` inside it; {COMPETITION} has "
                f"them after a login, as {own}"
            ) from error

    def _damaged(self, folder: Path) -> list[str]:
        """Return the files that are not in a folder as they were published."""
        return [
            name
            for name, checksum in self.checksums.items()
            if not any(is_right(folder / spelt, checksum) for spelt in (name, OWN_NAMES[name]))
        ]

    def _file(self, folder: Path | None, file: str, report: Report | None) -> Path:
        place = self.place(folder)
        where = self.fetch(None, report) if place is None else Path(place)
        found = _file_in(where, file, own_names=True)
        if found is None:
            raise CeterisError(f"{self.name}: {file} vanished from {where} while it was read")
        return found


def _file_in(folder: Path, file: str, *, own_names: bool) -> Path | None:
    """Find a file under its name, or under that of the competition where ``own_names`` is true."""
    names = (file, OWN_NAMES[file]) if own_names else (file,)
    return next((folder / name for name in names if (folder / name).is_file()), None)


HOUSE_PRICES = HousePrices()
