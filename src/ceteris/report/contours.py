"""Contours of a function on a grid, as SVG that takes the page's colours and stands alone as well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, product
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from ceteris.report.numbers import plain

Array = NDArray[np.float64]
Point = tuple[float, float]
Segment = tuple[Point, Point]

SIZE, LEFT, RIGHT, TOP, BOTTOM = 300, 52, 12, 26, 44
"""Of a panel's frame and its margins, in pixels."""
TITLE_LINE, TITLE_LETTERS = 17, 42
"""The height of a line of a title, in pixels, and how many letters fit into it."""
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Noto Sans CJK SC', sans-serif"
STROKES = {"loss": "var(--accent, #2d47b5)", "penalty": "var(--no, #9b2c1f)"}
INK, SOFT, LINE = "var(--ink, #1b1f27)", "var(--soft, #5b6270)", "var(--line, #dfe2e8)"


@dataclass(frozen=True, eq=False)
class Field:
    """A function on the grid, its contours' values, and which colour they have."""

    kind: str
    """``loss`` or ``penalty``."""
    values: Array
    """(len(y), len(x)); NaN where it is not finite."""
    levels: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Panel:
    """One plane: its axes, the functions on it, and points that are marked."""

    title: str
    x: Array
    y: Array
    names: tuple[str, str]
    fields: tuple[Field, ...]
    dot: Point
    """The trained weights."""
    cross: Point | None
    """Where the loss is lowest on the grid."""


def contour_levels(grids: Sequence[Array], count: int = 9) -> tuple[float, ...]:
    """Return values for contours that part the finite values of some grids into about equal shares."""
    pooled = np.concatenate([grid.ravel() for grid in grids])
    finite = pooled[np.isfinite(pooled)]
    if not len(finite):
        return ()
    found = np.quantile(finite, np.linspace(0.04, 0.94, count))
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in found))


def contour(x: Array, y: Array, values: Array, level: float) -> list[Segment]:
    """Return the segments at which cells cross ``level`` (marching squares).

    Args:
        x: (n,) ascending; y: (m,) ascending; values: (m, n). No cell with a corner
            that is not finite is crossed.
    """
    found: list[Segment] = []
    for i, k in product(range(len(y) - 1), range(len(x) - 1)):
        corners = (values[i, k], values[i, k + 1], values[i + 1, k + 1], values[i + 1, k])
        if not all(map(math.isfinite, corners)) or not min(corners) < level <= max(corners):
            continue
        places = ((x[k], y[i]), (x[k + 1], y[i]), (x[k + 1], y[i + 1]), (x[k], y[i + 1]))
        crossed = [
            _between(places[c], places[(c + 1) % 4], corners[c], corners[(c + 1) % 4], level)
            for c in range(4)
            if (corners[c] < level) != (corners[(c + 1) % 4] < level)
        ]
        if len(crossed) == 4 and (sum(corners) / 4 < level) != (corners[0] < level):
            crossed = [crossed[3], *crossed[:3]]  # a saddle whose middle belongs to the other corners
        found += [(crossed[c], crossed[c + 1]) for c in range(0, len(crossed), 2)]
    return found


def _between(first: Point, second: Point, low: float, high: float, level: float) -> Point:
    share = (level - low) / (high - low)
    return (first[0] + share * (second[0] - first[0]), first[1] + share * (second[1] - first[1]))


def contour_svg(panel: Panel) -> str:
    """Return a panel as an SVG element with its title, axes, contours and marks."""
    width, height = LEFT + SIZE + RIGHT, contour_height(panel)
    lines = _title_lines(panel)
    above = TITLE_LINE * (len(lines) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 {-above} {width} {height}" role="img" font-family="{FONT}" font-size="11">',
        f"<title>{escape(panel.title)}</title>",
        *(
            f'<text x="{LEFT}" y="{y}" font-size="13" fill="{INK}">{escape(line)}</text>'
            for y, line in zip(count(16 - above, TITLE_LINE), lines, strict=False)
        ),
        *_axes(panel),
    ]
    for field in panel.fields:
        parts += _field(panel, field)
    parts += [*_marks(panel), "</svg>"]
    return "".join(parts)


