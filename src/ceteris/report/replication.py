"""The page of a replication: every claim with its source, verdict and effect, and what it was run with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ceteris.evidence.assessment import Assessment, Verdict
from ceteris.records.views import RunRecord
from ceteris.report.claims import STYLES
from ceteris.report.numbers import duration, with_interval
from ceteris.report.page import asset, rendered

HEADINGS = ("Study", "Source", "Claim", "Verdict", "Effect [interval]", "Seeds", "Hardware", "Time")


@dataclass(frozen=True)
class Finding:
    """A study with what its run came to; without a run, why there is none."""

    name: str
    source: str
    note: str
    run: RunRecord | None
    assessment: Assessment | None
    link: str
    """Where the study's report lies, as seen from the page."""
    failure: str


@dataclass(frozen=True)
class Row:
    """One claim, worded."""

    claim: str
    verdict: str
    style: str
    effect: str
    seeds: str


def rows_of(finding: Finding) -> tuple[Row, ...]:
    """Return a row for each claim of a study, worded."""
    if finding.run is None or finding.assessment is None:
        return ()
    seeds = str(len({trial.seed for trial in finding.run.trials}))
    return tuple(_row(verdict, seeds) for verdict in finding.assessment.verdicts)


def _row(verdict: Verdict, seeds: str) -> Row:
    return Row(
        claim=verdict.text,
        verdict=verdict.words,
        style=STYLES[verdict.verdict],
        effect=with_interval(verdict.effect, verdict.low, verdict.high),
        seeds=seeds,
    )


def render_replication(findings: Sequence[Finding], made: str, remark: str = "") -> str:
    """Return the page as HTML; ``made`` says when and with what, ``remark`` what weakens every verdict."""
    found = [(finding, rows_of(finding), facts_of(finding)) for finding in findings]
    return rendered(
        "replication.html.j2", found=found, headings=HEADINGS, made=made, remark=remark, asset=asset
    )


def facts_of(finding: Finding) -> tuple[str, str]:
    """Return the hardware and the time of a study's run."""
    return ("", "") if finding.run is None else (finding.run.device, duration(finding.run.seconds))


def markdown_table(findings: Sequence[Finding]) -> str:
    """Return the same rows as a Markdown table."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for finding in findings:
        device, time = facts_of(finding)
        for row in rows_of(finding):
            cells = (f"`{finding.name}`", finding.source, row.claim, row.verdict, row.effect, row.seeds)
            lines.append("| " + " | ".join(c.replace("|", "\\|") for c in (*cells, device, time)) + " |")
        if finding.failure:
            lines.append(f"| `{finding.name}` | {finding.source} | not run: {finding.failure} |" + " |" * 5)
    return "\n".join(lines) + "\n"


def write_text(path: Path, text: str) -> Path:
    """Write a page or a table; missing folders are made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
