"""The section of the report that shows what the test rows said, where they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.quantities import metric_words
from ceteris.evidence.selection import averaged_sentence
from ceteris.report.numbers import counted, with_interval
from ceteris.report.titles import title_of


@dataclass(frozen=True)
class Confusion:
    """Shares of the rows of each true class, by predicted class; rows sum to 1."""

    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """True class and, per predicted class, the share as text and as a number for the shade."""


@dataclass(frozen=True)
class Picture:
    """A test row that is an image, with what it is and what it was taken for."""

    png: str
    words: str


@dataclass(frozen=True)
class FinalTest:
    """Everything that the section shows, worded."""

    hint: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, bool, tuple[str, ...]], ...]
    """Level, whether it was chosen, and its cells."""
    sentences: tuple[str, ...]
    confusion: Confusion | None
    right: tuple[Picture, ...]
    wrong: tuple[Picture, ...]


def final_test(found: Mapping[str, Any] | None) -> FinalTest | None:
    """Word a recorded assessment (``RunRecord.final_test``); None where there is none."""
    if found is None:
        return None
    selection = found["selection"]
    levels = selection["levels"]
    names = list(dict.fromkeys(name for level in levels for name in level["test"]))
    classes = tuple(found["classes"])
    pictures = [(_picture(picture, classes), picture) for picture in found["pictures"]]
    return FinalTest(
        hint=(
            f"{found['rows']:,} test rows of {found['data']}, read for this run on {found['time'][:10]}: "
            f"{counted(found['readings'], 'reading')} of these rows in all. They took no part in training or "
            f"choosing; {_how_chosen(selection)}."
        ),
        headings=_headings(selection, names),
        rows=tuple(_row(level, names, selection) for level in levels),
        sentences=(*_sentences(selection), *_averages(found), *found.get("notes", ())),
        confusion=_confusion(classes, found["confusion"]),
        right=tuple(shown for shown, one in pictures if one["true"] == one["predicted"]),
        wrong=tuple(shown for shown, one in pictures if one["true"] != one["predicted"]),
    )


def _how_chosen(selection: Mapping[str, Any]) -> str:
    if selection["metric"] is None:
        return f"{selection['chosen']} was judged alone, without a choice by validation rows"
    return "the level was chosen by its validation score"


def _headings(selection: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    titles = tuple(map(_title, names))
    if selection["metric"] is None:
        return titles
    return (title_of(selection["metric"]), *titles, "Seeds that choose it")


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _row(
    level: Mapping[str, Any], names: Sequence[str], selection: Mapping[str, Any]
) -> tuple[str, bool, tuple[str, ...]]:
    cells = tuple(_mean(level["test"].get(name)) for name in names)
    if selection["metric"] is not None:
        seeds = f"{level['chosen_by']} of {selection['seeds']}"
        cells = (_mean(level["validation"]), *cells, seeds)
    return level["level"], level["level"] == selection["chosen"], cells


def _mean(mean: Mapping[str, Any] | None) -> str:
    return "–" if mean is None else with_interval(mean["mean"], mean["low"], mean["high"])


def _sentences(selection: Mapping[str, Any]) -> list[str]:
    told = []
    words = metric_words(selection["metric"] or "")
    flattery = selection["flattery"]
    if len(selection["levels"]) > 1 and flattery is not None:
        told.append(
            f"What a seed chooses by its {words} reads {_mean(flattery)} better on the rows that chose than "
            "on the test rows: the more levels are tried, the more a validation score flatters the best."
        )
    errors = [
        mean["sampling_error"]
        for level in selection["levels"]
        if level["level"] == selection["chosen"]
        for mean in level["test"].values()
        if mean["sampling_error"] is not None
    ]
    if errors:
        told.append(
            f"Intervals are over seeds; that the test rows are a sample themselves adds a standard error of "
            f"{errors[0]:.2g} to an accuracy."
        )
    return told


def _averages(found: Mapping[str, Any]) -> list[str]:
    """Say what the average of the chosen level's networks is worth; records from before have none."""
    chosen = found["selection"]["chosen"]
    (level,) = (one for one in found["selection"]["levels"] if one["level"] == chosen)
    alone = {name: mean["mean"] for name, mean in level["test"].items()}
    own = [average for average in found.get("averages", ()) if average["level"] == chosen]
    told = [averaged_sentence(average, alone) for average in own]
    return [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in told if sentence]


def _confusion(classes: tuple[str, ...], counts: Sequence[Sequence[int]]) -> Confusion | None:
    if not counts:
        return None
    rows = []
    for name, row in zip(classes, counts, strict=True):
        total = sum(row)
        shares = [value / total if total else 0.0 for value in row]
        rows.append((name, tuple((share_text(share), share) for share in shares)))
    return Confusion(classes, tuple(rows))


def share_text(share: float) -> str:
    """Write a share in percent; nothing where there is nothing, so that what there is stands out."""
    if share == 0:
        return ""
    return f"{100 * share:.0f}" if share >= 0.01 else "<1"


def _picture(picture: Mapping[str, Any], classes: Sequence[str]) -> Picture:
    true, predicted = classes[picture["true"]], classes[picture["predicted"]]
    words = true if true == predicted else f"{true}, taken for {predicted}"
    return Picture(str(picture["png"]), words)
