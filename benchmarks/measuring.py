"""Rounds: in each, every contestant is measured once, so that all meet the machine in the same state."""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.contestants import CETERIS, LOOP, Contestant
from benchmarks.processes import ContestantProcess, Order, Unable
from benchmarks.task import Outcome
from benchmarks.workloads import Stack, Workload

MOST_TRIES = 3
"""So often the speed of Ceteris is tried before it is measured."""

Seat = tuple[str, Stack]
"""A contestant's name and the stack that it trains."""


@dataclass
class Found:
    """The measurements of a workload by seat, and why some contestants have none."""

    outcomes: dict[Seat, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    unable: dict[str, Unable] = field(default_factory=dict)


def measure(
    workload: Workload,
    processes: Sequence[ContestantProcess],
    repeats: int,
    peer_repeats: int,
    seconds: float,
) -> Found:
    """Measure a workload in rounds, after a warm-up of everybody that is not counted.

    Ceteris trains about ``seconds`` in a measurement, so that the start of its workers is in proportion.
    """
    found = Found()
    epochs: dict[Stack, int] = {}
    for number in range(repeats):
        for process in processes:
            contestant = process.contestant
            if contestant.name in found.unable or (contestant.peer and number >= peer_repeats):
                continue
            for stack in workload.stacks if contestant.stacks else workload.stacks[:1]:
                if contestant == CETERIS and stack not in epochs:
                    epochs[stack] = _epochs_of_ceteris(process, workload, stack, seconds)
                wanted = epochs.get(stack, 0) if contestant == CETERIS else 0
                order = Order(workload, stack, number * stack.seeds, wanted, warm_up=number == 0)
                outcome = _timed(process, order)
                if isinstance(outcome, Unable):
                    found.unable[contestant.name] = outcome
                    break
                found.outcomes[contestant.name, stack if contestant.stacks else Stack(1, 1)].append(outcome)
    return found


def _epochs_of_ceteris(process: ContestantProcess, workload: Workload, stack: Stack, seconds: float) -> int:
    """Choose how many epochs fill the time; tries that are not counted tell the speed.

    A short try tells more of the start of workers than of training, so a longer one follows it.
    """
    epochs = 0
    for number in range(MOST_TRIES):
        tried = _timed(process, Order(workload, stack, 0, epochs, warm_up=number == 0))
        if isinstance(tried, Unable):
            return 0
        epochs = round(seconds * tried.epochs / tried.seconds)
        if tried.seconds > seconds / 2:
            break
    return epochs


def _timed(process: ContestantProcess, order: Order) -> Outcome | Unable:
    begin = time.perf_counter()
    outcome = process.train(order)
    took = time.perf_counter() - begin
    title = process.contestant.title
    stack = f", {order.stack.name}" if process.contestant.stacks else ""
    said = outcome.reason if isinstance(outcome, Unable) else f"{outcome.speed:.3g} model-epochs/s"
    print(f"{order.workload.name}{stack}: {title}: {said} ({took:.1f} s)", file=sys.stderr, flush=True)
    return outcome


def rows_of(workload: Workload, found: Found, contestants: Mapping[str, Contestant]) -> list[dict[str, Any]]:
    """Summarise a workload: a row per stack, with an entry per contestant as plain data."""
    return [
        {
            "workload": workload.name,
            "stack": stack.name,
            "members": stack.members,
            "goal": stack.goal,
            "contestants": {
                name: _entry(_seat(contestant, stack), found, workload.score_tolerance)
                for name, contestant in contestants.items()
            },
        }
        for stack in workload.stacks
    ]


def _seat(contestant: Contestant, stack: Stack) -> Seat:
    return contestant.name, stack if contestant.stacks else Stack(1, 1)


def _entry(seat: Seat, found: Found, tolerance: float) -> dict[str, Any]:
    outcomes = found.outcomes.get(seat, [])
    if not outcomes:
        unable = found.unable.get(seat[0], Unable("it was not measured"))
        return {"reason": unable.reason, "failed": unable.failed}
    loop = found.outcomes.get((LOOP.name, Stack(1, 1)), [])
    ratios = sorted(own.speed / base.speed for own, base in zip(outcomes, loop, strict=False))
    return {
        "model_epochs_per_second": statistics.median(outcome.speed for outcome in outcomes),
        "ratio": statistics.median(ratios) if ratios else None,
        "ratio_low": ratios[0] if ratios else None,
        "ratio_high": ratios[-1] if ratios else None,
        "score": statistics.median(outcome.score for outcome in outcomes),
        "steps_per_epoch": outcomes[0].steps / outcomes[0].epochs,
        "set_up_seconds": statistics.median(outcome.set_up_seconds for outcome in outcomes),
        "differs": difference(outcomes, loop, tolerance),
        "measurements": [asdict(outcome) for outcome in outcomes],
    }


def difference(outcomes: Sequence[Outcome], loop: Sequence[Outcome], tolerance: float) -> str:
    """Say how this is other work than the loop's; "" where it is the same."""
    if not loop:
        return ""
    steps, expected = (own[0].steps / own[0].epochs for own in (outcomes, loop))
    if steps != expected:
        return f"{steps:g} steps per epoch instead of {expected:g}"
    score, reference = (statistics.median(outcome.score for outcome in own) for own in (outcomes, loop))
    if not abs(score - reference) <= tolerance:
        return f"a score of {100 * score:.1f} instead of {100 * reference:.1f}"
    return ""
