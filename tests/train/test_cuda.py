"""The tensor engine on a real CUDA device, against the processor and against itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.nets.stacked import StackedNetwork
from ceteris.train import numerics
from ceteris.train.device_memory import device_bytes
from ceteris.train.engine import StackSpec
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.plan import TrialPlan
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.tensor.runners import GraphRunner, PlainRunner

from .runs import Outcome, Train, assert_equal, cohorts, plan, run_plans
from .step_cases import CASES, LOWERED, OF_MODULES, plans_of

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode"),
]


def on_processor(plans: list[TrialPlan], digits: Preparation) -> Outcome:
    """Train the stack in the processor's memory by the same code; it equals the compiled engine elsewhere."""

    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
        kind = StackedModuleEngine if spec.runs_as_module else TensorEngine
        return kind(spec, stack, "cpu", PlainRunner("asked for"))

    return run_plans(plans, digits, engine=engine)


BREADTH: list[dict[str, Any]] = [
    {"penalty": [{"kind": "l1", "weight": 1e-4}, {"kind": "l2", "form": "norm", "weight": 0.01}]},
    {"clip": {"norm": 0.5}, "schedule": {"kind": "one_cycle"}},
    {"clip": {"value": 0.01}, "schedule": {"kind": "cosine", "warmup": 0.5}},
    {"label_smoothing": 0.1, "class_weights": "balanced"},
    {"schedule": {"kind": "plateau", "patience": 0}, "early_stopping": {"patience": 2}},
    {},
]
MODELS: list[dict[str, Any]] = [
    {"kind": "mlp", "hidden": [24]},
    {"kind": "mlp", "hidden": [24, 12], "activation": "tanh", "dropout": 0.3, "batch_norm": True},
    {
        "kind": "mlp",
        "hidden": [24],
        "activation": "gelu",
        "layer_norm": True,
        "noise": 0.1,
        "drop_connect": 0.2,
    },
    {"kind": "linear"},
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_cuda_equals_the_processor_to_rounding(digits: Preparation, model: dict[str, Any], kind: str) -> None:
    plans = [
        plan(f"t{i}", seed=i // 2, model=model, optimizer={"kind": kind, "lr": 0.002 * (i + 1)})
        for i in range(6)
    ]
    there, here = run_plans(plans, digits, device="cuda"), on_processor(plans, digits)
    # A bias before batch norm has a gradient of rounding errors alone, of which Adam makes whole steps; they
    # cancel in training, but the running means follow them late.
    drifts = model.get("batch_norm", False) and kind != "sgd"
    for one in plans:
        if not drifts:
            np.testing.assert_allclose(
                there.final(one.identity), here.final(one.identity), rtol=2e-3, atol=2e-4
            )
        for curve in ("grad_norm", "train_loss_running", *(() if drifts else ("train_loss", "val_loss"))):
            np.testing.assert_allclose(
                there.curve(one.identity, curve), here.curve(one.identity, curve), rtol=2e-3
            )


def test_a_member_that_diverges_on_cuda_harms_nobody(digits: Preparation) -> None:
    good = [plan(f"g{i}", seed=i, loss="mse") for i in range(3)]
    bad = plan("bad", seed=1, loss="mse", optimizer={"kind": "sgd", "lr": 1e6})
    alone = run_plans(good, digits, device="cuda")
    together = run_plans([*good, bad], digits, device="cuda")
    assert together.ended["bad"].status == "diverged"
    for one in good:
        np.testing.assert_allclose(
            together.final(one.identity), alone.final(one.identity), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("kind", ["sgd", "adam", "rmsprop", "adagrad"])
def test_settings_of_their_own_give_the_same_on_cuda(digits: Preparation, kind: str) -> None:
    optimizer = {"kind": kind, "lr": 0.01, "biases": {"lr": 0.005, "weight_decay": 0.1}}
    plans = [plan(f"t{i}", seed=i, optimizer=optimizer, **own) for i, own in enumerate(BREADTH)]
    there, here = run_plans(plans, digits, device="cuda"), on_processor(plans, digits)
    for one in plans:
        np.testing.assert_allclose(there.final(one.identity), here.final(one.identity), rtol=2e-3, atol=2e-4)
        for curve in ("train_loss", "val_loss", "lr", "grad_norm", "train_loss_running"):
            np.testing.assert_allclose(
                there.curve(one.identity, curve), here.curve(one.identity, curve), rtol=2e-3
            )


ALL_CASES = CASES | OF_MODULES | LOWERED


@pytest.fixture(autouse=True)
def _float32_is_float32() -> None:
    numerics.prepare_device("cuda")


def made_by(runner: Callable[[], Any], engines: list[TensorEngine]) -> Callable[..., TensorEngine]:
    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
        kind = StackedModuleEngine if spec.runs_as_module else TensorEngine
        engines.append(kind(spec, stack, "cuda", runner()))
        return engines[-1]

    return engine


def recorder() -> GraphRunner:
    return GraphRunner(torch.device("cuda"))


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_replayed_steps_have_the_bits_of_steps_one_by_one(
    digits: Preparation, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else a convolution may add up its gradient in another order every time.
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    engines: list[TensorEngine] = []
    plans = plans_of(ALL_CASES[case], epochs=6)
    apart = run_plans(plans, digits, engine=made_by(lambda: PlainRunner("asked for"), []))
    replayed = run_plans(plans, digits, engine=made_by(recorder, engines))
    assert [engine.not_recorded for engine in engines] == [""] * len(engines)
    assert all(engine._runner._graphs for engine in engines)
    assert_equal(apart, replayed)


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_no_step_waits_for_the_card(digits: Preparation, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = TensorEngine.run_steps

    def checked(self: TensorEngine, first: int, last: int, active: np.ndarray) -> None:
        if not np.array_equal(self._active, active):  # told to the card between two epochs
            self._active = active.copy()
            self._resting.copy_(torch.from_numpy(~active))
        torch.cuda.set_sync_debug_mode("error")
        try:
            steps(self, first, last, active)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(TensorEngine, "run_steps", checked)
    plain = made_by(lambda: PlainRunner("asked for"), [])
    run_plans(plans_of(ALL_CASES[case], epochs=1), digits, engine=plain)


@pytest.mark.parametrize("case", ["adam", "draws", "cnn"])
def test_deterministic_kernels_give_the_same_bits_twice(digits: Preparation, case: str) -> None:
    numerics.prepare_device("cuda", deterministic=True)
    try:
        plans = plans_of(ALL_CASES[case])
        assert_equal(run_plans(plans, digits, device="cuda"), run_plans(plans, digits, device="cuda"))
    finally:
        numerics.prepare_device("cuda")


@pytest.mark.parametrize("case", [*OF_MODULES, *LOWERED])
def test_modules_on_cuda_equal_those_on_the_processor(digits: Preparation, case: str) -> None:
    plans = plans_of(ALL_CASES[case], epochs=1)
    there, here = run_plans(plans, digits, device="cuda"), on_processor(plans, digits)
    for one in plans:
        few = one.experiment.precision != "float32"
        expected = here.curve(one.identity, "val_loss")
        np.testing.assert_allclose(there.curve(one.identity, "val_loss"), expected, rtol=0.1 if few else 5e-3)


def test_memory_is_predicted_within_a_factor_of_two() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((4000, 784)).astype(np.float32), rng.integers(0, 10, 4000)
    data = Preparation(arrays(*rows))
    settings: dict[str, Any] = {
        "data": {"source": "arrays", "validation": 1000},
        "model": {"kind": "mlp", "hidden": [1000]},
        "optimizer": {"kind": "adam", "lr": 0.001},
        "batch_size": 500,
        "epochs": 3,
    }
    (cohort,) = cohorts([plan(f"t{i}", **settings) for i in range(20)], data)
    torch.cuda.init()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_reserved()
    run_plans(cohort.trials, data, device="cuda")
    taken = torch.cuda.max_memory_reserved() - before
    experiments = [trial.experiment for trial in cohort.trials]
    assert cohort.data is not None
    predicted = device_bytes(cohort.structure.net, experiments, cohort.data, [("auto", 0, 0)])
    assert 0.5 < predicted / taken < 2, (predicted, taken)


def test_the_learning_rate_study_in_small_gives_the_scores_of_the_processor(
    train: Train, digits: Preparation
) -> None:
    plans = [
        plan(f"{seed}.{lr}", seed=seed, epochs=5, optimizer={"kind": "adam", "lr": lr})
        for seed in range(5)
        for lr in (0.1, 0.001, 1e-5)
    ]
    there, here = run_plans(plans, digits, device="cuda"), train(*plans)
    for one in plans:
        far = np.abs(there.curve(one.identity, "val_accuracy") - here.curve(one.identity, "val_accuracy"))
        assert far.max() < (0.1 if one.experiment.optimizer.lr > 0.01 else 0.01)
