"""A trial that goes on from a checkpoint has the bits of one that was never disturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.model import ModuleModel
from ceteris.train import training
from ceteris.train.checkpoints import Pace
from ceteris.train.engine import Engine, StackSpec
from ceteris.train.loop import train_cohort
from ceteris.train.messages import ArraysMeasured, EpochMeasured, State
from ceteris.train.modules.user import inspect_module
from ceteris.train.plan import Cohort, ModuleRequest, TrialPlan, group_trials, module_key
from ceteris.train.tensor.engine import TensorEngine

from .runs import Outcome, cohorts, plan

EPOCHS = 7
MLP: dict[str, Any] = {
    "model": {"kind": "mlp", "hidden": [12, 8], "dropout": 0.3, "batch_norm": True},
    "optimizer": {"kind": "adam", "lr": 0.05},
    "schedule": {"kind": "plateau", "patience": 0, "factor": 0.5, "cooldown": 1},
    "early_stopping": {"patience": 2, "min_delta": 0.1},
    "epochs": EPOCHS,
}
CNN: dict[str, Any] = {
    "model": {"kind": "cnn", "convolutions": [4], "hidden": [8], "dropout": 0.2, "batch_norm": True},
    "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9},
    "batch_size": 128,
    "epochs": 4,
}


def train_from(
    cohort: Cohort, digits: Preparation, begun: Mapping[str, State] | None = None, **options: Any
) -> Outcome:
    outcome = Outcome()
    ways = {"emit": outcome.messages.append, "keep": outcome.keep, "checkpoint_seconds": 0}
    train_cohort(cohort, digits, begun=begun, **(ways | options))
    return outcome


def told(outcome: Outcome, identity: str, begin: int) -> tuple[Any, ...]:
    """Return the bytes of what a trial told from an epoch on, and of its end."""
    epochs = [m for m in outcome.messages if isinstance(m, EpochMeasured) and identity in m.rows]
    rows = [(m.epoch, m.names, m.rows[identity].tobytes()) for m in epochs if m.epoch >= begin]
    end = outcome.ended[identity]
    tensors = [{name: a.tobytes() for name, a in part.items()} for part in (end.initial, end.final)]
    return rows, end.status, end.diverged_step, tensors


def check_every_epoch(cohort: Cohort, digits: Preparation, **options: Any) -> Outcome:
    """Go on after every epoch of a training, the last one too, member by member and all together."""
    whole = train_from(cohort, digits, **options)
    for begin in range(1, cohort.structure.epochs + 1):
        states = whole.states(begin)
        alive = tuple(t for t in cohort.trials if t.identity in states)
        for part in [alive, *([trial] for trial in alive[::2])]:
            if not part:
                continue
            again = train_from(replace(cohort, trials=tuple(part), begin=begin), digits, states, **options)
            for trial in part:
                assert told(again, trial.identity, 0) == told(whole, trial.identity, begin)
    return whole


def test_networks_of_the_compiled_engine_with_all_that_remembers(digits: Preparation) -> None:
    plans = [plan(f"m{seed}", seed, **MLP) for seed in range(3)]
    plans.append(plan("plain", 1, **MLP | {"schedule": {"kind": "constant"}, "early_stopping": {}}))
    # From the fourth epoch on a change is compared with one from before the checkpoint.
    plans.append(plan("change", 2, **MLP | {"early_stopping": {"metric": "train_loss", "min_change": 0.05}}))
    (cohort,) = cohorts(plans, digits)
    whole = check_every_epoch(cohort, digits)
    rates = whole.curve("m0", "lr")
    assert len(set(rates)) > 1, "no plateau was met"
    lengths = {len(whole.curve(p.identity, "lr")) for p in plans}
    assert min(lengths) < EPOCHS, "nobody stopped early"


@pytest.mark.parametrize(
    "optimizers",
    [
        [{"kind": "rmsprop", "lr": 0.01}, {"kind": "rmsprop", "lr": 0.01, "centered": True, "momentum": 0.5}],
        [{"kind": "sgd", "lr": 0.1}, {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "dampening": 0.1}],
        [{"kind": "adagrad", "lr": 0.05, "initial_accumulator_value": 0.1, "lr_decay": 0.01}],
    ],
)
def test_every_optimizer_alone_after_a_stack_that_keeps_more(
    digits: Preparation, optimizers: Sequence[Mapping[str, Any]]
) -> None:
    plans = [plan(f"o{i}", optimizer=own, epochs=3) for i, own in enumerate(optimizers)]
    (cohort,) = cohorts(plans, digits)
    check_every_epoch(cohort, digits)


@pytest.mark.parametrize("settings", [MLP, CNN | {"epochs": 3}], ids=["mlp", "cnn"])
def test_engines_of_devices(
    digits: Preparation, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> Engine:
        if spec.net.runs_as_module:
            from ceteris.train.modules.stacked import StackedModuleEngine

            return StackedModuleEngine(spec, stack, device)
        return TensorEngine(spec, stack, device)

    monkeypatch.setattr(training, "built_in_engine", engine)
    (cohort,) = cohorts([plan(f"t{seed}", seed, **settings) for seed in range(2)], digits)
    whole = train_from(cohort, digits)
    again = train_from(replace(cohort, begin=2), digits, whole.states(2))
    for trial in cohort.trials:
        assert told(again, trial.identity, 0) == told(whole, trial.identity, 2)


CHANGED = {"source": "digits", "rows": 200, "augment": {"flip": True, "shift": 1}}
EVERYTHING: dict[str, dict[str, Any]] = {
    "compiled": {
        "model": {"kind": "mlp", "hidden": [12], "drop_connect": 0.2, "noise": 0.1, "dropout": 0.2},
        "optimizer": {"kind": "adam", "lr": 0.02},
        "schedule": {"kind": "one_cycle"},
        "accumulate": 2,
    },
    "bfloat16": {
        "model": {"kind": "mlp", "hidden": [12], "dropout": 0.3, "batch_norm": True},
        "optimizer": {"kind": "rmsprop", "lr": 0.01, "momentum": 0.5},
        "schedule": {"kind": "plateau", "patience": 0, "factor": 0.5},
        "precision": "bfloat16",
        "accumulate": 2,
    },
    "float16": {
        "model": {"kind": "mlp", "hidden": [12], "dropout": 0.3},
        "schedule": {"kind": "cosine", "warmup": 1},
        "precision": "float16",
        "accumulate": 2,
    },
    "convolutional": {
        "model": {"kind": "cnn", "convolutions": [3], "hidden": [6], "dropout": 0.2, "batch_norm": True},
        "optimizer": {"kind": "adam", "lr": 0.02},
        "early_stopping": {"patience": 1, "min_delta": 0.2},
        "accumulate": 2,
    },
    "composed": {
        "model": {"kind": "sequential", "layers": ["flatten", {"linear": 12}, "relu", {"dropout": 0.2}]},
        "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True},
        "schedule": {"kind": "exponential", "gamma": 0.8},
    },
    "scratch": {
        "model": {"kind": "mlp", "hidden": [12], "dropout": 0.2, "drop_connect": 0.1, "batch_norm": True},
        "schedule": {"kind": "step", "step_size": 2},
        "implementation": "scratch",
    },
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_engine_with_all_that_is_drawn_planned_and_gathered(name: str, digits: Preparation) -> None:
    settings = {"data": CHANGED, "batch_size": 32, "epochs": 4} | EVERYTHING[name]
    (cohort,) = cohorts([plan(f"{name}{seed}", seed, **settings) for seed in range(2)], digits)
    engine = ScratchEngine if name == "scratch" else None
    whole = check_every_epoch(cohort, digits, engine=engine)
    assert {end.status for end in whole.ended.values()} == {"finished"}
    if name == "float16":
        assert all(state["loss scale"][2] > 0 for state in whole.states(1).values())


class Remembering(nn.Module):
    """Keeps a running mean of its inputs that is not saved with its weights, in bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(64, momentum=None)
        self.head = nn.Linear(64, 10)
        self.mean: torch.Tensor
        self.register_buffer("mean", torch.zeros(64, dtype=torch.bfloat16), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1)
        if self.training:
            self.mean.mul_(0.9).add_(x.mean(0).to(torch.bfloat16))
        outputs: torch.Tensor = self.head(self.norm(x) - self.mean.float())
        return outputs


