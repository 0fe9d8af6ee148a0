"""Training on a made-up CUDA card (``card.py``): devices do not mix, no step waits, replays have the bits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.errors import CeterisError
from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.folds import Folds
from ceteris.spec.model import ModuleModel
from ceteris.train.engine import StackSpec
from ceteris.train.hyper import LR, hyper_vectors
from ceteris.train.measure import Metric
from ceteris.train.messages import ArraysMeasured
from ceteris.train.modules.choice import module_engine
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.tensor.runners import PlainRunner

from .card import Card, Graph
from .recording import ForbiddenError
from .runs import Outcome, assert_equal, cohorts, plan, run_plans
from .step_cases import CASES, DIGITS, LOWERED, MLP, OF_MODULES, plans_of
from .test_checkpoints import told, train_from
from .test_modules_stacked import MEMBERS, Branching, Random, Switching, spec_for, trained, user_stack
from .test_modules_user import Small


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    """A card on which no step of an engine may wait, recorded or not."""
    step = TensorEngine._step

    def alone(self: TensorEngine, kind: Any) -> None:
        card.strict = self._device.type == "cuda" and not card.may_wait
        try:
            step(self, kind)
        finally:
            card.strict = False

    monkeypatch.setattr(TensorEngine, "_step", alone)
    card = Card()
    with card:
        yield card


def one_by_one(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
    """Make the engine that does the same on the processor, every step by itself."""
    kind = StackedModuleEngine if spec.runs_as_module else TensorEngine
    return kind(spec, stack, "cpu", PlainRunner("asked for"))


def both(plans: list[Any], digits: Preparation, **options: Any) -> tuple[Outcome, Outcome]:
    """Train on the card, and then on the processor."""
    there = run_plans(plans, digits, device="cuda", **options)
    return there, run_plans(plans, digits, engine=one_by_one, **options)


@pytest.mark.parametrize("case", [*CASES, *OF_MODULES, *LOWERED], ids=str)
def test_replayed_steps_have_the_bits_of_steps_one_by_one(
    digits: Preparation, card: Card, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_equal(*both(plans_of((CASES | OF_MODULES | LOWERED)[case]), digits))
    assert card.replays > 0
    assert "one by one" not in capsys.readouterr().out


def test_last_batches_of_different_lengths_are_replayed_too(digits: Preparation, card: Card) -> None:
    folds, model = Folds(k=4), MLP | {"batch_norm": True}
    plans = [
        plan(f"f{fold}", fold=fold, folds=folds, model=model, epochs=5, batch_size=64) for fold in range(4)
    ]
    assert_equal(*both(plans, digits))
    assert card.replays > 0


def sure(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    return outputs.max(dim=1).values.mean().item()


@pytest.mark.parametrize("model", [MLP, OF_MODULES["cnn"][0]["model"]], ids=["mlp", "cnn"])
def test_all_that_can_be_asked_for_is_measured_there(
    digits: Preparation, card: Card, model: dict[str, Any]
) -> None:
    probes = {
        "histograms": "all",
        "confusion": "all",
        "sharpness": {"epochs": "all", "directions": 2},
        "gradient_noise": True,
    }
    settings = {"data": DIGITS, "model": model, "probes": probes, "metrics": ["sure"], "epochs": 2}
    plans = [plan(f"t{seed}", seed=seed, **settings) for seed in range(2)]
    metrics: dict[str, Metric] = {"sure": sure}
    there, here = both(plans, digits, metrics=metrics)
    assert_equal(there, here)
    arrays, expected = ([m for m in own.messages if isinstance(m, ArraysMeasured)] for own in (there, here))
    assert len(arrays) == len(expected) == 3
    for one, other in zip(arrays, expected, strict=True):
        assert {name: own.keys() for name, own in one.rows.items()} == {
            name: own.keys() for name, own in other.rows.items()
        }
        for name, own in one.rows.items():
            for key, array in own.items():
                np.testing.assert_array_equal(array, other.rows[name][key])


@pytest.mark.parametrize("case", ["norms", "schedules", "cnn", "float16"])
def test_a_training_goes_on_from_its_checkpoint(digits: Preparation, card: Card, case: str) -> None:
    (cohort,) = cohorts(plans_of((CASES | OF_MODULES | LOWERED)[case], epochs=3), digits)
    whole = train_from(cohort, digits, device="cuda")
    again = train_from(replace(cohort, begin=1), digits, whole.states(1), device="cuda")
    for trial in cohort.trials:
        assert told(again, trial.identity, 0) == told(whole, trial.identity, 1)


class Counting(Small):
    """Counts its batches in Python, which a recorded step would not."""

    batches = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches += 1
        return super().forward(x)


class Rolling(Small):
    """Draws from Python's generator."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (0.5 + random.random())


