"""Unpacking zip and tar archives: whole or not at all, nothing outside the folder (law 10)."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ceteris.errors import CeterisError
from ceteris.spec.addresses import archive_ending

SPARE_BYTES = 64 << 20
"""So much of the disk is left free."""


def unpacked_folder(archive: Path) -> Path:
    """Return the folder that an archive is unpacked into: beside it, without `.zip`, `.tar.gz`, ..."""
    return archive.with_name(archive.name[: -len(archive_ending(archive.name))] or "unpacked")


def unpack(archive: Path) -> Path:
    """Unpack a zip or tar archive beside it, once, and return the folder with its files.

    Where all files stand in one folder of the archive, as they often do, that folder is returned. Links,
    devices and paths that lead elsewhere are refused. Raises ``CeterisError``; the folder is then not there.
    """
    target = unpacked_folder(archive)
    if not target.is_dir():
        try:
            part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=archive.parent))
        except OSError as error:
            raise CeterisError(f"cannot write into {archive.parent}: {error.strerror}") from error
        try:
            _unpack_into(archive, part)
            part.chmod(0o755)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return _only_folder(target)


def _only_folder(folder: Path) -> Path:
    inside = [path for path in folder.iterdir() if path.name != "__MACOSX" and not path.name.startswith(".")]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack_into(archive: Path, folder: Path) -> None:
    room = _Room(archive, shutil.disk_usage(folder).free - SPARE_BYTES)
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, folder, room.take)
        else:
            _unpack_tar(archive, folder, room.take)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError) as error:
        raise CeterisError(f"{archive} is damaged or no archive: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile: a password, an unknown compression
        raise CeterisError(f"{archive} cannot be unpacked: {error}") from error
    except OSError as error:
        raise CeterisError(f"{archive} cannot be unpacked: {error.strerror or error}") from error


class _Room:
    """How much may still be written: an archive can claim a thousand times its size."""

    def __init__(self, archive: Path, bytes_free: int) -> None:
        self._archive, self._left = archive, bytes_free

    def take(self, size: int) -> None:
        """Count the bytes of one file. Raises ``CeterisError`` where they do not fit on the disk."""
        self._left -= size
        if self._left < 0:
            raise CeterisError(f"{self._archive} does not fit on the disk once it is unpacked")


def _unpack_zip(archive: Path, folder: Path, take: Callable[[int], None]) -> None:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts:
                raise CeterisError(f"{archive} holds `{member.filename}`, which leads out of its folder")
            take(member.file_size)
        file.extractall(folder)


def _unpack_tar(archive: Path, folder: Path, take: Callable[[int], None]) -> None:
    with tarfile.open(archive) as file:
        for member in file:
            if not (member.isfile() or member.isdir()):
                raise CeterisError(f"{archive} holds `{member.name}`, which is neither a file nor a folder")
            take(member.size)
            try:
                file.extract(member, folder, filter="data")
            except tarfile.FilterError as error:
                raise CeterisError(
                    f"{archive} holds `{member.name}`, which leads out of its folder"
                ) from error
