"""Fetching one file from the first mirror that has it whole: checked, then renamed into place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ceteris.data.progress import Reading
from ceteris.errors import CeterisError

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Download:
    """How far the download of one file has come; handed to the caller's report function."""

    source: str
    file: str
    url: str
    received: int
    """Bytes so far."""
    total: int | None
    """Bytes in all, where the server says."""


Report = Callable[["Download | Reading"], None]
"""Told how far a download, or the reading of a large file, has come."""


@dataclass
class _Progress:
    """The progress bar that pooch's downloader drives; passes each step on as a ``Download``."""

    source: str
    file: str
    url: str
    report: Report | None
    total: int = 0
    received: int = 0

    def update(self, amount: int) -> None:
        """Count ``amount`` further bytes (the last chunk is counted as a full one: cut to the total)."""
        self.received += amount
        if self.total:
            self.received = min(self.received, self.total)
        if self.report is not None:
            self.report(Download(self.source, self.file, self.url, self.received, self.total or None))

    def reset(self) -> None:
        """Begin counting anew, as pooch does before its closing update."""
        self.received = 0

    def close(self) -> None:
        """Nothing to close."""


def download(
    source: str,
    file: str,
    mirrors: Sequence[str],
    folder: Path,
    *,
    check: Callable[[Path], None],
    report: Report | None = None,
) -> Path:
    """Download ``file`` into ``folder`` and return its path.

    The mirrors (folders as URLs that end in a slash) are tried in turn. What arrives goes into a
    file of its own, is handed to ``check`` (which raises CeterisError if it is damaged) and only
    then renamed: whatever interrupts it, ``folder / file`` is either whole or not there.
    Raises CeterisError naming each mirror and what was wrong with it.
    """
    failures = []
    for mirror in mirrors:
        url = mirror + file
        try:
            return _download_from(url, folder / file, _Progress(source, file, url, report), check)
        except CeterisError as error:
            failures.append(f"{url} ({error})")
    raise CeterisError(
        f"{source}: {file} could not be downloaded from any mirror: {', '.join(failures)}; put the files of "
        f"{source} into a folder and name it with --data-dir or CETERIS_DATA"
    )


def download_url(
    source: str, url: str, target: Path, *, check: Callable[[Path], None], report: Report | None = None
) -> Path:
    """Download the file at one address to ``target``, checked before it is renamed; see ``download``.

    Raises ``CeterisError`` with what was wrong, in a few words.
    """
    return _download_from(url, target, _Progress(source, target.name, url, report), check)


def _download_from(url: str, target: Path, progress: _Progress, check: Callable[[Path], None]) -> Path:
    arriving = _file_beside(target)
    try:
        _receive(url, arriving, progress)
        check(arriving)
        arriving.chmod(0o644)
        arriving.replace(target)
    finally:
        arriving.unlink(missing_ok=True)
    return target


def _file_beside(target: Path) -> Path:
    """Make an empty file in the target's folder, so that the rename stays on one file system."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent)
    except OSError as error:
        raise CeterisError(f"cannot write into {target.parent}: {error.strerror or error}") from error
    os.close(handle)
    return Path(name)


def _receive(url: str, arriving: Path, progress: _Progress) -> None:
    """Stream ``url`` into a file; every failure becomes a few words."""
    import pooch
    import requests

    fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_SECONDS)
    try:
        fetch(url, str(arriving), None)
    except requests.HTTPError as error:
        answer = error.response
        raise CeterisError(
            f"{answer.status_code} {answer.reason}" if answer is not None else str(error)
        ) from error
    except requests.Timeout as error:
        raise CeterisError(f"no answer within {TIMEOUT_SECONDS} s") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise CeterisError("the connection broke off") from error
    except requests.ConnectionError as error:
        raise CeterisError("no connection") from error
    except requests.RequestException as error:
        raise CeterisError(f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise CeterisError(f"cannot be written: {error.strerror or error}") from error