def test_modules_of_the_users_own_keep_all_their_buffers(digits: Preparation) -> None:
    model = {"kind": "module", "name": "Net"}
    plans: list[TrialPlan] = [plan(f"u{seed}", seed, model=model, epochs=3) for seed in range(2)]
    key = module_key(plans[0].experiment, digits.dataset)
    request = ModuleRequest(ModuleModel(name="Net"), (8, 8), 10, classes=True)
    net = inspect_module(request, Remembering)
    rows = {p.identity: len(digits.prepare(p.experiment.data, p.seed).split.train) for p in plans}
    (cohort,) = group_trials(plans, digits.dataset, rows, {key: net})
    check_every_epoch(cohort, digits, modules={"Net": Remembering})


def test_a_stop_leaves_a_checkpoint_of_everyone(digits: Preparation) -> None:
    (cohort,) = cohorts([plan("t", epochs=5)], digits)
    outcome = train_from(cohort, digits, should_stop=lambda: True, checkpoint_seconds=1e6)
    (kept,) = outcome.kept
    assert (kept.identity, kept.epochs) == ("t", 1)


def test_whoever_hears_of_an_epoch_has_its_checkpoint_and_all_that_was_measured_in_it(
    digits: Preparation,
) -> None:
    probes, penalty = {"histograms": [0, 1, 2, 3]}, {"kind": "l2", "weight": 1e-3}
    plans = [plan("a", 0, epochs=3, probes=probes), plan("b", 1, epochs=3, penalty=penalty)]
    (cohort,) = cohorts(plans, digits)
    outcome = train_from(cohort, digits)
    for place, message in enumerate(outcome.messages):
        if isinstance(message, EpochMeasured):
            epochs = message.epoch + 1
            before = {
                (own.identity, own.epochs)
                for own, after in zip(outcome.kept, outcome.kept_after, strict=True)
                if after <= place
            }
            assert {(identity, epochs) for identity in message.identities} <= before
            measured = {m.epoch for m in outcome.messages[:place] if isinstance(m, ArraysMeasured)}
            assert measured == set(range(epochs + 1))
    assert {own.epochs for own in outcome.kept} == {1, 2, 3}