def contour_height(panel: Panel) -> int:
    """Return how high the picture of a panel is, in pixels: a long title has several lines."""
    return TOP + SIZE + BOTTOM + TITLE_LINE * (len(_title_lines(panel)) - 1)


def _title_lines(panel: Panel) -> list[str]:
    return wrap(panel.title, TITLE_LETTERS) or [""]


def _at(panel: Panel, point: Point) -> Point:
    """Return where a point of the plane stands in the picture."""
    x = LEFT + SIZE * (point[0] - panel.x[0]) / (panel.x[-1] - panel.x[0])
    y = TOP + SIZE * (panel.y[-1] - point[1]) / (panel.y[-1] - panel.y[0])
    return float(x), float(y)


def _axes(panel: Panel) -> Iterator[str]:
    yield (f'<rect x="{LEFT}" y="{TOP}" width="{SIZE}" height="{SIZE}" fill="none" style="stroke: {LINE}"/>')
    for tick in _ticks(panel.x):
        x, _ = _at(panel, (tick, panel.y[0]))
        yield (
            f'<text x="{x:.1f}" y="{TOP + SIZE + 15}" text-anchor="middle" fill="{SOFT}">'
            f"{plain(tick, 3)}</text>"
        )
    for tick in _ticks(panel.y):
        _, y = _at(panel, (panel.x[0], tick))
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{SOFT}">{plain(tick, 3)}</text>'
    middle = TOP + SIZE / 2
    yield (
        f'<text x="{LEFT + SIZE / 2}" y="{TOP + SIZE + 34}" text-anchor="middle" fill="{SOFT}">'
        f"{escape(panel.names[0])}</text>"
        f'<text x="12" y="{middle}" text-anchor="middle" fill="{SOFT}" '
        f'transform="rotate(-90 12 {middle})">{escape(panel.names[1])}</text>'
    )


def _ticks(axis: Array) -> list[float]:
    """Return round numbers inside an axis, three to six of them."""
    span = float(axis[-1] - axis[0])
    power = 10 ** math.floor(math.log10(span))
    step = next(k * power for k in (0.2, 0.25, 0.5, 1, 2) if span / (k * power) <= 6)
    first = math.ceil(axis[0] / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(axis[-1] / step + 1e-9) + 1)]


def _field(panel: Panel, field: Field) -> Iterator[str]:
    for place, level in enumerate(field.levels):
        segments = contour(panel.x, panel.y, field.values, level)
        if not segments:
            continue
        path = "".join(
            f"M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}"
            for a, b in ((_at(panel, one), _at(panel, other)) for one, other in segments)
        )
        faint = 1 - 0.6 * place / max(len(field.levels) - 1, 1)
        yield (
            f'<path d="{path}" fill="none" stroke-width="1.3" class="contour-{field.kind}" '
            f'style="stroke: {STROKES[field.kind]}; stroke-opacity: {faint:.2f}">'
            f"<title>{field.kind} {plain(level, 3)}</title></path>"
        )
        if field.kind == "loss" and place % 2 == 0:
            yield _label(panel, segments, level)


def _label(panel: Panel, segments: Sequence[Segment], level: float) -> str:
    """Return the value of a contour beside it, where it passes nearest to the right of the solution."""
    dot = _at(panel, panel.dot)
    middles = [_at(panel, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)) for a, b in segments]
    x, y = min(middles, key=lambda p: abs(p[1] - dot[1]) + (0 if p[0] > dot[0] else SIZE))
    left, base = min(x + 2, LEFT + SIZE - 24), max(y - 2, TOP + 9)
    return f'<text x="{left:.1f}" y="{base:.1f}" font-size="9" fill="{SOFT}">{plain(level, 3)}</text>'


def _marks(panel: Panel) -> Iterator[str]:
    if panel.cross is not None:
        x, y = _at(panel, panel.cross)
        yield (
            f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" style="stroke: {INK}" stroke-width="1.6" '
            'fill="none"><title>lowest loss on this grid</title></path>'
        )
    x, y = _at(panel, panel.dot)
    yield (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" style="fill: {INK}"><title>trained weights</title></circle>'
    )
