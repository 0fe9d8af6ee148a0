"""What each setting of an experiment refuses, and in which words."""

from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import MLP, SGD, Adam, DataSpec, Experiment, LinearModel, Study, parse_study

from .sources import refusal, small, with_experiment

PROBABILITY = "it must be at least 0 and below 1"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"model": "linaer"},
            "model: there is no model `linaer`; did you mean `linear`? "
            "(known: linear, mlp, cnn, sequential, module)",
        ),
        (
            {"model": {"hidden": [1]}},
            "model: `kind` is missing; it must be one of linear, mlp, cnn, sequential, module",
        ),
        (
            {"model": 5},
            "model: 5 is not a model; it must be a mapping with a `kind`: "
            "linear, mlp, cnn, sequential, module",
        ),
        (
            {"model": "mlp"},
            "model.hidden: this setting is missing; it must be a list, each item a whole number",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [64, 0]}},
            "model.hidden.1: 0 is not a valid item of hidden; it must be a whole number from 1 to 1,000,000",
        ),
        (
            {"model": {"kind": "mlp", "hiden": [64]}},
            "model.hiden: there is no such setting for `mlp`; did you mean `hidden`?",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "dropout": 1.5}},
            f"model.dropout: 1.5 is not a dropout probability; {PROBABILITY}, or a list of these",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "dropout": [0.1, 0.2]}},
            "model.dropout: this is a list of 2 for a network of 1 hidden layer; "
            "give one value for all or one for each",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "batch_norm": "yes"}},
            "model.batch_norm: 'yes' is not a choice of batch norm; it must be "
            "true or false, or a list of these",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "batch_norm": [True, False]}},
            "model.batch_norm: this is a list of 2 for a network of 1 hidden layer",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "drop_connect": 1}},
            f"model.drop_connect: 1 is not a probability; {PROBABILITY}, or a list of these",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "noise": [0.1, 0.2]}},
            "model.noise: this is a list of 2 for a network of 1 hidden layer",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "input_noise": -1}},
            "model.input_noise: -1 is not a standard deviation; it must be at least 0",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "layer_norm": True, "batch_norm": True}},
            "model.layer_norm: a network has batch norm or layer norm, not both",
        ),
        (
            {"model": {"kind": "mlp", "hidden": [8], "activation": "rely"}},
            "model.activation: there is no activation `rely`; did you mean `relu`? (known: relu, tanh,",
        ),
        (
            {"model": {"kind": "linear", "init": "zero"}},
            "model.init: there is no initialisation `zero`; did you mean `zeros`? (known: default, normal,",
        ),
        (
            {"model": {"kind": "linear", "init": {"kind": "uniform", "low": 1, "high": 0}}},
            "model.init.high: 0 is not above `low`, which is 1",
        ),
        (
            {"model": {"kind": "linear", "init": {"kind": "normal", "std": 0}}},
            "model.init.std: 0 is not a standard deviation; it must be above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": -0.01}},
            "optimizer.lr: -0.01 is not a learning rate; it must be above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": "fast"}},
            "optimizer.lr: 'fast' is not a learning rate; it must be a number above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": "0.1"}},
            "optimizer.lr: '0.1' is not a learning rate; it must be a number above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": True}},
            "optimizer.lr: true is not a learning rate; it must be a number above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": float("nan")}},
            "optimizer.lr: nan is not a learning rate; it must be a number above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "lr": None}},
            "optimizer.lr: null is not a learning rate; it must be a number above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "beta1": 0.9}},
            "optimizer.beta1: there is no such setting for `sgd` (known: kind, lr, momentum, dampening,",
        ),
        (
            {"optimizer": {"kind": "sgd", "nesterov": True}},
            "optimizer.nesterov: Nesterov's method needs a momentum above 0 and a "
            "dampening of 0; here they are 0 and 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "nesterov": True, "momentum": 0.9, "dampening": 0.1}},
            "here they are 0.9 and 0.1",
        ),
        (
            {"optimizer": {"kind": "adam", "beta2": 1}},
            "optimizer.beta2: 1 is not a decay rate of moments; " + PROBABILITY,
        ),
        (
            {"optimizer": {"kind": "rmsprop", "alpha": 1}},
            "optimizer.alpha: 1 is not a smoothing constant; " + PROBABILITY,
        ),
        (
            {"optimizer": {"kind": "adagrad", "momentum": 0.9}},
            "optimizer.momentum: there is no such setting for `adagrad` (known: kind, lr, lr_decay,",
        ),
        (
            {"optimizer": {"kind": "sgd", "biases": {"lr": 0}}},
            "optimizer.biases.lr: 0 is not a learning rate; it must be above 0",
        ),
        (
            {"optimizer": {"kind": "sgd", "norms": {"weight_decy": 0}}},
            "optimizer.norms.weight_decy: there is no such setting; did you mean `weight_decay`?",
        ),
        (
            {"optimizer": {"kind": "sgd", "biases": 0}},
            "optimizer.biases: 0 is not a group of settings; it must be a mapping of settings (lr,",
        ),
        (
            {"penalty": "l3"},
            "penalty: there is no penalty `l3` (known: none, l1, l2, several)",
        ),
        ({"penalty": "l1"}, "penalty.weight: this setting is missing; it must be a number of at least 0"),
        (
            {"penalty": {"kind": "l2", "weight": -1}},
            "penalty.weight: -1 is not a weight of a penalty; it must be at least 0",
        ),
        (
            {"penalty": {"kind": "l2", "weight": 1, "form": "nrm"}},
            "penalty.form: there is no form of an L2 penalty `nrm`; did you mean `norm`?",
        ),
        (
            {"penalty": {"kind": "l1", "weight": 1, "form": "norm"}},
            "penalty.form: the L1 norm of a tensor is the sum of its absolute values: `form: sum`",
        ),
        (
            {"penalty": [{"kind": "l3", "weight": 1}]},
            "penalty.terms.0: there is no penalty `l3` (known: l1, l2)",
        ),
        ({"penalty": []}, "penalty.terms: the list of penalties is empty; `penalty: none` is how to have"),
        (
            {"clip": {"to_norm": 1, "value": 1}},
            "clip.to_norm: a gradient that is scaled to a norm is not clipped as well; leave one out",
        ),
        ({"clip": {"norm": 0}}, "clip.norm: 0 is not a largest norm; it must be above 0"),
        (
            {"clip": 1},
            "clip: 1 is not a limit on gradients; it must be a mapping of settings (norm, value, to_norm)",
        ),
        (
            {"clip": "norm"},
            "clip: 'norm' is not a limit on gradients; it must be a mapping of settings (norm, value, to_",
        ),
        ({"schedule": "stp"}, "schedule: there is no schedule `stp`; did you mean `step`? (known: constant,"),
        ({"schedule": "step"}, "schedule.step_size: this setting is missing; it must be a whole number"),
        (
            {"schedule": {"kind": "multi_step", "milestones": [3, 1]}},
            "schedule.milestones: the epochs must rise from one to the next",
        ),
        (
            {"schedule": {"kind": "plateau", "metric": "val_los"}},
            "schedule.metric: there is no validation metric `val_los`; did you mean `val_loss`?",
        ),
        (
            {"schedule": {"kind": "plateau", "metric": "train_loss"}},
            "schedule.metric: there is no validation metric `train_loss`",
        ),
        (
            {"schedule": {"kind": "plateau", "factor": 1}},
            "schedule.factor: 1 is not a factor of the learning rate; it must be above 0 and below 1",
        ),
        (
            {"schedule": {"kind": "cosine", "warmup": -1}},
            "schedule.warmup: -1 is not a number of epochs; it must be at least 0",
        ),
        (
            {"label_smoothing": 1},
            "label_smoothing: 1 is not a label smoothing; it must be at least 0 and below 1",
        ),
        (
            {"smoothing_convention": "keras"},
            "smoothing_convention: there is no convention of label smoothing `keras` (known: torch, shared)",
        ),
        (
            {"class_weights": "balance"},
            "class_weights: there is no choice of class weights `balance`; did you mean `balanced`?",
        ),
        (
            {"class_weights": [1, 0]},
            "class_weights: [1, 0] is not a choice of class weights",
        ),
        (
            {"early_stopping": {"patience": 0}},
            "early_stopping.patience: 0 is not a number of epochs; it must be a whole number of at least 1",
        ),
        (
            {"early_stopping": {"metric": "loss"}},
            "early_stopping.metric: there is no metric `loss`; did you mean `val_loss`?",
        ),
        (
            {"early_stopping": {"min_change": 0}},
            "early_stopping.min_change: 0 is not a smallest change; it must be above 0",
        ),
        (
            {"early_stopping": 3},
            "early_stopping: 3 is not a rule of early stopping; it must be a mapping of settings (patience,",
        ),
        ({"loss_beta": 0}, "loss_beta: 0 is not a beta of a loss; it must be above 0"),
        ({"data": {}}, "data.source: this setting is missing; it must be text"),
        (
            {"data": {"source": "digits", "scale": "unti"}},
            "data.scale: there is no scale `unti`; did you mean `unit`? "
            "(known: unit, none, standardize, symmetric), or give a number above 0",
        ),
        (
            {"data": {"source": "digits", "scale": -3}},
            "data.scale: -3 is not a scale; it must be one of unit, none, "
            "standardize, symmetric, or a number above 0",
        ),
        (
            {"data": {"source": "digits", "validation": 1.5}},
            "data.validation: 1.5 is not a size of a validation split; "
            "it must be a whole number of at least 0, or a number above 0 and below 1",
        ),
        (
            {"data": {"source": "digits", "rows": 0}},
            "data.rows: 0 is not a number of rows; it must be a whole number of at least 1",
        ),
        (
            {"data": {"source": "digits", "label_noise": 2}},
            "data.label_noise: 2 is not a share of labels; it must be from 0 to 1",
        ),
        ({"epochs": 0}, "epochs: 0 is not a number of epochs; it must be a whole number from 1 to 1,000,000"),
        ({"epochs": 10**9}, "epochs: 1000000000 is not a number of epochs"),
        ({"batch_size": 2.5}, "batch_size: 2.5 is not a batch size; it must be a whole number of at least 1"),
        ({"batch_size": "32"}, "batch_size: '32' is not a batch size"),
        ({"lr": 0.1}, "lr: there is no such setting; did you mean `optimizer.lr`?"),
        (
            {"loss": "mae"},
            "loss: there is no loss `mae`; here it is called `l1`",
        ),
        ({"metrics": "f1"}, "metrics: 'f1' is not a list of metric names; it must be a list, each item text"),
        ({"metrics": ["a b"]}, "metrics: 'a b' is not a metric; give a name, or `package.module:Name`"),
        ({"metrics": ["accuracy"]}, "metrics: `accuracy` is measured anyway; give your metric another name"),
        ({"metrics": ["m.a:f1", "f1"]}, "metrics: two metrics have the same name"),
        (
            {"metrics": ["m:f1"]},
            "metrics.0: `m:f1` is code of your own; it is used only from Python or with --allow-code",
        ),
    ],
)
def test_wrong_setting_is_one_line(changes: dict[str, Any], line: str) -> None:
    lines = refusal(with_experiment(**changes))
    assert len(lines) == 1
    assert line in lines[0]
    assert lines[0].startswith("experiment.")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"experiment": "digits"},
            "experiment: 'digits' is not a valid experiment; it must be a mapping of settings (data, model,",
        ),
        ({"seed": 5}, "seed: there is no such setting; did you mean `seeds`?"),
        ({"lr": 5}, "lr: there is no such setting; did you mean `experiment.optimizer.lr`?"),
        ({"title": 3}, "title: 3 is not a title; it must be text"),
        (
            {"seeds": 0},
            "seeds: 0 is not a number or list of seeds; it must be a whole "
            "number from 1 to 10,000, or a list",
        ),
        ({"seeds": []}, "seeds: [] is not a number or list of seeds"),
        ({"seeds": [1, -1]}, "seeds: [1, -1] is not a number or list of seeds"),
        ({"seeds": [1, 1]}, "seeds: a seed is listed twice; each gives one trial per level"),
        ({"combine": "zipp"}, "combine: there is no way to combine factors `zipp`; did you mean `zip`?"),
        ({"claims": {}}, "claims: {} is not a list of claims"),
        (
            {"claims": ["x"]},
            "claims.0: 'x' is not a valid item of claims; it must be a mapping of settings (text,",
        ),
        (
            {"title": b"x"},
            "title: a bytes cannot stand in a specification; give text, numbers, lists and mappings",
        ),
        ({"title": "\ud800"}, "title: the text '\\ud800' holds characters that cannot be shown or saved"),
        ({"seeds": 10**400}, "seeds: this number is too large for anything here"),
    ],
)
def test_wrong_part_of_a_study_is_one_line(changes: dict[str, Any], line: str) -> None:
    lines = refusal(small(**changes))
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_missing_experiment() -> None:
    assert refusal({}) == [
        "experiment: this setting is missing; it must be a mapping of settings "
        "(data, model, precision, loss, loss_beta, label_smoothing, smoothing_convention, class_weights, "
        "penalty, optimizer, schedule, clip, batch_size, last_batch, accumulate, epochs, early_stopping, "
        "implementation, metrics, probes, better)"
    ]


