"""``ceteris runs``, ``show`` and ``report``: looking at what was run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ceteris.cli import screen
from ceteris.cli.options import AsJson, RunName, RunsDir
from ceteris.cli.screen import print_json
from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from ceteris.api.result import Result

Most = Annotated[int, Parameter(name="--most", help="How many runs to list, the newest first.")]


def runs(*, most: Most = 20, runs_dir: RunsDir = None, as_json: AsJson = False) -> None:
    """List the runs on record, the newest first."""
    from ceteris.api.output import runs_object
    from ceteris.api.runs import list_runs
    from ceteris.records.store import records_folder

    if most < 1:
        raise CeterisError(Problem(f"{most} is not a number of runs; it must be at least 1", where="--most"))
    found = list_runs(runs_dir=runs_dir)
    if as_json:
        print_json(runs_object(found, records_folder(runs_dir)))
        return
    if not found:
        print(
            f"there are no runs in {records_folder(runs_dir)} yet; ceteris run digits/learning-rate makes one"
        )
        return
    rows = [
        (run.status, _trials(run.trials, run.finished, run.diverged) + _kind(run.title), run.id)
        for run in found[:most]
    ]
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    listed = [f"{status:{widths[0]}}   {trials:{widths[1]}}   {name}" for status, trials, name in rows]
    more = ["", f"and {len(found) - most} more (--most {len(found)})"] if len(found) > most else []
    last = "ceteris show RUN shows one; `last` is the newest."
    screen.show(*listed, *more, "", last)


def _trials(planned: int, finished: int, diverged: int) -> str:
    lost = f", {diverged} diverged" if diverged else ""
    return f"{finished} of {planned} finished{lost}"


def _kind(title: str) -> str:
    """Tell the trials of ``ceteris aa`` from those of a study."""
    from ceteris.records.views import REPETITIONS_TITLE

    return "; A/A repetitions" if title.startswith(REPETITIONS_TITLE) else ""


def show(run: RunName, /, *, runs_dir: RunsDir = None, as_json: AsJson = False) -> None:
    """Show a run: its levels, the claims in words, how to go on."""
    from ceteris.api.reports import report_of
    from ceteris.api.runs import load_run
    from ceteris.cli.outcome import print_outcome

    result = load_run(run, runs_dir=runs_dir)
    if as_json:
        print_json(result.to_dict())
    else:
        print_outcome(result, report_of(result.run))


def report(
    run: RunName,
    /,
    *,
    to: Annotated[Path | None, Parameter(help="Where to write it (else beside the records).")] = None,
    follow: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Write it again and again until the run has ended; the page grows.",
        ),
    ] = False,
    runs_dir: RunsDir = None,
    as_json: AsJson = False,
) -> None:
    """Write the HTML report of a run anew and print its path.

    With --follow, in another terminal while the run trains: the page in the browser loads itself anew.
    """
    from ceteris.api.runs import load_run

    result = load_run(run, runs_dir=runs_dir)
    path = _followed(result, to, runs_dir) if follow and result.status == "running" else result.report(to)
    if as_json:
        print_json({"run": result.id, "report": str(path)})
    else:
        print(path)


def _followed(result: Result, to: Path | None, runs_dir: Path | None) -> Path:
    """Write the report of a run until it has ended; return where it is."""
    from ceteris.api.following import follow
    from ceteris.cli.screen import tell

    pages = follow(result.id, to, runs_dir=runs_dir)
    path = next(pages)
    tell(f"{result.id} is running; its report grows in {path} until it ends (Ctrl-C stops this, not the run)")
    for page in pages:
        path = page
    return path
