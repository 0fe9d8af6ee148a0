"""The implementations of training besides the engines: what makes them, and what they do not know."""

from __future__ import annotations

from collections.abc import Iterator

from ceteris.spec.experiment import Experiment
from ceteris.spec.implementation import BUILTIN
from ceteris.spec.model import MLP, LinearModel
from ceteris.spec.optimizer import SGD
from ceteris.spec.penalty import penalties_of
from ceteris.train.engine import EngineFactory

ACTIVATIONS = ("relu", "sigmoid", "tanh", "identity")
LOSSES = (
    *("cross_entropy", "binary_cross_entropy", "hinge", "perceptron"),
    *("mse", "mse_half", "l1", "smooth_l1"),
)
FORMS = ("sum", "mean")

Found = tuple[str, str]


def engine_factory(implementation: str) -> EngineFactory | None:
    """Return what makes the engine of an implementation; None: ``train_cohort`` chooses one."""
    if implementation == BUILTIN:
        return None
    from ceteris.lab.scratch_engine import ScratchEngine

    return ScratchEngine


def implementation_problems(experiment: Experiment, loss: str) -> Iterator[Found]:
    """Yield (path, sentence) for every setting that an experiment's implementation does not know.

    Args:
        loss: the resolved loss.
    """
    if experiment.implementation == BUILTIN:
        return
    for path, what, known in _unknown(experiment, loss):
        yield f"experiment.{path}", f"`implementation: scratch` has {what}; {known}, or train with `builtin`"


def _unknown(experiment: Experiment, loss: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path of a setting, what is not there, and what could be set instead."""
    yield from _of_the_model(experiment)
    yield from _of_the_step(experiment)
    if loss not in LOSSES:
        yield "loss", f"no {loss} loss", f"it knows {', '.join(LOSSES)}: use one of these"
    if experiment.label_smoothing > 0:
        yield "label_smoothing", "no label smoothing", "set it to 0"
    if experiment.class_weights is not None:
        yield "class_weights", "no class weights", "remove them"
    if experiment.precision != "float32":
        yield "precision", f"no {experiment.precision}", "use float32"
    for term in penalties_of(experiment.penalty):
        if term.form not in FORMS:
            yield "penalty", f"no penalty of the form `{term.form}`", f"use {' or '.join(FORMS)}"


def _of_the_model(experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    model = experiment.model
    if not isinstance(model, LinearModel | MLP):
        yield "model", f"no model of the kind {model.kind}", "use linear or mlp"
        return
    if model.output:
        yield "model.output", "no activations on the outputs", "remove them"
    if isinstance(model, LinearModel):
        return
    if model.hidden and model.activation not in ACTIVATIONS:
        known = f"it knows {', '.join(ACTIVATIONS)}: use one of these"
        yield "model.activation", f"no activation {model.activation}", known
    if model.residual:
        yield "model.residual", "no residual connections", "set it to false"
    if model.layer_norm:
        yield "model.layer_norm", "no layer norm", "set it to false"
    if model.batch_norm_eps_place == "outside":
        yield "model.batch_norm_eps_place", "batch norm's eps inside the root only", "set it to inside"
    if model.input_noise > 0:
        yield "model.input_noise", "no noise", "set it to 0"
    if max(model.noise if isinstance(model.noise, tuple) else (model.noise,), default=0.0) > 0:
        yield "model.noise", "no noise", "set it to 0"


def _of_the_step(experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    optimizer = experiment.optimizer
    if not isinstance(optimizer, SGD):
        yield "optimizer", f"no {optimizer.kind}", "use sgd"
    elif optimizer.momentum > 0:
        yield "optimizer.momentum", "plain SGD without momentum", "set it to 0"
    clip = experiment.clip
    if any(limit is not None for limit in (clip.norm, clip.value, clip.to_norm)):
        yield "clip", "no limits on gradients", "remove them"
