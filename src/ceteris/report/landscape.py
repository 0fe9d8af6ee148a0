"""The section on the loss around trained weights: contours, and how flat the minima are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ceteris.report.contours import Field, Panel, contour_height, contour_levels, contour_svg
from ceteris.report.numbers import plain, with_interval

COLUMNS = (
    "Radius",
    "Rise of the training loss",
    "Largest among the directions",
    "Against the first level",
    "Seeds",
)

SIDES = {"train": "training loss", "validation": "validation loss"}


@dataclass(frozen=True)
class LandscapeSection:
    """What the section shows, worded; the pictures are SVG of our own making, with text escaped."""

    hint: str
    pictures: tuple[Markup, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def landscape_section(found: Mapping[str, Any] | None) -> LandscapeSection | None:
    """Word what ``ceteris landscape`` computed (``Landscape.to_dict``); None where nothing was."""
    if found is None:
        return None
    return LandscapeSection(
        hint=_hint(found),
        pictures=tuple(Markup(contour_svg(panel)) for panel in panels(found)),
        columns=COLUMNS,
        rows=tuple((one["level"], _cells(one)) for one in found["flatness"]),
    )


def landscape_svg(found: Mapping[str, Any]) -> str:
    """Return all pictures as one SVG document, on a white ground."""
    drawn = panels(found)
    pictures = [contour_svg(panel) for panel in drawn]
    columns = min(len(pictures), 2)
    width, height = 370, 6 + max(map(contour_height, drawn), default=0)
    rows = -(-len(pictures) // columns)
    placed = "".join(
        f'<g transform="translate({width * (k % columns)} {height * (k // columns)})">{picture}</g>'
        for k, picture in enumerate(pictures)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * columns}" height="{height * rows}" '
        f'viewBox="0 0 {width * columns} {height * rows}"><rect width="100%" height="100%" fill="#ffffff"/>'
        f"{placed}</svg>\n"
    )


def panels(found: Mapping[str, Any]) -> list[Panel]:
    """Return a panel for the training rows of every level, with the penalty, and one for validation rows."""
    grids = [_array(one[side]) for one in found["slices"] for side in SIDES if one[side]]
    shared = contour_levels(grids) if found["random"] else None
    return [
        _panel(found, one, side, title, shared)
        for one in found["slices"]
        for side, title in SIDES.items()
        if one[side]
    ]


def _panel(
    found: Mapping[str, Any], one: Mapping[str, Any], side: str, title: str, levels: tuple[float, ...] | None
) -> Panel:
    x, y, values = np.array(one["a"]), np.array(one["b"]), _array(one[side])
    fields = [Field("loss", values, contour_levels([values]) if levels is None else levels)]
    if one["penalty"] and side == "train":
        penalty = _array(one["penalty"])
        fields.insert(0, Field("penalty", penalty, contour_levels([penalty], 6)))
        title = "training loss and penalty"
    lowest = np.unravel_index(np.nanargmin(values), values.shape) if np.isfinite(values).any() else None
    return Panel(
        title=f"{one['level']}: {title}",
        x=x,
        y=y,
        names=(found["axes"][0], found["axes"][1]),
        fields=tuple(fields),
        dot=(float(one["at"][0]), float(one["at"][1])),
        cross=None if lowest is None else (float(x[lowest[1]]), float(y[lowest[0]])),
    )


def _array(grid: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    return np.array([[np.nan if value is None else value for value in row] for row in grid])


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    against = with_interval(one["difference"], one["difference_low"], one["difference_high"], signed=True)
    return (
        f"{one['radius']:g}",
        with_interval(one["rise"], one["low"], one["high"]),
        plain(one["largest"]),
        against,
        f"{one['seeds']}",
    )


def _hint(found: Mapping[str, Any]) -> str:
    seed = found["slices"][0]["seed"] if found["slices"] else 0
    if found["random"]:
        where = (
            "two random directions through the trained weights, in which a step of length 1 changes every "
            "filter by its own norm (Li et al. 2018)"
        )
    else:
        where = (
            f"{found['axes'][0]} and {found['axes'][1]}, all other parameters held at their trained values"
        )
    same = ", the same in all pictures" if found["random"] else ""
    red = " Red: contours of the penalty." if any(one["penalty"] for one in found["slices"]) else ""
    return (
        f"The data loss, without penalty, over {where}, for seed {seed}. Numbers beside contours are "
        f"losses{same}. Dot: the trained weights; cross: the lowest loss on the grid.{red} "
        f"{_rows(found)}The table tells how far the training loss rises in random directions: the less, the "
        "flatter."
    )


def _rows(found: Mapping[str, Any]) -> str:
    """Say on how many rows it was computed; records from before this was kept do not know."""
    rows = found.get("rows")
    return f"Computed on {rows:,} training and validation rows each, or on all if fewer. " if rows else ""
