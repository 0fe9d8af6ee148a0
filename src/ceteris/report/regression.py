"""Figures of regressions: residuals against predictions, and learned against true coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.report.extras import Coefficients, Predicted
from ceteris.report.numbers import counted, plain, rounded

Array = NDArray[np.float64]

MOST_POINTS = 3_000
"""Residuals that a page draws at most, over all levels."""
MOST_WRITTEN = 30
"""Coefficients that are written out in a table at most."""
RESIDUAL_COLUMNS = ("Rows", "Mean residual", "Their spread", "Root mean square", "Largest", "R²")


@dataclass(frozen=True)
class Residuals:
    """The section on residuals: what is drawn, and a row of numbers for each level."""

    hint: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    drawn: dict[str, Any]


@dataclass(frozen=True)
class CoefficientFigure:
    """The section on coefficients: what is drawn, how far each level is off, and single coefficients."""

    hint: str
    errors: tuple[tuple[str, tuple[str, ...]], ...]
    """Level, trials, root mean square and largest distance from the truth."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Coefficient, then its true value and that of each level; empty where there are too many."""
    drawn: dict[str, Any]


def residuals(found: Sequence[Predicted], labels: Sequence[str]) -> Residuals | None:
    """Lay out residuals (target minus prediction); None where nothing was predicted."""
    usable = [one for one in found if one.level in labels and np.isfinite(one.predictions).all()]
    if not usable:
        return None
    each = max(MOST_POINTS // len(usable), 1)
    points = [
        {"level": labels.index(one.level), "points": _points(one.predictions, one.targets, each)}
        for one in usable
    ]
    return Residuals(
        hint=_residual_hint(usable, each, len(labels)),
        columns=RESIDUAL_COLUMNS,
        rows=tuple((one.level, _residual_row(one.predictions, one.targets)) for one in usable),
        drawn={"series": points},
    )


def _points(predictions: Array, targets: Array, most: int) -> list[list[float | None]]:
    """Return at most ``most`` points (prediction, residual), evenly chosen by their prediction."""
    flat, errors = predictions.ravel(), (targets - predictions).ravel()
    order = np.argsort(flat, kind="stable")
    if len(order) > most:
        order = order[np.linspace(0, len(order) - 1, most).round().astype(np.int64)]
    return [[rounded(float(flat[k]), 5), rounded(float(errors[k]), 5)] for k in order]


def _residual_row(predictions: Array, targets: Array) -> tuple[str, ...]:
    errors = targets - predictions
    total = float(np.square(targets - targets.mean(axis=0)).sum())
    share = 1 - float(np.square(errors).sum()) / total if total > 0 else None
    spread = float(errors.std(ddof=1)) if errors.size > 1 else None
    root = float(np.sqrt(np.square(errors).mean()))
    numbers = (float(errors.mean()), spread, root, float(np.abs(errors).max()), share)
    return (f"{len(targets):,}", *(plain(number) for number in numbers))


def _residual_hint(found: Sequence[Predicted], each: int, levels: int) -> str:
    rows = "validation" if all(one.validated for one in found) else "training"
    seed = f"seed {found[0].seed}"
    thinned = any(one.predictions.size > each for one in found)
    parts = [
        f"Target minus prediction, in the units of the targets, for the {rows} rows of {seed}: "
        "a point for each row, above the line where the network predicts too little."
    ]
    if rows == "training":
        parts.append("No rows validate in this study; on training rows a fit flatters itself.")
    if thinned:
        parts.append(f"{each:,} points of a level are drawn; the table is of all rows.")
    if len(found) < levels:
        parts.append(f"{len(found)} of {counted(levels, 'level')} are shown.")
    return " ".join([*parts, "The legend above the curves switches levels here too."])


def coefficients(found: Sequence[Coefficients], labels: Sequence[str]) -> CoefficientFigure | None:
    """Lay out learned coefficients beside the true ones; None where no truth is known."""
    usable = [one for one in found if one.level in labels and len(one.learned)]
    if not usable:
        return None
    names = max((one.names for one in usable), key=len)
    most = max(len(one.learned) for one in usable)
    spread = "the line from the smallest to the largest" if most > 1 else "here there is one"
    written = _written(names, usable) if len(names) <= MOST_WRITTEN else ()
    return CoefficientFigure(
        hint="Weights of linear networks after training, for inputs in the units of the data. Dot: mean over "
        f"the trials of a level; {spread}. Bar across: the coefficient that the rows were drawn from. "
        "The legend above the curves switches levels here too.",
        errors=tuple((one.level, _error_row(one)) for one in usable),
        columns=("True", *(one.level for one in usable)) if written else (),
        rows=written,
        drawn={"names": list(names), "levels": [_drawn(one, labels, names) for one in usable]},
    )


def _drawn(one: Coefficients, labels: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    sides = (one.truth, one.learned.mean(axis=0), one.learned.min(axis=0), one.learned.max(axis=0))
    return {
        "level": labels.index(one.level),
        "points": [
            [names.index(name), *(rounded(float(side[k]), 5) for side in sides)]
            for k, name in enumerate(one.names)
        ],
    }


def _error_row(one: Coefficients) -> tuple[str, ...]:
    errors = one.learned - one.truth
    root = float(np.sqrt(np.square(errors).mean()))
    return f"{len(errors)}", plain(root), plain(float(np.abs(errors).max()))


def _written(names: Sequence[str], found: Sequence[Coefficients]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    cells: Mapping[str, dict[str, tuple[str, str]]] = {name: {} for name in names}
    for one in found:
        for k, name in enumerate(one.names):
            cells[name][one.level] = plain(float(one.truth[k])), _mean_and_spread(one.learned[:, k])
    rows = []
    for name in names:
        truths = tuple(dict.fromkeys(true for true, _ in cells[name].values()))
        own = tuple(cells[name].get(one.level, ("", "–"))[1] for one in found)
        rows.append((name, (" or ".join(truths), *own)))
    return tuple(rows)


def _mean_and_spread(values: Array) -> str:
    mean = plain(float(values.mean()))
    return mean if len(values) < 2 else f"{mean} ± {plain(float(values.std(ddof=1)), 2)}"
