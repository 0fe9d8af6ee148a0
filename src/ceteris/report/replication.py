"""The page of a replication: every claim with its source, verdict and effect, and what it was run with.

A study without claims, such as a search, has a row that tells which level came out best.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ceteris.errors import writing
from ceteris.evidence.assessment import Assessment, Verdict
from ceteris.evidence.leading import Leader, leading_level
from ceteris.evidence.searched import SearchSummary
from ceteris.records.views import RunRecord
from ceteris.report.claims import STYLES
from ceteris.report.numbers import duration, with_interval
from ceteris.report.page import asset, rendered
from ceteris.report.search import is_nothing, share

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
    """One claim, or what a study without claims came to, worded."""

    claim: str
    verdict: str
    style: str
    """Class of the verdict's badge; empty for what is no verdict."""
    effect: str
    seeds: str


def rows_of(finding: Finding) -> tuple[Row, ...]:
    """Return a row for each claim of a study, worded; without claims, one for its best level."""
    if finding.run is None or finding.assessment is None:
        return ()
    seeds = str(len({trial.seed for trial in finding.run.trials}))
    if finding.assessment.verdicts:
        return tuple(_row(verdict, seeds) for verdict in finding.assessment.verdicts)
    leader = leader_of(finding.run, finding.assessment)
    return () if leader is None else (_leader_row(leader, finding.assessment, seeds),)


def leader_of(run: RunRecord, assessment: Assessment) -> Leader | None:
    """Return the best level of a run without claims; None for one that has claims, or no mean."""
    if assessment.verdicts:
        return None
    return leading_level(assessment, run.study["experiment"].get("metrics") or ())


def leader_verdict(leader: Leader) -> str:
    """Say what stands in the place of a verdict."""
    return "the only level" if leader.of == 1 else f"best of {leader.of:,}"


def leader_value(leader: Leader) -> str:
    """Write the score of the best level with its interval."""
    return with_interval(leader.mean, leader.low, leader.high)


def _leader_row(leader: Leader, assessment: Assessment, seeds: str) -> Row:
    words = " ".join((leader.words, *_flattery(assessment.search)))
    return Row(words, leader_verdict(leader), "", leader_value(leader), seeds)


def _flattery(search: SearchSummary | None) -> Iterator[str]:
    """Yield by how much the best score of a search flatters, where that was measured."""
    if search is None or search.optimism is None:
        return
    one = search.unit[:-1]
    if is_nothing(search.optimism):
        yield f"Whichever {one} is left out, the others choose the same."
    else:
        yield f"Judged by the {one} that did not choose, a choice reads {share(search.optimism)} worse."


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
    """Write a page or a table; missing folders are made. Raises CeterisError where that cannot be done."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path
