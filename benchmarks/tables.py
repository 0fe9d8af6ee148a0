"""The measurements as Markdown, for ``docs/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contestants import CETERIS, CONTESTANTS, LOOP

BEGIN = "<!-- measured by benchmarks/run.py: begin -->"
END = "<!-- measured by benchmarks/run.py: end -->"

Report = Mapping[str, Any]

ABSENT: Mapping[str, Any] = {"reason": "", "failed": False}
"""A contestant that was not asked when a row was measured."""


def write_between_marks(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put the text between the two marks of a page, or make the page of it where there is none."""
    page = path.read_text() if path.exists() else f"{begin}\n{end}\n"
    if begin not in page or end not in page:
        raise SystemExit(f"{path} lacks the lines `{begin}` and `{end}`, between which the tables go")
    before, rest = page.split(begin, 1)
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end, 1)[1]}")


def render(report: Report) -> str:
    """Return everything that was measured: machine, speeds, scores, who did not take part."""
    parts = [_conditions(report), _speeds(report), _scores(report), _notes(report)]
    return "\n\n".join(part for part in parts if part)


def _conditions(report: Report) -> str:
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in sorted(report["versions"].items()))
    return (
        f"Measured on {report['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']:.0f} GiB, {machine['system']}; load average before {machine['load']:.2f}, "
        f"at the end {machine['load_after']:.2f} (of it about 1 to 2 are the benchmark). "
        f"{versions}. n = {report['repeats']} rounds for Ceteris and the DataLoader loop, "
        f"{report['peer_repeats']} for the others; medians. "
        f"The whole took {report['seconds'] / 60:.0f} minutes."
    )


def _shown(report: Report) -> list[str]:
    """Names of the contestants that were measured anywhere, the loop and Ceteris first."""
    taking_part = {
        name for row in report["rows"] for name, entry in row["contestants"].items() if "ratio" in entry
    }
    return [name for name in CONTESTANTS if name in taking_part]


def _speeds(report: Report) -> str:
    names = _shown(report)
    rows = []
    for row in report["rows"]:
        cells = [_speed(row["contestants"].get(name, ABSENT), name) for name in names]
        goal = "" if row["goal"] is None else f"{row['goal']:g} x"
        rows.append([f"{row['workload']}: {row['stack']}", *cells, goal])
    heading = ["workload: members", *(CONTESTANTS[name].title for name in names), "goal"]
    intro = (
        "Model-epochs per second, and times the DataLoader loop (for Ceteris with the range of the rounds):"
    )
    return f"{intro}\n\n{table(heading, rows)}"


def _speed(entry: Mapping[str, Any], name: str) -> str:
    if "reason" in entry:
        return "failed" if entry["failed"] else "-"
    speed = _three_digits(entry["model_epochs_per_second"])
    if name == LOOP.name or entry["ratio"] is None:
        return speed
    mark = "\\*" if entry["differs"] else ""
    ratio = f"{_three_digits(entry['ratio'])} x"
    if name == CETERIS.name:
        low, high = (_three_digits(entry[key]) for key in ("ratio_low", "ratio_high"))
        ratio = f"**{ratio}**, {low} to {high}"
    return f"{speed} ({ratio}){mark}"


def _three_digits(number: float) -> str:
    """Three significant digits without an exponent: ``0.218``, ``1,240``."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _scores(report: Report) -> str:
    names = _shown(report)
    rows = []
    for row in report["rows"]:
        entries = [row["contestants"].get(name, ABSENT) for name in names]
        cells = [f"{100 * entry['score']:.1f}" if "score" in entry else "-" for entry in entries]
        rows.append([f"{row['workload']}: {row['stack']}", f"{row['epochs']}", *cells])
    heading = ["workload: members", "after epoch", *(CONTESTANTS[name].title for name in names)]
    intro = (
        "What they reached: validation accuracy in percent (for 331-1 the explained variance), "
        "mean over the seeds at the first rate:"
    )
    return f"{intro}\n\n{table(heading, rows)}"


def _notes(report: Report) -> str:
    """Say who was skipped, who could not train what, and who did other work."""
    lines = [f"- {sentence}" for sentence in report["skipped"]]
    for row in report["rows"]:
        if row.get("date", report["date"]) != report["date"]:
            lines.append(f"- {row['workload']}: {row['stack']} was measured on {row['date']}.")
        for name, entry in row["contestants"].items():
            where = f"{CONTESTANTS[name].title}, {row['workload']}: {row['stack']}"
            if entry.get("failed"):
                lines.append(f"- {where}: failed ({entry['reason'].splitlines()[-1]}).")
            elif entry.get("differs"):
                lines.append(f"- \\* {where}: not the same work, {entry['differs']}.")
            elif entry.get("reason") and name in _shown(report):
                lines.append(f"- {where}: not measured, {entry['reason']}.")
    return "\n".join(lines)


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
