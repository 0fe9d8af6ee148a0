"""Which batches, steps and epochs do not fit the rows that train, told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from ceteris.data.dataset import Dataset
from ceteris.nets.architecture import Architecture
from ceteris.spec.experiment import Experiment
from ceteris.spec.schedule import OneCycle
from ceteris.train.plan import steps_per_epoch

Found = tuple[str, str]
"""Dotted path and message of a problem."""
ROUNDING = 1e-9


def batch_problems(
    experiment: Experiment, dataset: Dataset, net: Architecture | None, rows: int, place: str
) -> Iterator[Found]:
    """Yield why ``rows`` training rows cannot be cut into an experiment's batches and steps.

    Args:
        experiment: whose batches they are.
        dataset: where the rows come from.
        net: its network, where that is known.
        rows: how many rows train.
        place: said of the rows, such as `` in fold 2``; may be empty.
    """
    size = experiment.batch_size
    if size > rows:
        yield (
            "experiment.batch_size",
            f"a batch of {size:,} rows cannot be filled: there are {rows:,} training rows of "
            f"`{dataset.name}`{place}; use at most {rows:,}",
        )
        return
    batches = steps_per_epoch(rows, size, experiment.last_batch)
    if experiment.accumulate > batches:
        yield (
            "experiment.accumulate",
            f"a step of {experiment.accumulate:,} batches cannot be filled: {rows:,} training rows{place} "
            f"make {batches:,} of {size:,}; use at most {batches:,}",
        )
    if net is None or not net.normalises_batches:
        return
    if size == 1:
        yield "experiment.batch_size", "batch norm needs at least 2 rows in a batch"
    elif rows % size == 1 and experiment.last_batch == "keep":
        yield (
            "experiment.batch_size",
            f"{rows:,} training rows{place} in batches of {size:,} leave a last batch of one row, which "
            "batch norm cannot normalise; set `last_batch: drop` (or `fill`) or choose another batch size",
        )


def warm_up_problems(experiment: Experiment) -> Iterator[Found]:
    """Yield why a rate would never come to its value: training ends before the warm-up does."""
    schedule, epochs = experiment.schedule, experiment.epochs
    if not isinstance(schedule, OneCycle) and schedule.warmup > epochs * (1 + ROUNDING):
        trained = "1 epoch" if epochs == 1 else f"{epochs:,} epochs"
        yield (
            "experiment.schedule.warmup",
            f"a warm-up of {schedule.warmup:g} epochs does not end within a training of {trained}; use at "
            f"most {epochs:,}",
        )
