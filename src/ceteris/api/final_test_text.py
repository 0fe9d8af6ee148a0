"""A final assessment in words and in a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ceteris.api.final_test import FinalTest
    from ceteris.evidence.selection import Mean, Selection


def as_text(found: FinalTest) -> str:
    """Return what a terminal of 80 columns shows, without colours."""
    from rich.console import Console

    from ceteris.api.text import WIDTH

    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None, force_jupyter=False)
    for part in parts(found):
        console.print(part)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())


def parts(found: FinalTest) -> Iterator[RenderableType]:
    """Yield the parts of an assessment from top to bottom."""
    from rich.text import Text

    from ceteris.api.text import bulleted

    yield Text(heading(found), style="bold")
    for names in shown_together(found.selection):
        yield ""
        yield level_rows(found.selection, names)
    yield ""
    yield bulleted(list(sentences(found)))


def heading(found: FinalTest) -> str:
    """Say what was read."""
    return f"Final assessment of run {found.run} on {found.rows:,} test rows of {found.data}"


def sentences(found: FinalTest) -> Iterator[str]:
    """Say what was chosen, how sure that is, by how much choosing flatters, and how often rows were read."""
    from ceteris.evidence.quantities import metric_words

    selection = found.selection
    if selection.metric is None:
        yield f"{selection.chosen} was judged alone: no validation rows chose it"
    words = metric_words(selection.metric or "")
    if len(selection.levels) > 1:
        yield f"the best mean {words} chooses {selection.chosen}{_judged(found)}"
        if selection.seeds > 1:
            yield _agreement(selection)
    if selection.flattery is not None and len(selection.levels) > 1:
        yield (
            f"what a seed chooses by its {words} reads {cell(selection.flattery)} better on the rows that "
            "chose than on the test rows"
        )
    yield from _average(found)
    for level in found.skipped:
        yield f"{level}: no trial finished, so there is nothing to assess"
    yield from found.notes
    times = "once" if found.readings == 1 else f"{found.readings} times"
    yield (
        f"the test rows of this data were read {times} so far; each reading makes the next one less of a test"
    )


def _average(found: FinalTest) -> Iterator[str]:
    """Say what the average of the chosen level's networks is worth as one model."""
    from ceteris.evidence.selection import averaged_sentence

    (level,) = (one for one in found.selection.levels if one.level == found.chosen)
    alone = {name: mean.mean for name, mean in level.test.items()}
    for average in found.averages:
        if average["level"] == found.chosen and (told := averaged_sentence(average, alone)):
            yield told


def _judged(found: FinalTest) -> str:
    """Return what the test rows say of the chosen level."""
    (level,) = (one for one in found.selection.levels if one.level == found.chosen)
    name = "test_accuracy" if "test_accuracy" in level.test else "test_loss"
    if name not in level.test:
        return ""
    return f", whose {name.replace('_', ' ')} is {cell(level.test[name])}"


def _agreement(selection: Selection) -> str:
    from ceteris.evidence.wording import listing

    own = next(level.chosen_by for level in selection.levels if level.level == selection.chosen)
    others = [(level.level, level.chosen_by) for level in selection.levels if level.level != selection.chosen]
    told = [f"{count} {name}" for name, count in others if count]
    first = f"{own} of {selection.seeds} seeds would choose it too"
    return f"{first}; the others would choose another: {listing(told)}" if told else first


def shown_together(selection: Selection) -> list[tuple[str, ...]]:
    """Return the test metrics of each table: the one that the choice was made by first, then two by two."""
    from ceteris.evidence.selection import TEST, VALIDATION

    names = list(dict.fromkeys(name for level in selection.levels for name in level.test))
    if selection.metric is None:
        return [tuple(names[i : i + 2]) for i in range(0, len(names), 2)]
    first = TEST + selection.metric.removeprefix(VALIDATION)
    others = [name for name in names if name != first]
    pairs = [tuple(others[i : i + 2]) for i in range(0, len(others), 2)]
    return [(first,), *pairs] if first in names else [(), *pairs]


def level_rows(selection: Selection, names: tuple[str, ...]) -> Table:
    """Return a row per level with its test metrics; the first table also shows what chose, and how often."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    first = selection.metric is not None and names == shown_together(selection)[0]
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("level", overflow="fold")
    for name in (*([selection.metric or ""] if first else []), *names):
        table.add_column(name, no_wrap=True)
    if first:
        table.add_column("chosen by", justify="right", no_wrap=True)
    for level in selection.levels:
        style = "bold" if level.level == selection.chosen else ""
        cells = [cell(level.test.get(name)) for name in names]
        if first:
            cells = [cell(level.validation), *cells, f"{level.chosen_by} of {selection.seeds}"]
        table.add_row(*(Text(text, style) for text in (level.level, *cells)))
    return table


def cell(mean: Mean | None) -> str:
    """Write a mean with its interval; a dash where there is none."""
    from ceteris.evidence.wording import numbers

    if mean is None:
        return "-"
    if mean.low is None or mean.high is None:
        return numbers(mean.mean)[0]
    middle, low, high = numbers(mean.mean, mean.low, mean.high)
    return f"{middle} [{low}, {high}]"
