"""``ceteris replicate``: all named studies, and one page of what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ceteris.cli.options import DEFAULT_TRAINING, Epochs, Quick, Seeds, Sets, Training
from ceteris.cli.screen import print_json, tell

if TYPE_CHECKING:
    from ceteris.api.replication import Replication
    from ceteris.api.result import Result
    from ceteris.report.replication import Finding

PAGE = "replication.html"
REMARK = "A quick look, and provisional: few seeds, epochs and rows. Run it without --quick for the answer."


def replicate(
    subject: Annotated[
        str | None, Parameter(help="A subject such as fashion-mnist, or one study (else all).")
    ] = None,
    /,
    *,
    quick: Quick = False,
    seeds: Seeds = None,
    epochs: Epochs = None,
    sets: Sets = None,
    page: Annotated[Path | None, Parameter(help="Where the page goes (else beside the records).")] = None,
    markdown: Annotated[Path | None, Parameter(help="Write the rows as a Markdown table too.")] = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Run all named studies, or one subject's, and write one page with every claim and its verdict.

    The cheapest come first. What is on record is not run again, and what stopped goes on; Ctrl-C keeps
    everything. A study that fails does not stop the others; the exit code is then 1.
    """
    from ceteris.api import replication
    from ceteris.cli.exits import FINISHED, INTERRUPTED, UNEXPECTED
    from ceteris.cli.study_runs import training_means
    from ceteris.records.store import records_folder
    from ceteris.report.replication import markdown_table, render_replication, write_text

    options = {"quick": quick, "seeds": seeds, "epochs": epochs, "sets": sets or ()}
    names = replication.names_of(subject)
    folder = records_folder(training.runs_dir)
    done = replication.replicate(names, options, lambda: training_means(training), tell, folder)
    target = page or folder / PAGE
    findings = _findings(done, target)
    write_text(target, render_replication(findings, _made(), REMARK if quick else ""))
    if markdown is not None:
        write_text(markdown, markdown_table(findings))
    if training.as_json:
        print_json(_object(done, target))
    else:
        _print(done, target)
    trained = [outcome.name for outcome in done.outcomes if outcome.result is not None]
    if quick and trained:
        tell(f"without --quick, for the answer: {replication.full_form(trained, options)}")
    return INTERRUPTED if done.interrupted else UNEXPECTED if done.failures else FINISHED


def _findings(done: Replication, page: Path) -> list[Finding]:
    import os

    from ceteris.api.reports import report_of
    from ceteris.report.replication import Finding

    found = []
    for outcome in done.outcomes:
        result = outcome.result
        report = None if result is None else report_of(result.run)
        link = "" if report is None else os.path.relpath(report, page.absolute().parent)
        run, assessment = (None, None) if result is None else (result.run, result.assessment)
        found.append(
            Finding(outcome.name, outcome.source, outcome.note, run, assessment, link, outcome.failure)
        )
    return found


def _made() -> str:
    from datetime import UTC, datetime
    from importlib.metadata import version

    return f"{datetime.now(UTC):%Y-%m-%d} · torch {version('torch')} · NumPy {version('numpy')}"


def _object(done: Replication, page: Path) -> dict[str, Any]:
    studies = [
        {
            "study": outcome.name,
            "source": outcome.source,
            "note": outcome.note,
            "failure": outcome.failure or None,
            "best": _best(outcome.result),
            "result": None if outcome.result is None else outcome.result.to_dict(),
        }
        for outcome in done.outcomes
    ]
    return {"page": str(page), "interrupted": done.interrupted, "studies": studies}


def _best(result: Result | None) -> dict[str, Any] | None:
    from ceteris.report.replication import leader_of

    leader = None if result is None else leader_of(result.run, result.assessment)
    return None if leader is None else leader.to_json()


def _print(done: Replication, page: Path) -> None:
    from ceteris.report.replication import leader_of, leader_value, leader_verdict

    for outcome in done.outcomes:
        if outcome.result is None:
            continue
        print(outcome.name)
        if (leader := leader_of(outcome.result.run, outcome.result.assessment)) is not None:
            print(f"  {leader_verdict(leader)}: {leader_value(leader)}: {leader.words}")
        for verdict in outcome.result.verdicts:
            print(f"  {verdict.words}: {verdict.text}")
    print(f"page: {page}")
    for outcome in done.failures:
        tell(f"not run: {outcome.name}: {outcome.failure}")
