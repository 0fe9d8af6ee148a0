"""Settings of every kind that a step may have, each for a few trials that may share a cohort."""

from __future__ import annotations

from typing import Any

from ceteris.train.plan import TrialPlan

from .runs import plan

MLP: dict[str, Any] = {"kind": "mlp", "hidden": [12]}
DRAWN: dict[str, Any] = MLP | {"dropout": 0.2, "input_dropout": 0.1, "noise": 0.1, "drop_connect": 0.1}
DIGITS: dict[str, Any] = {"source": "digits", "rows": 332, "validation": 100}
COMMON: dict[str, Any] = {"epochs": 3, "batch_size": 32, "data": DIGITS}
"""Ten whole batches and a smaller one, of which the first and the last are measured."""


def rates(kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"optimizer": {"kind": kind, "lr": lr, **more}} for lr in (0.05, 0.01)]


CASES: dict[str, list[dict[str, Any]]] = {
    "sgd": rates("sgd"),
    "momentum": [
        *rates("sgd", momentum=0.9, dampening=0.1),
        *rates("sgd", momentum=0.5, nesterov=True, weight_decay=0.01),
    ],
    "adam": [*rates("adam"), *rates("adamw", weight_decay=0.1)],
    "rmsprop": [*rates("rmsprop", momentum=0.5), *rates("rmsprop", centered=True)],
    "adagrad": rates("adagrad", lr_decay=0.1, biases={"lr": 0.2}),
    "schedules": [
        {"schedule": {"kind": "one_cycle"}},
        {"schedule": {"kind": "cosine", "warmup": 1.5}},
        {"schedule": {"kind": "plateau", "patience": 0}},
        {"schedule": {"kind": "step", "step_size": 1}},
    ],
    "warm-up": [
        {"schedule": {"kind": "constant", "warmup": 0.5}},
        {"schedule": {"kind": "exponential", "gamma": 0.5}},
    ],
    "penalties": [
        {"penalty": [{"kind": "l1", "weight": 1e-3}, {"kind": "l2", "form": "norm", "weight": 0.01}]},
        {"penalty": {"kind": "l2", "form": "mean", "weight": 0.1, "on": "all"}},
    ],
    "clipping": [{"clip": {"norm": 0.1}}, {"clip": {"value": 0.001}}, {"clip": {"to_norm": 1.0}}, {}],
    "draws": [{"model": DRAWN}, {"model": DRAWN | {"dropout": 0.5, "noise": 0.0}}],
    "norms": [{"model": MLP | {"batch_norm": True, "hidden": [12, 12], "residual": True}}],
    "layer norm": [{"model": MLP | {"layer_norm": True, "activation": "gelu", "output": ["softmax"]}}],
    "accumulation": [{"accumulate": 3, "model": DRAWN | {"batch_norm": True}}],
    "smoothed": [{"label_smoothing": 0.1}, {"class_weights": "balanced"}],
    "probes": [{"probes": {"gradient_noise": True}, "model": MLP | {"hidden": [12, 8]}}],
    "no probes": [{"probes": {"layers": False}}],
    "losses": [
        *({"loss": loss} for loss in ("mse", "mse_half", "l1", "smooth_l1", "huber")),
        {"loss": "nll", "model": MLP | {"output": ["log_softmax"]}},
    ],
    "a member that diverges": [
        {"loss": "mse"},
        {"loss": "mse", "optimizer": {"kind": "sgd", "lr": 1e6}},
    ],
    "a member that stops": [
        {"epochs": 5},
        {"epochs": 5, "early_stopping": {"patience": 1, "min_delta": 10.0}},
    ],
    "resampled": [{"data": DIGITS | {"balance": "oversample"}}],
    "augmented": [{"data": DIGITS | {"augment": {"shift": 1, "flip": True}}}],
}

CNN: dict[str, Any] = {"kind": "cnn", "convolutions": [4], "hidden": [8], "dropout": 0.3, "batch_norm": True}
SEQUENTIAL: dict[str, Any] = {
    "kind": "sequential",
    "layers": [{"kind": "linear", "width": 8}, {"kind": "relu"}, {"kind": "dropout", "p": 0.2}],
}
OF_MODULES: dict[str, list[dict[str, Any]]] = {
    "cnn": [{"model": CNN}, {"model": CNN | {"dropout": 0.5}}],
    "sequential": [{"model": SEQUENTIAL, "optimizer": {"kind": "adam", "lr": 0.01}, "accumulate": 2}],
}
LOWERED: dict[str, list[dict[str, Any]]] = {
    "bfloat16": [{"model": CNN, "precision": "bfloat16"}],
    "float16": [{"model": MLP, "precision": "float16", "optimizer": {"kind": "adam", "lr": 0.01}}],
}
"""Networks that run as modules, stacked through ``torch.func``."""


def plans_of(case: list[dict[str, Any]], **more: Any) -> list[TrialPlan]:
    settings = [{"model": MLP, **COMMON, **own, **more} for own in case]
    return [plan(f"{seed}.{i}", seed=seed, **own) for seed in range(2) for i, own in enumerate(settings)]
