"""The picture of a search: the score against every searched setting, and the best one so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ceteris.evidence.searched import SearchSummary
from ceteris.spec.labels import format_label
from ceteris.spec.patch import own_path

WIDTH, HEIGHT, COLUMNS = 340, 240, 3
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 34
LOG_FROM = 20.0
"""The axis of scores is logarithmic where the largest is so many times the smallest."""
TICKS = 5
WORDS = 9
"""Letters of a choice that fit under the axis."""


@dataclass(frozen=True)
class Scale:
    """Numbers on an axis: ``at`` gives shares of its length, 0 to 1."""

    at: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]
    """(share, text)."""


def scale(low: float, high: float, *, log: bool) -> Scale:
    """Return an axis from ``low`` to ``high`` with round ticks; powers of ten where it is logarithmic."""
    if log:
        inner = scale(math.log10(low), math.log10(high), log=False)
        first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
        step = max(1, math.ceil((last - first) / TICKS))
        powers = [float(f"1e{power}") for power in range(first, last + 1, step)]
        marks = powers if len(powers) > 1 else [low, high]
        return Scale(
            lambda value: inner.at(math.log10(value)),
            tuple((inner.at(math.log10(mark)), format(mark, ".6g")) for mark in marks),
        )
    span = (high - low) or 1.0
    rough = span / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    round_step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    numbers = range(math.ceil(low / round_step), math.floor(high / round_step) + 1)
    marks = [round_step * k for k in numbers]
    return Scale(
        lambda value: (value - low) / span, tuple(((m - low) / span, format(m, ".4g")) for m in marks)
    )


def search_svg(summary: SearchSummary, space: Mapping[str, Any]) -> str:
    """Return the picture as one SVG, with a panel for every setting and one for the best so far.

    Args:
        summary: what was found.
        space: the recorded space, dotted path -> its range.
    """
    scores = [c.score.mean for c in summary.candidates if c.score is not None]
    if not scores:
        return ""
    low, high = _with_air(scores)
    up = scale(low, high, log=low > 0 and high > LOG_FROM * low)
    panels = [_scatter(summary, own_path(name), dimension, up) for name, dimension in space.items()]
    panels.append(_so_far(summary))
    rows = -(-len(panels) // COLUMNS)
    width, height = min(len(panels), COLUMNS) * WIDTH, rows * HEIGHT
    body = [
        f'<g transform="translate({place % COLUMNS * WIDTH},{place // COLUMNS * HEIGHT})">{panel}</g>'
        for place, panel in enumerate(panels)
    ]
    label = quoteattr(
        f"{summary.metric} against every searched setting, and the best so far; the numbers "
        "stand in the table below"
    )
    head = f'<svg class="search-plot" viewBox="0 0 {width} {height}" role="img" aria-label={label}>'
    return f"{head}{''.join(body)}</svg>"


def _with_air(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low > 0 and high > LOG_FROM * low:
        return low / 1.3, high * 1.3
    air = 0.06 * ((high - low) or abs(high) or 1.0)
    return low - air, high + air


def _across(dimension: Mapping[str, Any]) -> tuple[Scale, Callable[[Any], float]]:
    """Return the axis of a setting, and where a value of it stands."""
    choices = dimension.get("choices")
    if choices is not None:
        labels = [format_label(choice) for choice in choices]
        places = {label: (place + 0.5) / len(labels) for place, label in enumerate(labels)}
        ticks = tuple((at, _short(label)) for label, at in places.items())
        return Scale(lambda value: value, ticks), lambda value: places[format_label(value)]
    log = dimension.get("log")
    low, high = next(e for name in ("uniform", "int", "log") if isinstance(e := dimension.get(name), list))
    axis = scale(float(low), float(high), log=bool(log))
    return axis, lambda value: axis.at(float(value))


def _short(label: str) -> str:
    return label if len(label) <= WORDS else f"{label[: WORDS - 1]}…"


def _scatter(summary: SearchSummary, path: str, dimension: Mapping[str, Any], up: Scale) -> str:
    across, place = _across(dimension)
    dots = []
    for candidate in summary.candidates:
        x = place(candidate.values[path])
        words = quoteattr(f"candidate {candidate.number}: {candidate.level}")
        if candidate.score is None:
            dots.append(f'<text class="lost" x="{_x(x):.1f}" y="{TOP + 8}" text-anchor="middle">×</text>')
            continue
        kind = "best" if candidate.level == summary.best else "dot" if candidate.full else "dot early"
        size = 5 if kind == "best" else 3.5
        y = _y(up.at(candidate.score.mean))
        dots.append(f'<circle class="{kind}" cx="{_x(x):.1f}" cy="{y:.1f}" r="{size}" aria-label={words}/>')
    return _frame(f"{summary.metric} against {path}", across, up) + "".join(dots)


def _so_far(summary: SearchSummary) -> str:
    """Draw the best score after each candidate, as the unit that chose it reads it and as others do."""
    full = [c.score.mean for c in summary.candidates if c.full and c.score is not None]
    better = min if summary.better == "lower" else max
    best = [better(full[: count + 1]) for count in range(len(full))]
    lines = {"read": [(r.candidates, r.read) for r in summary.readings]}
    lines["judged"] = [(r.candidates, r.judged) for r in summary.readings]
    if not summary.readings:
        lines = {"read": list(enumerate(best, start=1))}
    values = [value for line in lines.values() for _, value in line]
    if not values:
        return ""
    low, high = _with_air(values)
    up = scale(low, high, log=low > 0 and high > LOG_FROM * low)
    across = scale(1.0, float(max(2, *(count for line in lines.values() for count, _ in line))), log=False)
    drawn = []
    for name, line in lines.items():
        points = " ".join(f"{_x(across.at(count)):.1f},{_y(up.at(value)):.1f}" for count, value in line)
        drawn.append(f'<polyline class="{name}" points="{points}"/>')
    one = summary.unit[:-1]
    key = f"solid: on the {one} that chose; dashed: on the others" if summary.readings else ""
    words = f'<text class="soft" x="{LEFT}" y="{HEIGHT - 4}">{escape(key)}</text>' if key else ""
    return _frame("best so far, by candidates tried", across, up) + "".join(drawn) + words


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(title: str, across: Scale, up: Scale) -> str:
    parts = [f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>']
    for at, text in up.ticks:
        parts.append(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(at):.1f}" y2="{_y(at):.1f}"/>'
            f'<text class="soft" x="{LEFT - 6}" y="{_y(at) + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        )
    for at, text in across.ticks:
        parts.append(
            f'<text class="soft" x="{_x(at):.1f}" y="{HEIGHT - BOTTOM + 15}" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
    return "".join(parts)
