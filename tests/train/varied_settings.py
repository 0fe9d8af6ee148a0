"""Every setting of an experiment with two experiments that differ in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CNN = {"model": {"kind": "cnn", "convolutions": [4], "hidden": [8]}}
Patch = Mapping[str, Any]


def optimizer(kind: str, **more: Any) -> Patch:
    return {"optimizer": {"kind": kind, "lr": 0.1, **more}}


def schedule(kind: str, **more: Any) -> Patch:
    return {"schedule": {"kind": kind, **more}}


def init(kind: str, **more: Any) -> Patch:
    return {"model": {"kind": "mlp", "hidden": [8, 8], "init": {"kind": kind, **more}}}


def mlp(**more: Any) -> Patch:
    return {"model": {"kind": "mlp", "hidden": [8, 8], **more}}


def early(**more: Any) -> Patch:
    return {"early_stopping": {"patience": 2, **more}}


def started(kind: str = "from", **more: Any) -> Patch:
    return init(kind, **({"file": "start.safetensors"} if kind == "from" else {"name": "mine:start"}), **more)


def drawn(kind: str, **more: Any) -> Patch:
    """Parameters from a file, the others drawn."""
    return started(only=["head"], others={"kind": kind, **more})


def l2(**more: Any) -> Patch:
    return {"penalty": {"kind": "l2", "weight": 0.1, **more}}


def probes(**more: Any) -> Patch:
    return {"probes": more}


def cycle(**more: Any) -> Patch:
    return schedule("one_cycle", **more)


def data(**more: Any) -> Patch:
    return {"data": {"source": "digits", **more}}


PLATEAU = schedule("plateau")
EACH = {"kind": "each", "layers": {"head": "zeros"}}
SHARP = {"epochs": [1]}
AT = "https://example.org/rows.npz"

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
    "data.augment.scale": ({}, data(augment={"scale": 0.1})),
    "data.augment.rotate": ({}, data(augment={"rotate": 10})),
    "data.validation_balanced": ({}, data(validation_balanced=True)),
    "data.target_scale": ({}, data(target_scale="standardize")),
    "data.checksum": (data(source=AT), data(source=AT, checksum="0" * 32)),
    "data.parameters": (data(source="blobs"), data(source="blobs", parameters={"n": 400})),
    "data.source": ({}, data(source="wine")),
    "data.target": (data(source="a.csv", target="y"), data(source="a.csv", target="z")),
    "data.test": (data(source="a.csv", target="y"), data(source="a.csv", target="y", test="b.csv")),
    "data.ids": (data(source="a.csv", target="y"), data(source="a.csv", target="y", ids=["id"])),
    "data.drop": (data(source="a.csv", target="y"), data(source="a.csv", target="y", drop=["note"])),
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
    "model.init.mean": (init("normal"), init("normal", mean=0.1)),
    "model.init.low": (init("uniform"), init("uniform", low=-0.2)),
    "model.init.high": (init("uniform"), init("uniform", high=0.2)),
    "model.init.biases": (init("he"), init("he", biases=0.1)),
    "model.init.layers": ({}, mlp(init=EACH)),
    "model.init.file": (started(), started() | init("from", file="other.safetensors")),
    "model.init.only": (started(), started(only=["head"])),
    "model.init.name": (started("own"), init("own", name="mine:other")),
    "model.init.others.kind": (drawn("default"), drawn("he")),
    "model.init.others.biases": (drawn("he"), drawn("he", biases=0.1)),
    "model.init.others.std": (drawn("normal"), drawn("normal", std=0.2)),
    "model.init.others.mean": (drawn("normal"), drawn("normal", mean=0.2)),
    "model.init.others.low": (drawn("uniform"), drawn("uniform", low=-0.2)),
    "model.init.others.high": (drawn("uniform"), drawn("uniform", high=0.2)),
    "model.init.others.value": (drawn("constant"), drawn("constant", value=0.2)),
    "model.init.others.distribution": (drawn("he"), drawn("he", distribution="uniform")),
    "model.init.others.gain": (drawn("he"), drawn("he", gain=2.0)),
    "model.init.others.layers": (drawn("he"), started(only=["head"], others=EACH)),
    "precision": ({}, {"precision": "bfloat16"}),
    "loss": ({}, {"loss": "mse"}),
    "loss_beta": ({"loss": "smooth_l1"}, {"loss": "smooth_l1", "loss_beta": 2.0}),
    "label_smoothing": ({}, {"label_smoothing": 0.1}),
    "smoothing_convention": ({}, {"smoothing_convention": "shared"}),
    "class_weights": ({}, {"class_weights": "balanced"}),
    "penalty.kind": ({}, l2()),
    "penalty.weight": (l2(), l2(weight=1.0)),
    "penalty.form": (l2(), l2(form="norm")),
    "penalty.on": (l2(), l2(on="all")),
    "penalty.terms": (l2(), {"penalty": [{"kind": "l1", "weight": 0.1}, {"kind": "l2", "weight": 0.1}]}),
    "optimizer.kind": (optimizer("adam"), optimizer("sgd")),
    "optimizer.lr": ({}, {"optimizer": {"kind": "adam", "lr": 0.2}}),
    "optimizer.momentum": (optimizer("sgd"), optimizer("sgd", momentum=0.9)),
    "optimizer.dampening": (optimizer("sgd"), optimizer("sgd", dampening=0.1)),
    "optimizer.nesterov": (
        optimizer("sgd", momentum=0.9),
        optimizer("sgd", momentum=0.9, nesterov=True),
    ),
    "optimizer.damping": (optimizer("newton"), optimizer("newton", damping=0.1)),
    "optimizer.biases.weight_decay": (optimizer("adam"), optimizer("adam", biases={"weight_decay": 0.2})),
    "optimizer.norms.lr": (optimizer("adam"), optimizer("adam", norms={"lr": 0.2})),
    "optimizer.beta2": (optimizer("adam"), optimizer("adam", beta2=0.9)),
    "optimizer.eps": (optimizer("adam"), optimizer("adam", eps=1e-6)),
    "optimizer.alpha": (optimizer("rmsprop"), optimizer("rmsprop", alpha=0.9)),
    "optimizer.initial_accumulator_value": (
        optimizer("adagrad"),
        optimizer("adagrad", initial_accumulator_value=0.1),
    ),
    "optimizer.weight_decay": (optimizer("adam"), optimizer("adam", weight_decay=0.1)),
    "optimizer.biases.lr": (optimizer("adam"), optimizer("adam", biases={"lr": 0.2})),
    "optimizer.norms.weight_decay": (optimizer("adam"), optimizer("adam", norms={"weight_decay": 0.2})),
    "optimizer.beta1": (optimizer("adam"), optimizer("adam", beta1=0.8)),
    "optimizer.centered": (optimizer("rmsprop"), optimizer("rmsprop", centered=True)),
    "optimizer.lr_decay": (optimizer("adagrad"), optimizer("adagrad", lr_decay=0.1)),
    "schedule.kind": ({}, schedule("cosine")),
    "schedule.warmup": ({}, schedule("constant", warmup=2)),
    "schedule.gamma": (schedule("exponential", gamma=0.9), schedule("exponential", gamma=0.8)),
    "schedule.warmup_start": (
        schedule("constant", warmup=1),
        schedule("constant", warmup=1, warmup_start=0.1),
    ),
    "schedule.step_size": (schedule("step", step_size=1), schedule("step", step_size=2)),
    "schedule.milestones": (schedule("multi_step", milestones=[1]), schedule("multi_step", milestones=[2])),
    "schedule.period": (schedule("cosine"), schedule("cosine", period=2)),
    "schedule.min_lr": (schedule("cosine"), schedule("cosine", min_lr=1e-4)),
    "schedule.pct_start": (cycle(), cycle(pct_start=0.5)),
    "schedule.anneal": (cycle(), cycle(anneal="linear")),
    "schedule.div_factor": (cycle(), cycle(div_factor=5)),
    "schedule.final_div_factor": (cycle(), cycle(final_div_factor=5)),
    "schedule.three_phase": (cycle(), cycle(three_phase=True)),
    "schedule.metric": (PLATEAU, schedule("plateau", metric="val_accuracy")),
    "schedule.patience": (PLATEAU, schedule("plateau", patience=3)),
    "schedule.factor": (PLATEAU, schedule("plateau", factor=0.5)),
    "schedule.threshold": (PLATEAU, schedule("plateau", threshold=0.5)),
    "schedule.threshold_mode": (PLATEAU, schedule("plateau", threshold_mode="abs")),
    "schedule.cooldown": (PLATEAU, schedule("plateau", cooldown=1)),
    "schedule.eps": (PLATEAU, schedule("plateau", eps=1e-6)),
    "clip.norm": ({}, {"clip": {"norm": 1.0}}),
    "clip.value": ({}, {"clip": {"value": 1.0}}),
    "clip.to_norm": ({}, {"clip": {"to_norm": 1.0}}),
    "batch_size": ({}, {"batch_size": 16}),
    "last_batch": ({}, {"last_batch": "drop"}),
    "accumulate": ({}, {"accumulate": 2}),
    "epochs": ({}, {"epochs": 7}),
    "early_stopping.patience": (early(), early(patience=3)),
    "early_stopping.metric": (early(), early(metric="train_loss")),
    "early_stopping.min_delta": (early(), early(min_delta=0.1)),
    "early_stopping.target": (early(), early(target=0.1)),
    "early_stopping.min_change": (early(), early(min_change=0.1)),
    "implementation": ({}, {"implementation": "scratch"}),
    "metrics": ({}, {"metrics": ["own"]}),
    "probes.histograms": ({}, probes(histograms=[1])),
    "probes.layers": ({}, probes(layers=False)),
    "probes.activation_rows": ({}, probes(activation_rows="validation")),
    "probes.units": ({}, probes(units=True)),
    "probes.gradient_noise": ({}, probes(gradient_noise=True)),
    "probes.confusion": ({}, probes(confusion=[1])),
    "probes.grid.points": ({}, probes(grid={"points": 50})),
    "probes.grid.epochs": ({}, probes(grid={"epochs": [1]})),
    "probes.sharpness.epochs": ({}, probes(sharpness=SHARP)),
    "probes.sharpness.radius": (probes(sharpness=SHARP), probes(sharpness=SHARP | {"radius": 0.2})),
    "probes.sharpness.directions": (probes(sharpness=SHARP), probes(sharpness=SHARP | {"directions": 2})),
    "better": ({}, {"better": {"own": "higher"}}),
}