def test_a_short_training_writes_no_checkpoint(digits: Preparation) -> None:
    (cohort,) = cohorts([plan("t", epochs=2)], digits)
    assert not train_from(cohort, digits, checkpoint_seconds=1e6).kept


class Clock:
    """A clock that is moved by hand, and of it the part for which the processor was had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.worked = 100.0, 3.0
        monkeypatch.setattr("ceteris.train.checkpoints.time.monotonic", lambda: self.now)
        monkeypatch.setattr("ceteris.train.checkpoints.time.thread_time", lambda: self.worked)

    def due(self, pace: Pace, seconds: float, share: float = 1.0) -> bool:
        """Tell whether a checkpoint is due after an epoch of so many seconds, of which a share was worked."""
        self.pass_by(seconds, share)
        return pace.is_due()

    def keep(self, pace: Pace, seconds: float, share: float = 1.0) -> None:
        """Let a checkpoint take so many seconds."""
        with pace.measured():
            self.pass_by(seconds, share)

    def pass_by(self, seconds: float, share: float) -> None:
        self.now += seconds
        self.worked += seconds * share


def test_every_long_epoch_has_a_checkpoint_and_short_ones_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0.25)
    for seconds in (0.3, 0.3, 10.0, 0.25, 0.2):
        assert clock.due(pace, seconds)
        clock.keep(pace, 0.001)
    due = []
    for _ in range(100):
        due.append(clock.due(pace, 0.01))
        if due[-1]:
            clock.keep(pace, 0.001)
    assert {later - earlier for earlier, later in pairwise(np.flatnonzero(due))} == {24}


def test_what_takes_long_is_done_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0.25)
    for seconds in (7.0, 5.0):  # it may be by chance, until two of them took that long
        assert clock.due(pace, 0.3)
        clock.keep(pace, seconds)
    assert not clock.due(pace, 249.0)  # fifty times 5 s less one
    assert clock.due(pace, 1.0)
    assert Pace(0.0).is_due(), "after every epoch, as was asked for"


def test_what_waits_for_the_processor_or_the_disk_is_done_a_tenth_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0.25)
    for _ in range(3):
        assert clock.due(pace, 300.0, share=0.1)
        clock.keep(pace, 1.0, share=0.01)
    assert not clock.due(pace, 9.0, share=0.1)
    assert clock.due(pace, 1.0, share=0.1)


def test_training_that_waits_and_hardly_works_is_kept_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0.25)
    for _ in range(3):
        assert clock.due(pace, 0.9, share=0.01)
        clock.keep(pace, 0.001)


def test_the_first_checkpoint_of_much_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(0.25, size=4_000_000_000)
    assert not clock.due(pace, 49.0)
    assert clock.due(pace, 1.0)
