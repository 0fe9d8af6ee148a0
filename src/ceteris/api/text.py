"""A result in a terminal: tables of the levels, the claims in words, notes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ceteris.evidence.assessment import Assessment, Verdict
    from ceteris.evidence.searched import SearchSummary
    from ceteris.evidence.summaries import LevelEvidence
    from ceteris.records.views import RunRecord

WIDTH = 80
BETWEEN = 3
"""Blanks between two columns of a table."""
STYLES = {"supported": "green", "contradicted": "red", "not established": "yellow"}
BEST = "best: at the best epoch."
BUILT_IN = (("val_loss", "val_accuracy"), ("train_loss", "train_accuracy"))


SHOWN_CANDIDATES = 10
"""Of a search, so many are listed; the report and `--json` have all."""


OF_CLAIMS = ("sign-flip", "Holm", "differences")
"""Words of notes on comparisons, which a search does not show."""


def as_text(run: RunRecord, assessment: Assessment) -> str:
    """Return what a terminal of 80 columns shows, without colours."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None, force_jupyter=False)
    for part in result_parts(run, assessment):
        console.print(part)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())


def result_parts(run: RunRecord, assessment: Assessment, width: int = WIDTH) -> Iterator[RenderableType]:
    """Yield the parts of a result from top to bottom, for lines of a width."""
    from rich.text import Text

    from ceteris.evidence.layout import ENDED
    from ceteris.evidence.wording import levels as listed

    if run.title:
        yield Text(run.title, style="bold")
    yield Text(run_line(run))
    if not any(trial.status in ENDED for trial in run.trials):
        yield ""
        yield Text("No trial has ended, so nothing can be said yet.", "yellow")
        return
    if assessment.search is not None:
        yield from search_parts(assessment.search)
        yield bulleted([note for note in assessment.notes if not any(word in note for word in OF_CLAIMS)])
        return
    for metrics in metric_tables(assessment.levels, width):
        yield ""
        yield level_table(assessment.levels, metrics)
    if assessment.levels and any(level.metrics for level in assessment.levels):
        yield ""
        yield Text(f"Mean over {_over(assessment)} at the end of training [95% interval]; {BEST}", "dim")
    for note in dict.fromkeys(level.note for level in assessment.levels if level.note):
        labels = [level.level for level in assessment.levels if level.note == note]
        yield Text(f"{listed(labels, [level.level for level in assessment.levels])}: {note}", "yellow")
    if assessment.verdicts:
        yield ""
        yield claims_table(assessment.verdicts)
    else:
        yield from _answer(assessment)
    notes = _notes(assessment)
    if notes:
        yield ""
        yield bulleted(notes)


def search_parts(summary: SearchSummary) -> Iterator[RenderableType]:
    """Yield what a search found: the best candidates, and what the choice is worth."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from ceteris.report.search import cells, columns, hint, sentences

    ranked = summary.ranked()
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    for name in columns(summary):
        table.add_column(name.removeprefix("optimizer.").removeprefix("model."), overflow="fold")
    for candidate in ranked[:SHOWN_CANDIDATES]:
        table.add_row(str(candidate.number), *map(Text, cells(summary, candidate)))
    yield ""
    yield table
    if len(ranked) > SHOWN_CANDIDATES:
        yield Text(f"and {len(ranked) - SHOWN_CANDIDATES} more, in the report and with --json", "dim")
    yield ""
    yield Text(hint(summary), "dim")
    yield bulleted(list(sentences(summary)))


def _answer(assessment: Assessment) -> Iterator[RenderableType]:
    """Yield what a study without claims shows: how its levels ended and differ."""
    from rich.text import Text

    from ceteris.api.comparisons import comparison_parts
    from ceteris.report.answer import answer

    if len(assessment.levels) < 2:
        return
    yield ""
    yield Text(answer(assessment), "bold")
    names = [name for pair in metric_pairs(assessment.levels) for name in pair if name.startswith("val_")]
    yield from comparison_parts(assessment, names)


def _notes(assessment: Assessment) -> list[str]:
    """Return the notes on what is shown here: sign-flip p values only without claims."""
    return [note for note in assessment.notes if not (assessment.verdicts and "sign-flip p" in note)]


def _over(assessment: Assessment) -> str:
    """Say what means are over."""
    if assessment.unit == "folds":
        return f"the {assessment.folds} folds of one seed"
    return "seeds" if assessment.folds == 1 else f"seeds, their {assessment.folds} folds averaged,"


def run_line(run: RunRecord) -> str:
    """Return a run's name, status, trials, time and device in one line."""
    from ceteris.report.numbers import duration

    ended = sum(trial.status in ("finished", "diverged") for trial in run.trials)
    time = duration(run.seconds)
    return f"run {run.id}: {run.status}, {ended} of {len(run.trials)} trials, {time} on {run.device}"