class Placed(Small):
    """Makes tensors where its inputs are, and where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls.add_(1)
        shifts = torch.linspace(0, 1, x.shape[-1], device=x.device, dtype=x.dtype)
        return super().forward(x + shifts) + torch.arange(10, device=self.calls.device) / 100


@pytest.mark.parametrize(
    ("factory", "together", "reason"),
    [
        (Small, True, ""),
        (Placed, True, ""),
        (Counting, True, "a forward pass changes the attribute `batches`"),
        (Rolling, False, "it draws from Python's `random`"),
        (Random, False, "RuntimeError: vmap: called random operation while in randomness error mode."),
        (Branching, False, "RuntimeError: vmap: It looks like you're calling .item() on a Tensor."),
    ],
)
def test_modules_of_the_users_own_are_trained_there(
    digits: Preparation, card: Card, factory: type[nn.Module], together: bool, reason: str
) -> None:
    model = ModuleModel(name="Own")
    engines = []
    for device in ("cuda", "cpu"):
        net, stack = user_stack(factory, model)
        spec, own = spec_for(net, [model.model_dump()] * MEMBERS, stack, digits)
        engine = StackedModuleEngine(spec, stack, device)
        card.may_wait = not together
        engines.append((engine, trained(engine, spec, own)))
    (there, found), (here, expected) = engines
    assert (there.reason == "") == together
    assert there.not_recorded.startswith(reason)
    assert (card.replays > 0) == (reason == "")
    np.testing.assert_array_equal(there.parameters(), here.parameters())
    np.testing.assert_array_equal(there.buffers(), here.buffers())
    np.testing.assert_array_equal(found, expected)


def test_a_module_whose_parts_are_chosen_by_the_data_is_refused(digits: Preparation, card: Card) -> None:
    model = ModuleModel(name="Own")
    net, stack = user_stack(Switching, model)
    spec, own = spec_for(net, [model.model_dump()] * MEMBERS, stack, digits)
    card.may_wait = True
    with pytest.raises(CeterisError, match="which parameters of `Own` take part changes from step to step"):
        trained(StackedModuleEngine(spec, stack, "cuda"), spec, own)


def test_why_modules_are_not_recorded_is_told(
    digits: Preparation, card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ModuleModel(name="Own")
    for factory in (Counting, Rolling):
        net, stack = user_stack(factory, model)
        module_engine(spec_for(net, [model.model_dump()] * MEMBERS, stack, digits)[0], stack, "cuda")
    assert capsys.readouterr().out.splitlines() == [
        "steps of `Own` are done one by one, not from CUDA graphs: "
        "a forward pass changes the attribute `batches`",
        "`Own` is trained one member after another, not stacked: it draws from Python's `random`",
    ]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (lambda own: own._gathered.sum().item(), "a step waits for the device"),
        (lambda own: own._gathered.add_(torch.ones(5, 1).to("cuda")), "a step waits for the device"),
    ],
)
def test_a_step_that_waits_is_done_by_itself_from_then_on(
    digits: Preparation,
    card: Card,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: Callable[[TensorEngine], object],
    reason: str,
) -> None:
    step = TensorEngine._step

    def longer(self: TensorEngine, kind: Any) -> None:
        step(self, kind)
        more(self)

    monkeypatch.setattr(TensorEngine, "_step", longer)
    card.may_wait = True
    run_plans([plan("t", data=DIGITS)], digits, device="cuda")
    assert card.replays == 0
    assert capsys.readouterr().out == f"steps on cuda are done one by one, not from CUDA graphs: {reason}\n"


def test_progress_is_what_has_arrived(digits: Preparation, card: Card) -> None:
    experiment = plan("t", data=DIGITS).experiment
    net = architecture(experiment.model, 64, 10, (8, 8))
    spec, own = spec_for(net, [MLP], initial_stack(net, [experiment.model], [0]), digits)
    engine = TensorEngine(spec, initial_stack(net, [experiment.model], [0]), "cuda")
    engine.begin_epoch(0, [own.split.train], hyper_vectors(spec.optimizers)[:, :, LR, None])
    engine.run_steps(0, 2, np.array([True]))
    asked, still_under_way = engine.progress(), engine.progress()
    assert asked is None
    assert still_under_way is None
    engine.run_steps(2, 5, np.array([True]))
    arrived = engine.progress()
    assert arrived is not None
    assert arrived.rows.tolist() == [2 * spec.batch_size]
    assert engine.totals().rows.tolist() == [5 * spec.batch_size]


@pytest.mark.parametrize(
    "step",
    [
        lambda here: here.sum().item(),
        lambda here: here[here > 0],
        lambda here: here.to("cpu"),
        lambda here: here + torch.tensor([1.0, 2.0, 3.0]),
        lambda here: here + torch.ones(3, device="cuda:0").cpu(),
        lambda here: here.copy_(torch.ones(3)),
        lambda here: bool(here.sum() > 0),
    ],
)
def test_what_waits_for_the_card_cannot_be_recorded(card: Card, step: Callable[[Any], object]) -> None:
    here = torch.ones(3, device="cuda")
    with pytest.raises(ForbiddenError), torch.cuda.graph(Graph()):  # type: ignore[arg-type]
        step(here)


def test_a_recording_knows_no_number_of_pythons_that_changes(card: Card) -> None:
    total, added, graph = torch.zeros(3, device="cuda"), 1.0, Graph()
    with torch.cuda.graph(graph):  # type: ignore[arg-type]
        total += added
    assert total.cpu().tolist() == [0.0, 0.0, 0.0]
    added = 2.0
    graph.replay()
    assert total.cpu().tolist() == [1.0, 1.0, 1.0]


def test_what_nobody_waited_for_has_not_arrived(card: Card) -> None:
    here, there = torch.ones(3, device="cuda"), torch.zeros(3, pin_memory=True)
    there.copy_(here, non_blocking=True)
    here += 1
    assert there.tolist() == [0.0, 0.0, 0.0]
    assert here.cpu().tolist() == [2.0, 2.0, 2.0]
    assert there.tolist() == [1.0, 1.0, 1.0]


def test_tensors_of_both_sides_do_not_mix(card: Card) -> None:
    here = torch.ones(3, device="cuda")
    assert here.device == torch.device("cuda", 0)
    with pytest.raises(ForbiddenError, match="of the card and of the host"):
        here + torch.ones(3)


def test_the_first_step_of_all_is_told_at_once(digits: Preparation, card: Card) -> None:
    outcome = run_plans([plan("t", data=DIGITS, epochs=1)], digits, device="cuda")
    assert (outcome.progress[0].step, outcome.progress[-1].step) == (1, outcome.progress[-1].steps)


def test_newtons_step_is_taken_on_the_processor(
    digits: Preparation, card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"model": {"kind": "linear"}, "data": DIGITS | {"project": 4}, "optimizer": {"kind": "newton"}}
    plans = [plan("t", loss="mse", batch_size=300, epochs=1, **settings)]
    assert_equal(run_plans(plans, digits, device="cuda"), run_plans(plans, digits, device="cpu"))
    assert "taken on the processor" in capsys.readouterr().out


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_what_is_written_from_scratch_runs_there(digits: Preparation, card: Card, loss: str) -> None:
    settings = {"data": DIGITS, "model": MLP | {"dropout": 0.2}, "epochs": 1, "implementation": "scratch"}
    plans = [plan("t", loss=loss, **settings)]
    here = run_plans(plans, digits, engine=ScratchEngine)
    assert_equal(run_plans(plans, digits, engine=ScratchEngine, device="cuda"), here)


def test_row_numbers_that_come_again_are_not_sent_again(digits: Preparation, card: Card) -> None:
    folds = Folds(k=4)
    plans = [plan(f"f{fold}", fold=fold, folds=folds, epochs=4) for fold in range(4)]
    engines: list[TensorEngine] = []

    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
        engines.append(TensorEngine(spec, stack, device))
        return engines[-1]

    run_plans(plans, digits, device="cuda", engine=engine)
    (kept,) = (own._rows._measured for own in engines)
    # Probed ones, and those of both splits that are measured.
    assert sorted(key[-1] for key in kept) == [180, 359, 359, 360, 360]
