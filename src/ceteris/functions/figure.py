"""Small line charts as SVG: one panel per function, its curve and its derivative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from ceteris.functions.entry import Curve

WIDTH, HEIGHT, PAD, COLUMNS = 260, 190, 34, 3
COLOURS = ("#2d47b5", "#b4442f", "#0b6e4f")
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Noto Sans CJK SC', sans-serif"


@dataclass(frozen=True)
class Panel:
    """One chart: lines with names over the same ``x`` (n,)."""

    title: str
    x: Curve
    lines: tuple[tuple[str, Curve], ...]


def figure(title: str, panels: Sequence[Panel]) -> str:
    """Return all panels in a grid as one SVG; curves are cut where they leave the panel's window."""
    rows = -(-len(panels) // COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 30
    body = [
        f'<g transform="translate({i % COLUMNS * WIDTH},{30 + i // COLUMNS * HEIGHT})">{_panel(panel)}</g>'
        for i, panel in enumerate(panels)
    ]
    names = [name for name, _ in panels[0].lines] if panels else []
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(title)}" font-family="{FONT}" font-size="11">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            _legend(names),
            *body,
            "</svg>",
        ]
    )


def _legend(names: Sequence[str]) -> str:
    parts, left = [], PAD
    for name, colour in zip(names, COLOURS, strict=False):
        parts.append(
            f'<line x1="{left}" x2="{left + 18}" y1="15" y2="15" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{left + 24}" y="19" fill="#1b1f27">{escape(name)}</text>'
        )
        left += 40 + 7 * len(name)
    return "".join(parts)


def _panel(panel: Panel) -> str:
    low, high = _window([values for _, values in panel.lines])
    left, right, top, bottom = PAD, WIDTH - 10, 24, HEIGHT - 22

    def across(x: float) -> float:
        return left + (x - float(panel.x[0])) / float(panel.x[-1] - panel.x[0]) * (right - left)

    def up(y: float) -> float:
        return bottom - (y - low) / (high - low) * (bottom - top)

    parts = [f'<text x="{left}" y="14" font-weight="600" fill="#1b1f27">{escape(panel.title)}</text>']
    for y in _ticks(low, high):
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{up(y):.1f}" y2="{up(y):.1f}" stroke="#e3e6eb"/>'
            f'<text x="{left - 4}" y="{up(y) + 4:.1f}" text-anchor="end" fill="#5b6270">{y:g}</text>'
        )
    for x in _ticks(float(panel.x[0]), float(panel.x[-1])):
        parts.append(
            f'<text x="{across(x):.1f}" y="{bottom + 14}" text-anchor="middle" fill="#5b6270">{x:g}</text>'
        )
    for (_, values), colour in zip(panel.lines, COLOURS, strict=False):
        inside = (values >= low) & (values <= high)
        points = [
            f"{across(x):.1f},{up(y):.1f}"
            for x, y, shown in zip(panel.x, values, inside, strict=True)
            if shown
        ]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.8" points="{" ".join(points)}"/>'
        )
    return "".join(parts)


def _window(lines: Sequence[Curve]) -> tuple[float, float]:
    """Return the values that a panel shows: all, with some air around them."""
    values = np.concatenate(lines)
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    air = 0.06 * ((high - low) or 1.0)
    return low - air, high + air


def _ticks(low: float, high: float) -> list[float]:
    """Return three to six round numbers between two."""
    rough = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = int(np.ceil(low / step))
    return [float(round(k * step, 10)) for k in range(first, int(np.floor(high / step)) + 1)]