def metric_pairs(levels: Sequence[LevelEvidence]) -> list[tuple[str, ...]]:
    """Return the metrics to show, two for each table: validation, training, then the user's own."""
    known = dict.fromkeys(name for level in levels for name in level.metrics)
    built_in = {name for pair in BUILT_IN for name in pair}
    own = [name for name in known if name not in built_in and _is_measured_on_a_split(name)]
    pairs = [tuple(name for name in pair if name in known) for pair in BUILT_IN]
    pairs += [tuple(own[i : i + 2]) for i in range(0, len(own), 2)]
    return [pair for pair in pairs if pair]


def metric_tables(levels: Sequence[LevelEvidence], width: int = WIDTH) -> Iterator[tuple[str, ...]]:
    """Yield the metrics of each table: one alone where two would break the words of the levels' names."""
    longest = max((len(word) for level in levels for word in level.level.split()), default=0)
    for pair in metric_pairs(levels):
        cells = (cell for metric in pair for cell in _widest(levels, metric))
        fits = longest + sum(BETWEEN + cell for cell in cells) <= width
        yield from [pair] if fits else [(metric,) for metric in pair]


def _widest(levels: Sequence[LevelEvidence], metric: str) -> tuple[int, int]:
    """Return the widths of a metric's two columns."""
    cells = [(metric, "best"), *(_cells(level, metric) for level in levels)]
    return max(len(cell) for cell, _ in cells), max(len(best) for _, best in cells)


def _is_measured_on_a_split(name: str) -> bool:
    return name.startswith(("train_", "val_")) and not name.endswith("_running")


def level_table(levels: Sequence[LevelEvidence], metrics: Sequence[str]) -> Table:
    """Return a row per level with mean, interval and best epoch of the metrics."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    diverged = any(level.diverged for level in levels)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("level", overflow="fold")
    for metric in metrics:
        table.add_column(metric, no_wrap=True)
        if has_best(levels, metric):
            table.add_column("best", no_wrap=True)
    if diverged:
        table.add_column("diverged", justify="right", no_wrap=True)
    for level in levels:
        cells = [cell for metric in metrics for cell in _cells(level, metric)[: 1 + has_best(levels, metric)]]
        lost = [f"{level.diverged} of {level.planned}" if level.diverged else ""] if diverged else []
        table.add_row(Text(level.level), *map(Text, [*cells, *lost]))
    return table


def has_best(levels: Sequence[LevelEvidence], metric: str) -> bool:
    """Tell whether the metric has a best epoch: whether it is known which values are better."""
    return any(level.metrics[metric].best is not None for level in levels if metric in level.metrics)


def _cells(level: LevelEvidence, metric: str) -> tuple[str, str]:
    """Return the cell with the last epoch and that with the best."""
    from ceteris.evidence.wording import numbers

    summary = level.metrics.get(metric)
    if summary is None:
        return "-", "-"
    last, best = summary.last, summary.best
    best_value = last.mean if best is None else best.mean
    if last.low is None or last.high is None:
        mean, best_mean = numbers(last.mean, best_value)
        return mean, best_mean
    mean, low, high, best_mean = numbers(last.mean, last.low, last.high, best_value)
    return f"{mean} [{low}, {high}]", best_mean


def claims_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the claims with their verdicts and what was found."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for verdict in verdicts:
        words = Text.assemble((verdict.text, "bold"), "\n", _sentence(verdict.explanation))
        table.add_row(Text(verdict.words, STYLES[verdict.verdict]), words)
    return table


def _sentence(text: str) -> str:
    """Write a clause as a sentence."""
    ended = text if text.endswith(".") else f"{text}."
    return ended[:1].upper() + ended[1:]


def bulleted(lines: Sequence[str]) -> Table:
    """Return lines with a dash before each, folded beside it."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for line in lines:
        table.add_row("-", Text(line))
    return table
