"""Plans of small trials, and what their training emits."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from ceteris.data.preparation import Preparation
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.train import numerics
from ceteris.train.loop import train_cohort
from ceteris.train.messages import Checkpoint, EpochMeasured, Message, Progress, State, TrialEnded
from ceteris.train.plan import Cohort, Modules, TrialPlan, group_trials

SMALL: dict[str, Any] = {
    "data": {"source": "digits"},
    "model": {"kind": "mlp", "hidden": [16]},
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "epochs": 2,
}


def plan(name: str, seed: int = 0, fold: int = 0, folds: Folds | None = None, **settings: Any) -> TrialPlan:
    return TrialPlan(name, name, {}, seed, fold, Experiment(**(SMALL | settings)), folds)


def cohorts(
    plans: Iterable[TrialPlan], preparation: Preparation, nets: Modules = MappingProxyType({})
) -> tuple[Cohort, ...]:
    plans = tuple(plans)
    rows = {
        p.identity: len(preparation.prepare(p.experiment.data, p.seed, p.fold, p.folds).split.train)
        for p in plans
    }
    return group_trials(plans, preparation.dataset, rows, nets)


@dataclass
class Outcome:
    """All that a training run emitted."""

    messages: list[Message] = field(default_factory=list)
    kept: list[Checkpoint] = field(default_factory=list)
    """Copies of all checkpoints."""
    kept_after: list[int] = field(default_factory=list)
    """How many messages came before each of them."""

    def keep(self, checkpoints: Iterable[Checkpoint]) -> None:
        for checkpoint in checkpoints:
            self.kept.append(pickle.loads(pickle.dumps(checkpoint)))
            self.kept_after.append(len(self.messages))

    def states(self, epochs: int) -> dict[str, State]:
        """Return the newest states of members with so many epochs behind them."""
        return {own.identity: own.arrays for own in self.kept if own.epochs == epochs}

    @property
    def ended(self) -> Mapping[str, TrialEnded]:
        return {m.identity: m for m in self.messages if isinstance(m, TrialEnded)}

    @property
    def progress(self) -> list[Progress]:
        return [m for m in self.messages if isinstance(m, Progress)]

    @property
    def epochs(self) -> list[EpochMeasured]:
        return [m for m in self.messages if isinstance(m, EpochMeasured)]

    def curve(self, identity: str, name: str) -> np.ndarray:
        epochs = [m for m in self.messages if isinstance(m, EpochMeasured) and identity in m.rows]
        return np.array([m.rows[identity][m.names.index(name)] for m in epochs])

    def final(self, identity: str) -> np.ndarray:
        return np.concatenate([t.reshape(-1) for t in self.ended[identity].final.values()])


Train = Callable[..., Outcome]


def run_plans(
    plans: Iterable[TrialPlan],
    preparation: Preparation,
    nets: Modules = MappingProxyType({}),
    **options: Any,
) -> Outcome:
    outcome = Outcome()
    numerics.prepare_process()
    try:
        for cohort in cohorts(plans, preparation, nets):
            train_cohort(cohort, preparation, emit=outcome.messages.append, **options)
    finally:
        torch.set_flush_denormal(False)  # hypothesis draws denormal numbers
    return outcome


def assert_equal(one: Outcome, other: Outcome) -> None:
    """Assert that two trainings of the same trials emitted the same bits."""
    assert one.ended.keys() == other.ended.keys()
    for name, ended in one.ended.items():
        assert ended.diverged_step == other.ended[name].diverged_step
        np.testing.assert_array_equal(one.final(name), other.final(name))
    for mine, theirs in zip(one.epochs, other.epochs, strict=True):
        assert mine.names == theirs.names
        for name, row in mine.rows.items():
            np.testing.assert_array_equal(row, theirs.rows[name])
