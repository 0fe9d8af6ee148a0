"""Law 7 for every kernel: whatever a specification can choose computes the same bits in any company.

The choices are read from the specifications, so a new one is tried here as soon as it is there. Each is
trained alone and at another place, beside members that diverge, stop early or have another seed. And no
kernel may stand apart from those that are trained with here. The tensor engine is held to rounding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.clip import Clip
from ceteris.spec.losses import FITTING_OUTPUTS, FOR_CLASSES, FOR_NUMBERS, ONE_OUTPUT, LossName
from ceteris.spec.model import OutputActivation
from ceteris.spec.model_parts import Activation
from ceteris.spec.optimizer import Optimizer
from ceteris.spec.penalty import L1, L2
from ceteris.spec.schedule import Schedule
from ceteris.train.cpu import decorators
from ceteris.train.engine import Engine, StackSpec
from ceteris.train.messages import EpochMeasured
from ceteris.train.plan import TrialPlan
from ceteris.train.tensor.engine import TensorEngine

from .runs import Outcome, plan, run_plans

MLP: dict[str, Any] = {"kind": "mlp", "hidden": [9, 9]}
CNN: dict[str, Any] = {"kind": "cnn", "convolutions": [5], "hidden": [6]}
SPARE = {"step": {"step_size": 1}, "multi_step": {"milestones": [1]}, "exponential": {"gamma": 0.5}}
"""What a schedule needs besides its kind."""

ENTRIES = {
    "the compiled engine": {"train_steps", "evaluate", "average", "assist", "probe_activations"},
    "the module engine": {"finish_gradient", "update", "update_probed", "probe_noise"},
    "norms and pooling of modules": {
        "batch_statistics",
        "normalise",
        "normalise_backward",
        "slope_sums",
        "pool_forward",
        "pool_backward",
    },
    "measurements": {"norms_and_spreads"},
    "augmentation": {"fill_words_at", "fill_maps", "warp"},
}
"""Kernels that Python calls. `assist` runs where threads share work: see `test_threads.py`."""


def kinds_of(union: Any) -> list[str]:
    return [get_args(own.model_fields["kind"].annotation)[0] for own in get_args(union)]


def penalties() -> Iterator[dict[str, Any]]:
    for own in (L1, L2):
        for form in get_args(own.model_fields["form"].annotation):
            for on in get_args(own.model_fields["on"].annotation):
                yield {"kind": own.model_fields["kind"].default, "form": form, "on": on, "weight": 1e-3}


def losses() -> Iterator[dict[str, Any]]:
    for loss in get_args(LossName):
        for kind in ("classes",) * (loss in FOR_CLASSES) + ("numbers",) * (loss in FOR_NUMBERS):
            rows = "two classes" if loss in ONE_OUTPUT else kind
            output = list(FITTING_OUTPUTS.get(loss, ()))
            yield {"data": {"source": rows, "scale": "none"}, "loss": loss, "model": MLP | {"output": output}}


CASES: list[dict[str, Any]] = [
    *losses(),
    *({"model": MLP | {"activation": name}} for name in get_args(Activation)),
    *({"model": MLP | {"output": [name]}} for name in get_args(OutputActivation)),
    *({"optimizer": {"kind": kind, "lr": 0.01}} for kind in kinds_of(Optimizer) if kind != "newton"),
    *({"penalty": own} for own in penalties()),
    *({"clip": {name: 0.1}} for name in Clip.model_fields),
    *({"schedule": {"kind": kind} | SPARE.get(kind, {})} for kind in kinds_of(Schedule)),
    {"label_smoothing": 0.1, "class_weights": "balanced"},
    {"label_smoothing": 0.1, "smoothing_convention": "shared"},
    {"model": MLP | {"dropout": 0.3, "input_dropout": 0.2, "noise": 0.1, "input_noise": 0.1}},
    {"model": MLP | {"drop_connect": 0.3, "batch_norm": True, "residual": True}},
    {"model": MLP | {"batch_norm": True, "batch_norm_eps_place": "outside"}},
    {"model": MLP | {"layer_norm": True, "bias": False}},
    {"model": MLP, "accumulate": 2, "probes": {"gradient_noise": True}},
    {"model": {"kind": "linear"}},
    {"model": CNN | {"batch_norm": True, "dropout": 0.3}},
    {"model": CNN | {"pool": 2, "activation": "relu"}, "probes": {"gradient_noise": True}},
    {"model": MLP, "precision": "bfloat16"},
    {"model": MLP, "precision": "float16"},
    {"model": MLP, "data": {"source": "classes", "augment": {"shift": 1, "flip": True, "rotate": 9}}},
]


@cache
def rows_of(name: str) -> Preparation:
    """90 images of 6 x 6, with targets that can be learned."""
    x = np.random.default_rng(0).standard_normal((90, 6, 6)).astype(np.float32)
    score = x.reshape(90, -1)[:, :3] @ np.ones(3)
    targets = {"classes": np.digitize(score, (-1, 1)), "two classes": (score > 0).astype(np.int64)}
    return Preparation(arrays(x, targets.get(name, score.astype(np.float32)), name=name))


def left_behind(outcome: Outcome, identity: str) -> list[np.ndarray]:
    """Final tensors and every number of the curves."""
    epochs = [m for m in outcome.messages if isinstance(m, EpochMeasured) and identity in m.rows]
    return [outcome.final(identity), *(np.array(epoch.rows[identity]) for epoch in epochs)]


def told(case: dict[str, Any]) -> str:
    return "-".join(f"{key}={value}" for key, value in case.items())


def with_company(case: dict[str, Any]) -> tuple[TrialPlan, list[TrialPlan]]:
    """Return a trial, and others that diverge, end early or just have another seed."""
    base: dict[str, Any] = {"data": {"source": "classes"}, "model": MLP, "batch_size": 16, "epochs": 2}
    settings: dict[str, Any] = base | {"optimizer": {"kind": "sgd", "lr": 0.05}} | case
    lost = settings | {
        "model": settings["model"] | {"init": {"kind": "normal", "std": 1e37}},
        "optimizer": settings["optimizer"] | {"lr": 1e30, "weight_decay": 1e30},
    }
    stopping = settings | {"early_stopping": {"patience": 1, "min_delta": 1e9}}
    others = [plan("lost", seed=1, **lost), plan("other", seed=2, **settings), plan("early", **stopping)]
    return plan("own", seed=1, **settings), others


@pytest.mark.parametrize("case", CASES, ids=told)
def test_a_member_computes_the_same_bits_in_any_company(case: dict[str, Any]) -> None:
    own, others = with_company(case)
    preparation = rows_of(own.experiment.data.source)
    alone = run_plans([own], preparation)
    for company in ([*others, own], [others[1], own, others[0]]):
        together = run_plans(company, preparation)
        assert together.ended["lost"].status == "diverged"
        found = left_behind(together, "own")
        assert len(found) == 1 + own.experiment.epochs
        pairs = zip(found, left_behind(alone, "own"), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)


def on_tensors(spec: StackSpec, stack: StackedNetwork, device: str) -> Engine:
    return TensorEngine(spec, stack, device)


@pytest.mark.parametrize(
    "case",
    [own for own in CASES if own.get("model", MLP)["kind"] != "cnn" and "precision" not in own],
    ids=told,
)
def test_on_the_tensor_engine_it_computes_the_same_to_rounding(case: dict[str, Any]) -> None:
    own, others = with_company(case)
    preparation = rows_of(own.experiment.data.source)
    alone = run_plans([own], preparation, engine=on_tensors)
    together = run_plans([*others, own], preparation, engine=on_tensors)
    assert together.ended["lost"].status == "diverged"
    found, expected = left_behind(together, "own")[0], left_behind(alone, "own")[0]
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


def test_every_kernel_is_called_from_one_that_is_trained_with_here() -> None:
    calls = {name: names for file in kernel_files() for name, names in kernels_in(file)}
    entries = set().union(*ENTRIES.values())
    assert len(calls) > 100
    assert entries <= set(calls)
    reached: set[str] = set()
    ahead = entries
    while ahead:
        reached |= ahead
        ahead = {name for kernel in ahead for name in calls[kernel] if name in calls} - reached
    assert set(calls) == reached


def kernel_files() -> Iterator[Path]:
    for pattern in decorators.COMPILED:
        yield from decorators.PACKAGE.glob(pattern)


def kernels_in(file: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each compiled function of a file with the names that stand in it."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            marks = {
                name.id
                for mark in node.decorator_list
                for name in ast.walk(mark)
                if isinstance(name, ast.Name)
            }
            if marks & {"kernel", "inlined", "summing", "counting", "compiling", "njit"}:
                yield node.name, {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
