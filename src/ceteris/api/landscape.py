"""The loss around the networks of a run: pictures over two directions, and how flat the minima are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.choice import finished_trials, level_label
from ceteris.api.final_rows import final_rows_of
from ceteris.api.landscape_look import DIRECTIONS, RADII, Look, along_weights, at_random, flatness, rows_for
from ceteris.api.landscape_views import Landscape
from ceteris.errors import CeterisError, Problem, unknown_name

if TYPE_CHECKING:
    from ceteris.api.own_modules import OwnModel
    from ceteris.records.views import RunRecord, TrialRecord

FILE_NAME = "landscape.json"
MOST_LEVELS, MOST_SEEDS = 12, 10
"""What is looked at, at most: levels, and seeds of each."""
LEAST_POINTS, MOST_POINTS = 5, 101
FEWEST_ROWS, MOST_ROWS = 10, 100_000


def run_landscape(
    run: RunRecord,
    *,
    level: object = None,
    weights: Sequence[str] | None = None,
    radius: float = 1.0,
    points: int = 21,
    seed: int = 0,
    rows: int | None = None,
    data_dir: str | Path | None = None,
    model: OwnModel | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Landscape:
    """Compute the loss around the networks of a run, and keep it beside the run for its report.

    Args:
        run: the recorded run.
        level: one level; else the first `MOST_LEVELS`.
        weights: two weights to look along, ``head.weight[0,0]``; else two random directions.
        radius: how far the picture of random directions goes, in shares of each filter's norm.
        points: of the picture along each direction.
        seed: of the random directions.
        rows: training and validation rows that losses are computed on, at most and evenly chosen; else from
            200 to 1,000, the fewer the larger the largest network is.
        data_dir: where the data lies, if not where it lay.
        model: what makes the network, where it is one of the user's own.
        progress: told how many points were computed, of how many.

    Raises ``CeterisError`` where nothing finished, for settings that cannot be, and where data is gone.
    """
    from ceteris.api.networks import recorded_network
    from ceteris.train.landscape import one_thread

    _check(weights, radius, points, rows)
    by_level = _trials(run, level)
    sets = final_rows_of(run, data_dir)
    firsts = [recorded_network(run, own[0], "final", model) for own in by_level.values()]
    most = rows or rows_for([dict(network.named_parameters()) for network in firsts])
    looks = {label: [Look(run, trial, sets, model, most) for trial in own] for label, own in by_level.items()}
    first = [own[0] for own in looks.values()]
    trials = sum(map(len, looks.values()))
    done = _Counter(len(first) * points**2 + trials * DIRECTIONS * len(RADII), progress).add
    with one_thread():
        slices = (
            along_weights(first, weights, points, done)
            if weights
            else at_random(first, radius, points, seed, done)
        )
        flat = flatness(looks, seed, done)
    found = Landscape(
        run=run.id,
        axes=(weights[0], weights[1]) if weights else ("direction 1", "direction 2"),
        random=not weights,
        seed=seed,
        rows=most,
        slices=tuple(slices),
        flatness=tuple(flat),
    )
    _keep(run, found)
    return found


class _Counter:
    """Counts points that were computed, and tells how many of how many."""

    def __init__(self, total: int, tell: Callable[[int, int], None] | None) -> None:
        self._total, self._tell, self._done = total, tell, 0

    def add(self, points: int) -> None:
        """Count points that were computed."""
        self._done += points
        if self._tell is not None:
            self._tell(self._done, self._total)


def kept_landscape(run: RunRecord) -> dict[str, Any] | None:
    """Return what was computed last for a run, as plain JSON; None where nothing was or it cannot be read."""
    try:
        found = json.loads((run.folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _keep(run: RunRecord, found: Landscape) -> None:
    from ceteris.records.folders import write_whole

    content = json.dumps(found.to_dict(), allow_nan=False, separators=(",", ":"))
    write_whole(run.folder / FILE_NAME, content.encode())


def _check(weights: Sequence[str] | None, radius: float, points: int, rows: int | None) -> None:
    problems = [
        Problem(f"a value of type {type(value).__name__} is no number", where=name)
        for name, value in (("radius", radius), ("points", points), ("rows", rows))
        if not isinstance(value, int | float | None)
    ]
    if problems:
        raise CeterisError(problems)
    named = list(weights) if isinstance(weights, tuple | list) else []
    if weights is not None and (len(named) != 2 or named[0] == named[1]):
        message = "a picture needs two different weights, such as `head.weight[0,0]` and `head.weight[0,1]`"
        problems.append(Problem(message, where="weights"))
    if not (math.isfinite(radius) and radius > 0):
        problems.append(Problem(f"{radius:g} is not a radius; it must be above 0", where="radius"))
    if not LEAST_POINTS <= points <= MOST_POINTS:
        message = f"{points} is not a number of points; it must be from {LEAST_POINTS} to {MOST_POINTS}"
        problems.append(Problem(message, where="points"))
    if rows is not None and not FEWEST_ROWS <= rows <= MOST_ROWS:
        message = f"{rows:,} is not a number of rows; it must be from {FEWEST_ROWS} to {MOST_ROWS:,}"
        problems.append(Problem(message, where="rows"))
    if problems:
        raise CeterisError(problems)


def _trials(run: RunRecord, level: object) -> dict[str, list[TrialRecord]]:
    """Return the finished trials to look at by level: one fold of each seed."""
    found: dict[str, dict[int, TrialRecord]] = {}
    for trial in finished_trials(run, "look around"):
        found.setdefault(trial.level, {}).setdefault(trial.seed, trial)
    if level is not None:
        label = level_label(level)
        if label not in found:
            raise CeterisError(unknown_name("level", label, list(found)))
        found = {label: found[label]}
    return {label: list(own.values())[:MOST_SEEDS] for label, own in list(found.items())[:MOST_LEVELS]}
