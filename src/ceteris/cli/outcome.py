"""What is printed after a run, and by ``ceteris show``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ceteris.cli.screen import show

if TYPE_CHECKING:
    from pathlib import Path

    from ceteris.api.result import Result


def print_outcome(result: Result, report: Path | None) -> None:
    """Print the tables, the claims in words, notes, the report's path, and how to look again."""
    from ceteris.api.text import result_parts

    show(*result_parts(result.run, result.assessment), "")
    if report is not None:
        show(f"report: {report}")
    show(*(f"{words}: {command}" for words, command in next_steps(result)))


def next_steps(result: Result) -> list[tuple[str, str]]:
    """Return what can be done with a run next, with its command."""
    where = _where(result)
    steps = [("look again", f"ceteris show {result.id}{where}")]
    if result.status != "finished":
        steps.append(("go on", f"ceteris resume {result.id}{where}"))
    elif any(verdict.verdict == "not established" for verdict in result.verdicts):
        steps.append(("more seeds", f"ceteris extend {result.id} --seeds {_more_seeds(result)}{where}"))
    return steps


def _where(result: Result) -> str:
    """Return the option that names the records, where they are not in the usual place."""
    from ceteris.records.store import records_folder

    folder = result.run.folder.parent
    return "" if folder == records_folder().absolute() else f" --runs-dir {shlex.quote(str(folder))}"


def _more_seeds(result: Result) -> int:
    """Return as many seeds as the nearest open claim needs, or twice those there are."""
    now = len({trial.seed for trial in result.trials})
    needed = [v.seeds_needed for v in result.verdicts if v.seeds_needed is not None and v.seeds_needed > now]
    return min([*needed, 2 * now]) if needed else 2 * now
