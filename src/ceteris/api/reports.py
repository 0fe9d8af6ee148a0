"""Reports of runs: where they lie, writing them, and the piece that a notebook shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.evidence.assessment import Assessment
    from ceteris.records.views import RunRecord

FILE_NAME = "report.html"


def report_of(run: RunRecord) -> Path | None:
    """Return the report beside the records, or None where none was written."""
    path = run.folder / FILE_NAME
    return path if path.is_file() else None


def write(run: RunRecord, assessment: Assessment, path: str | Path | None = None, reload: int = 0) -> Path:
    """Write the report beside the records, or to ``path``; return where it is.

    With ``reload`` it is one of a run that goes on: a browser reads it anew after so many seconds, and
    figures for which networks are needed are left out.

    Raises ``CeterisError`` where it cannot be written.
    """
    from ceteris.api.figures import extras_of
    from ceteris.records.folders import given_path
    from ceteris.report.page import write_report

    given = None if path is None else given_path(path, "path")
    target = run.folder / FILE_NAME if given is None else given.expanduser()
    if target.is_dir():
        target = target / FILE_NAME
    try:
        return write_report(run, assessment, target, None if reload else extras_of(run), reload)
    except OSError as error:
        raise CeterisError(f"the report cannot be written to {target}: {error.strerror or error}") from error


def fragment(run: RunRecord, assessment: Assessment) -> str:
    """Return verdicts and table as HTML for a notebook."""
    from ceteris.report.fragment import report_fragment

    return report_fragment(run, assessment)
