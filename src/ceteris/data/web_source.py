"""Data at an address of the user's own: fetched once, checked, kept, and then read like a file."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ceteris.data.archives import unpack, unpacked_folder
from ceteris.data.checksums import check_file, is_right
from ceteris.data.dataset import SourceData
from ceteris.data.download import Report, download_url
from ceteris.data.local_source import local_source
from ceteris.data.places import cache_folder, places
from ceteris.errors import CeterisError, Problem
from ceteris.spec.addresses import archive_ending, url_parts

FOLDER = "downloads"
"""The subfolder, of the cache or of a folder of the user's, that downloads are kept in."""
WHERE = "experiment.data.source"


@dataclass(frozen=True)
class WebSource:
    """A table, an `.npz` file, or an archive at an address; satisfies ``Source``."""

    url: str
    settings: str = ""
    """Those of a table, and the checksum, as JSON; or empty."""
    size: tuple[int, int] | None = None
    """Height and width that images are brought to as they are read."""

    @property
    def name(self) -> str:
        """The file's name."""
        _, file, inside = url_parts(self.url)
        return Path(inside).name or file

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return "data at an address"

    @property
    def checksum(self) -> str | None:
        """What the file is checked by, `algorithm:digits`."""
        found = json.loads(self.settings).get("checksum") if self.settings else None
        return None if found is None else str(found)

    def place(self, folder: Path | None) -> str | None:
        """Return where the file lies, or None where it has to be downloaded; a wrong file does not count."""
        file = url_parts(self.url)[1]
        own = [place.folder / file for place in places(self._sub, folder) if not place.general]
        return next((str(path) for path in own if is_right(path, self.checksum)), None)

    def fetch(self, folder: Path | None, report: Report | None = None) -> Path:
        """Make sure that the file lies in a folder of the user's or the cache; return its path.

        A file that is there, with the checksum where one is given, is not downloaded again. Raises
        ``CeterisError`` in one sentence for whatever goes wrong on the way.
        """
        found = self.place(folder)
        if found is not None:
            return Path(found)
        address, file, _ = url_parts(self.url)
        if not file:
            raise CeterisError(Problem(f"`{self.url}` names no file", where=WHERE))
        base = cache_folder(FOLDER).parent if folder is None else folder.expanduser()
        target = base / self._sub / file
        try:
            download_url(
                self.name, address, target, check=lambda path: check_file(path, self.checksum), report=report
            )
        except CeterisError as error:
            raise CeterisError(Problem(f"{address} could not be downloaded: {error}", where=WHERE)) from error
        if archive_ending(file):
            shutil.rmtree(unpacked_folder(target), ignore_errors=True)
        return target

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows, checked, from the file at hand or from a download. Raises ``CeterisError``."""
        path = self.file(folder, report)
        return local_source(path, self.settings, self.size).read(folder, report)

    def file(self, folder: Path | None, report: Report | None) -> Path:
        """Return the file or folder that is meant, in an archive once unpacked. Raises ``CeterisError``."""
        path, inside = self.fetch(folder, report), url_parts(self.url)[2]
        if not archive_ending(path.name):
            if inside:
                message = (
                    f"`{self.url}`: what stands behind `#` is a file inside an archive, and this is none"
                )
                raise CeterisError(Problem(message, where=WHERE))
            return path
        unpacked = unpack(path)
        return _inside(unpacked, inside) if inside else unpacked

    @property
    def _sub(self) -> str:
        address = url_parts(self.url)[0]
        return f"{FOLDER}/{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def _inside(folder: Path, name: str) -> Path:
    """Return a file of an unpacked archive, whether its only folder is named or not."""
    tried = (folder / name, folder.parent / name)
    for path in tried:
        if path.exists() and path.resolve().is_relative_to(folder.parent.resolve()):
            return path
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    listed = ", ".join(files[:5]) + (", ..." if len(files) > 5 else "")
    raise CeterisError(Problem(f"there is no {name} in the archive, which holds {listed}", where=WHERE))
