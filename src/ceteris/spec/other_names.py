"""Names that other libraries give to settings and their values, so that a message can name ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ceteris.spec.labels import name_of

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "activation": ("activation_function", "act", "nonlinearity", "non_linearity"),
    "alpha": ("rho",),
    "batch_norm": ("batchnorm", "bn", "use_batch_norm"),
    "batch_size": ("bs", "batch", "minibatch_size"),
    "beta1": ("betas", "beta_1"),
    "beta2": ("beta_2",),
    "claims": ("hypotheses", "hypothesis"),
    "convolutions": ("channels", "filters"),
    "data": ("dataset", "datasets"),
    "drop_connect": ("dropconnect",),
    "dropout": ("dropout_rate", "dropout_p", "dropout_prob", "p"),
    "early_stopping": ("patience", "early_stop"),
    "epochs": ("max_epochs", "n_epochs", "num_epochs", "nb_epoch", "n_iter", "iterations"),
    "eps": ("epsilon",),
    "folds": ("cv", "cross_validation", "kfold", "n_splits", "k_folds"),
    "hidden": ("hidden_layer_sizes", "hidden_layers", "hidden_size", "hidden_sizes", "units", "widths"),
    "init": ("initializer", "initialiser", "weight_init", "kernel_initializer"),
    "kernel": ("kernel_size",),
    "label_smoothing": ("smoothing",),
    "loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "lr": ("learning_rate", "learning_rate_init", "eta", "eta0", "step_length"),
    "model": ("net", "network", "architecture"),
    "optimizer": ("optimiser", "optim", "solver"),
    "penalty": ("regularization", "regularisation", "regularizer", "l1", "l2"),
    "schedule": ("scheduler", "lr_scheduler", "lr_schedule", "learning_rate_schedule"),
    "seeds": ("seed", "n_seeds", "random_state", "repetitions", "repeats"),
    "vary": ("grid", "param_grid", "factors", "levels", "sweep"),
    "weight_decay": ("decay", "wd"),
    "accumulate": ("accumulation", "accumulate_grad_batches", "grad_accumulation"),
    "clip": ("grad_clip", "gradient_clip", "gradient_clipping", "max_grad_norm", "clip_grad_norm"),
    "precision": ("dtype", "amp"),
}
"""Name of a setting here -> what it is called elsewhere (PyTorch, Keras, scikit-learn, Lightning)."""

OTHER_VALUES: dict[str, tuple[str, ...]] = {
    "bfloat16": ("bf16",),
    "binary_cross_entropy": ("bce_with_logits", "binary_cross_entropy_with_logits"),
    "binary_cross_entropy_probabilities": ("bce",),
    "cosine": ("cosine_annealing", "cosine_annealing_lr"),
    "cross_entropy": ("ce", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    "exponential": ("exponential_lr",),
    "float16": ("fp16", "half"),
    "l1": ("mae", "mean_absolute_error"),
    "mse": ("mean_squared_error",),
    "multi_step": ("multi_step_lr",),
    "one_cycle": ("one_cycle_lr",),
    "plateau": ("reduce_lr_on_plateau", "reduce_on_plateau"),
    "step": ("step_lr",),
}
"""Name of a kind or choice here -> what it is called elsewhere."""

_OURS = {other: name for name, others in OTHER_NAMES.items() for other in others}


def known_as(name: str, known: Sequence[str]) -> str | None:
    """Return the name in ``known`` of the setting that others call ``name``, or None."""
    ours = _OURS.get(name.lower())
    return ours if ours in known else None


_OUR_VALUES = {other.replace("_", ""): name for name, others in OTHER_VALUES.items() for other in others}


def value_known_as(name: str, known: Sequence[str]) -> str | None:
    """Return the choice in ``known`` that others call ``name`` (`CosineAnnealingLR`, `MSELoss`), or None."""
    ours = {choice.replace("_", ""): choice for choice in known}
    short = name.lower().replace("_", "")
    for guess in (short, short.removesuffix("loss")):
        if guess in ours or _OUR_VALUES.get(guess) in known:
            return ours.get(guess) or _OUR_VALUES[guess]
    return None


def code_name(value: Any) -> str | None:
    """Return the name of what is code rather than plain data: a class, a function or an object."""
    if value is None or isinstance(value, bool | int | float | str | list | tuple | dict):
        return None
    return name_of(value)
