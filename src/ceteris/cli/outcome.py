"""What is printed after a run, and by ``ceteris show``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ceteris.cli.screen import columns, show

if TYPE_CHECKING:
    from pathlib import Path

    from ceteris.api.result import Result


def print_outcome(result: Result, report: Path | None) -> None:
    """Print the tables, the claims in words, notes, the report's path, and how to look again."""
    from ceteris.api.text import result_parts

    show(*result_parts(result.run, result.assessment, columns()), "")
    if report is not None:
        show(f"report: {report}")
    show(*(f"{words}: {command}" for words, command in next_steps(result)))


def next_steps(result: Result) -> list[tuple[str, str]]:
    """Return what can be done with a run next, with its command."""
    from ceteris.report.going_on import allow_code, own_arguments, seeds_to_add

    where, own = _where(result), own_arguments(result.run)
    option = f"{where}{allow_code(result.run)}"
    steps = [("look again", f"ceteris show {result.id}{where}")]
    if result.status != "finished":
        python = f"ceteris.resume({result.id!r}, {own})"
        steps.append(("go on in Python", python) if own else ("go on", f"ceteris resume {result.id}{option}"))
    elif any(verdict.verdict == "not established" for verdict in result.verdicts):
        more = seeds_to_add(result.verdicts, len({trial.seed for trial in result.trials}))
        python = f"ceteris.extend({result.id!r}, seeds={more}, {own})"
        command = f"ceteris extend {result.id} --seeds {more}{option}"
        steps.append(("more seeds in Python", python) if own else ("more seeds", command))
    return steps


def _where(result: Result) -> str:
    """Return the option that names the records, where they are not in the usual place."""
    from ceteris.records.store import records_folder

    folder = result.run.folder.parent
    return "" if folder == records_folder().absolute() else f" --runs-dir {shlex.quote(str(folder))}"
