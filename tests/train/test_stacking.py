"""The table of what stacks and what separates, held against the cohorts that are really made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ceteris.data import load
from ceteris.lab.shards import make_cohorts
from ceteris.lab.sizes import sizes_of
from ceteris.spec.experiment import Experiment
from ceteris.spec.stacking import BY_STEPS, SEPARATES, leaves, mark
from ceteris.train.plan import TrialPlan

CNN = {"model": {"kind": "cnn", "convolutions": [4], "hidden": [8]}}
OWN = {"model.name", "model.arguments", "model.input", "model.source"}
"""Of a network of the user's own: whatever changes its layout, which a worker has to look at."""
OTHER_ROWS = {"data.source", "data.checksum", "data.target", "data.ids", "data.parameters", "data.content"}
"""They name other rows: a cohort reads one source."""

Patch = Mapping[str, Any]


def optimizer(kind: str, **more: Any) -> Patch:
    return {"optimizer": {"kind": kind, "lr": 0.1, **more}}


def schedule(kind: str, **more: Any) -> Patch:
    return {"schedule": {"kind": kind, **more}}


def init(kind: str, **more: Any) -> Patch:
    return {"model": {"kind": "mlp", "hidden": [8, 8], "init": {"kind": kind, **more}}}


def mlp(**more: Any) -> Patch:
    return {"model": {"kind": "mlp", "hidden": [8, 8], **more}}


PLATEAU = {"kind": "plateau"}

VARIED: dict[str, tuple[Patch, Patch]] = {
    "data.resize": ({}, {"data": {"source": "digits", "resize": [4, 4]}}),
    "data.project": ({}, {"data": {"source": "digits", "project": 8}}),
    "data.scale": ({}, {"data": {"source": "digits", "scale": "standardize"}}),
    "data.split": ({}, {"data": {"source": "digits", "split": "fixed"}}),
    "data.label_noise": ({}, {"data": {"source": "digits", "label_noise": 0.2}}),
    "data.balance": ({}, {"data": {"source": "digits", "balance": "oversample"}}),
    "data.rows": ({}, {"data": {"source": "digits", "rows": 400}}),
    "data.validation": ({}, {"data": {"source": "digits", "validation": 200}}),
    "data.augment.flip": ({}, {"data": {"source": "digits", "augment": {"flip": True}}}),
    "data.augment.shift": ({}, {"data": {"source": "digits", "augment": {"shift": 1}}}),
    "model.kind": ({}, {"model": {"kind": "linear"}}),
    "model.bias": ({}, mlp(bias=False)),
    "model.output": ({}, mlp(output=["relu"])),
    "model.hidden": ({}, {"model": {"kind": "mlp", "hidden": [8, 9]}}),
    "model.activation": ({}, mlp(activation="tanh")),
    "model.dropout": ({}, mlp(dropout=0.5)),
    "model.input_dropout": ({}, mlp(input_dropout=0.5)),
    "model.batch_norm": ({}, mlp(batch_norm=True)),
    "model.batch_norm_eps": (mlp(batch_norm=True), mlp(batch_norm=True, batch_norm_eps=1e-3)),
    "model.batch_norm_eps_place": (
        mlp(batch_norm=True),
        mlp(batch_norm=True, batch_norm_eps_place="outside"),
    ),
    "model.batch_norm_momentum": (mlp(batch_norm=True), mlp(batch_norm=True, batch_norm_momentum=0.2)),
    "model.residual": ({}, mlp(residual=True)),
    "model.layer_norm": ({}, mlp(layer_norm=True)),
    "model.noise": ({}, mlp(noise=0.1)),
    "model.input_noise": ({}, mlp(input_noise=0.1)),
    "model.drop_connect": ({}, mlp(drop_connect=0.1)),
    "model.convolutions": (CNN, {"model": {"kind": "cnn", "convolutions": [5], "hidden": [8]}}),
    "model.kernel": (CNN, {"model": {"kind": "cnn", "convolutions": [4], "hidden": [8], "kernel": 5}}),
    "model.pool": (CNN, {"model": {"kind": "cnn", "convolutions": [4], "hidden": [8], "pool": 4}}),
    "model.layers": (
        {"model": {"kind": "sequential", "layers": [{"kind": "linear", "width": 8}]}},
        {"model": {"kind": "sequential", "layers": [{"kind": "linear", "width": 9}]}},
    ),
    "model.init.kind": ({}, init("zeros")),
    "model.init.std": (init("normal", std=0.1), init("normal", std=0.2)),
    "model.init.gain": (init("xavier"), init("xavier", gain=2.0)),
    "model.init.distribution": (init("xavier"), init("xavier", distribution="normal")),
    "model.init.value": (init("constant", value=0.1), init("constant", value=0.2)),
    "precision": ({}, {"precision": "bfloat16"}),
    "loss": ({}, {"loss": "mse"}),
    "loss_beta": ({"loss": "smooth_l1"}, {"loss": "smooth_l1", "loss_beta": 2.0}),
    "label_smoothing": ({}, {"label_smoothing": 0.1}),
    "smoothing_convention": ({}, {"smoothing_convention": "shared"}),
    "class_weights": ({}, {"class_weights": "balanced"}),
    "penalty.kind": ({}, {"penalty": {"kind": "l2", "weight": 0.1}}),
    "penalty.weight": (
        {"penalty": {"kind": "l2", "weight": 0.1}},
        {"penalty": {"kind": "l2", "weight": 1.0}},
    ),
    "optimizer.kind": (optimizer("adam"), optimizer("sgd")),
    "optimizer.lr": ({}, {"optimizer": {"kind": "adam", "lr": 0.2}}),
    "optimizer.momentum": (optimizer("sgd"), optimizer("sgd", momentum=0.9)),
    "optimizer.weight_decay": (optimizer("adam"), optimizer("adam", weight_decay=0.1)),
    "optimizer.biases.lr": (optimizer("adam"), optimizer("adam", biases={"lr": 0.2})),
    "optimizer.norms.weight_decay": (optimizer("adam"), optimizer("adam", norms={"weight_decay": 0.2})),
    "optimizer.beta1": (optimizer("adam"), optimizer("adam", beta1=0.8)),
    "optimizer.centered": (optimizer("rmsprop"), optimizer("rmsprop", centered=True)),
    "optimizer.lr_decay": (optimizer("adagrad"), optimizer("adagrad", lr_decay=0.1)),
    "schedule.kind": ({}, schedule("cosine")),
    "schedule.warmup": ({}, schedule("constant", warmup=2)),
    "schedule.gamma": (schedule("exponential", gamma=0.9), schedule("exponential", gamma=0.8)),
    "schedule.patience": ({"schedule": PLATEAU}, schedule("plateau", patience=3)),
    "schedule.metric": ({"schedule": PLATEAU}, schedule("plateau", metric="val_accuracy")),
    "clip.norm": ({}, {"clip": {"norm": 1.0}}),
    "clip.value": ({}, {"clip": {"value": 1.0}}),
    "batch_size": ({}, {"batch_size": 16}),
    "last_batch": ({}, {"last_batch": "drop"}),
    "accumulate": ({}, {"accumulate": 2}),
    "epochs": ({}, {"epochs": 7}),
    "early_stopping.patience": ({}, {"early_stopping": {"patience": 3}}),
    "implementation": ({}, {"implementation": "scratch"}),
    "metrics": ({}, {"metrics": ["own"]}),
    "probes.histograms": ({}, {"probes": {"histograms": [1]}}),
    "probes.layers": ({}, {"probes": {"layers": False}}),
    "probes.gradient_noise": ({}, {"probes": {"gradient_noise": True}}),
    "probes.confusion": ({}, {"probes": {"confusion": [1]}}),
    "better": ({}, {"better": {"own": "higher"}}),
}