def test_short_forms_are_the_same_as_full_forms() -> None:
    short = Experiment(data="digits", model={"kind": "mlp", "hidden": 64, "init": "zeros"}, optimizer="sgd")
    full = Experiment(
        data=DataSpec(source="digits"),
        model=MLP(hidden=(64,), init={"kind": "zeros"}),
        optimizer=SGD(),
    )
    assert short == full
    assert Experiment(data="digits", model="linear").model == LinearModel()
    assert Experiment(data="digits", model="linear").optimizer == Adam()


def test_python_mistakes_are_told_in_the_same_words() -> None:
    with pytest.raises(CeterisError, match=r"^SGD\.lr: -1 is not a learning rate; it must be above 0$"):
        SGD(lr=-1)
    with pytest.raises(CeterisError) as caught:
        Experiment(data="digits", model="mpl", optimizer="adma", epochs=0)
    assert [problem.where for problem in caught.value.problems] == [
        "Experiment.model",
        "Experiment.optimizer",
        "Experiment.epochs",
    ]


def test_numbers_of_other_libraries_become_plain_numbers() -> None:
    import numpy as np

    study = small(seeds=np.int64(3))
    study["experiment"]["optimizer"] = {"kind": "sgd", "lr": np.float32(0.5)}
    parsed = parse_study(study).study
    assert type(parsed.seeds) is int
    assert type(parsed.experiment.optimizer.lr) is float
    assert type(SGD(lr=np.float32(0.5)).lr) is float


def test_parts_are_frozen_and_refuse_what_is_unknown() -> None:
    experiment = Experiment(data="digits", model="linear")
    with pytest.raises(ValueError, match="frozen"):
        experiment.epochs = 3
    with pytest.raises(CeterisError, match=r"there is no such setting; did you mean `experiment\.epochs`"):
        Study(experiment=experiment, **{"epocs": 3})


def test_own_code_is_allowed_only_on_request() -> None:
    study = with_experiment(metrics=["package.module:f1"])
    assert parse_study(study, allow_code=True).study.experiment.metrics == ("package.module:f1",)
    varied = small(vary={"metrics": [["m:f1"]]}, claims=[])
    assert refusal(varied) == [
        "vary.metrics.0.0: `m:f1` is code of your own; it is used only from Python or with --allow-code"
    ]


@pytest.mark.parametrize("kind", ["sgd", "rmsprop"])
def test_a_momentum_of_one_or_more_is_refused(kind: str) -> None:
    settings = {"data": "digits", "model": "linear", "optimizer": {"kind": kind, "momentum": 1.2}}
    with pytest.raises(CeterisError, match=r"1\.2 is not a momentum; it must be at least 0 and below 1"):
        parse_study({"experiment": settings})