def plan(identity: str, patch: Patch) -> TrialPlan:
    base = {"data": "digits", **mlp(), "optimizer": "adam", "batch_size": 32, "epochs": 5}
    experiment = Experiment.model_validate({**base, **patch})
    return TrialPlan(identity, identity, {}, 0, 0, experiment)


def cohorts(*patches: Patch) -> int:
    """Return how many cohorts the trials of some experiments make."""
    plans = [plan(str(place), patch) for place, patch in enumerate(patches)]
    digits = load("digits")
    rows = {p.identity: sizes_of(digits, p.experiment.data, (0,), None).training for p in plans}
    return len(make_cohorts(plans, {p.experiment.data.reading: digits for p in plans}, rows))


@pytest.mark.parametrize("path", VARIED)
def test_a_setting_stacks_or_separates_as_the_table_says(path: str) -> None:
    first, second = VARIED[path]
    assert plan("a", first).experiment != plan("b", second).experiment
    assert cohorts(first, second) == (1 if mark(path) == "stacks" else 2)


def test_other_rows_of_one_source_stack_where_an_epoch_has_the_same_steps() -> None:
    few, more = ({"data": {"source": "digits", "validation": rows}} for rows in (352, 353))
    assert mark("data.validation") == "by steps"
    assert cohorts(few, more) == 1


def test_adam_and_adamw_are_one_family_and_seeds_stack() -> None:
    assert cohorts(optimizer("adam"), optimizer("adamw")) == 1


def test_every_setting_that_separates_is_a_setting_and_was_tried() -> None:
    assert set(leaves()) >= SEPARATES | BY_STEPS
    assert set(VARIED) | OWN | OTHER_ROWS | BY_STEPS >= SEPARATES | BY_STEPS
    assert set(VARIED) <= set(leaves())
