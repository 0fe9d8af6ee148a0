"""Members of one stack with settings drawn at random, as Hypothesis strategies; nothing drawn in training."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from ceteris.spec.losses import ONE_OUTPUT
from ceteris.spec.model_parts import Activation

Settings = dict[str, Any]
Drawn = st.SearchStrategy[Settings]

FAMILIES = ("sgd", "adam", "rmsprop", "adagrad")
EPOCHS = 3
OF_NUMBERS = ("mse", "mse_half", "l1", "smooth_l1", "huber")
OF_CLASSES = ("cross_entropy", "nll", "mse", "mse_half", *ONE_OUTPUT)

ACTIVATIONS = st.sampled_from(get_args(Activation))
DECAY = st.one_of(st.just(0.0), st.floats(1e-4, 0.1))
APART = st.fixed_dictionaries({}, optional={"lr": st.floats(1e-4, 0.05), "weight_decay": DECAY})


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


def _optimizer(kind: str, **own: st.SearchStrategy[Any]) -> Drawn:
    shared = {"weight_decay": DECAY, "biases": APART, "norms": APART}
    return st.fixed_dictionaries({"kind": st.just(kind), "lr": own.pop("lr")}, optional=shared | own)


_ADAM = {"lr": between(1e-4, 0.02), "beta1": between(0, 0.95), "beta2": between(0.5, 0.999)}
_ADAM["eps"] = between(1e-8, 1e-3)
_RMSPROP = {"lr": between(1e-4, 0.01), "alpha": between(0.5, 0.99), "momentum": between(0, 0.9)}
# A centred second moment may be a difference of equals: an eps below its rounding would blow that up.
_CENTERED = _RMSPROP | {"centered": st.just(True), "eps": between(1e-4, 1e-2)}
_SGD = {"lr": between(1e-3, 0.1)}

OPTIMIZERS: dict[str, Drawn] = {
    "sgd": st.one_of(
        _optimizer("sgd", **_SGD, momentum=between(0, 0.9), dampening=between(0, 0.9)),
        _optimizer("sgd", **_SGD, momentum=between(0.1, 0.9), nesterov=st.booleans()).filter(
            lambda own: not own.get("nesterov") or own.get("momentum", 0) > 0
        ),
    ),
    "adam": st.one_of(_optimizer("adam", **_ADAM), _optimizer("adamw", **_ADAM)),
    "rmsprop": st.one_of(
        _optimizer("rmsprop", **_RMSPROP, eps=between(1e-6, 1e-3)),
        _optimizer("rmsprop", **_CENTERED).filter(lambda own: "centered" not in own or "eps" in own),
    ),
    "adagrad": st.builds(
        lambda own, eps: own | {"eps": eps},
        _optimizer(
            "adagrad",
            lr=between(1e-3, 0.05),
            lr_decay=between(0, 0.5),
            initial_accumulator_value=between(0, 1),
        ),
        between(1e-6, 1e-3),
    ),
}


ON = st.sampled_from(["weights", "all"])
TERM = st.one_of(
    st.fixed_dictionaries({"kind": st.just("l1"), "weight": between(0, 0.02)}, optional={"on": ON}),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["l1", "l2"]), "form": st.just("mean"), "weight": between(0, 0.5)},
        optional={"on": ON},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("l2"), "form": st.sampled_from(["sum", "norm"]), "weight": between(0, 0.1)},
        optional={"on": ON},
    ),
)

GAMMA = between(0.1, 1.2)
SCHEDULES = st.one_of(
    st.just({"kind": "constant"}),
    st.fixed_dictionaries({"kind": st.just("step"), "step_size": st.integers(1, 3), "gamma": GAMMA}),
    st.fixed_dictionaries(
        {
            "kind": st.just("multi_step"),
            "milestones": st.sampled_from([[1], [2], [1, 2], [2, 9]]),
            "gamma": GAMMA,
        }
    ),
    st.fixed_dictionaries({"kind": st.just("exponential"), "gamma": GAMMA}),
    st.fixed_dictionaries(
        {"kind": st.just("cosine")}, optional={"min_lr": between(0, 0.01), "period": st.integers(1, 6)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("one_cycle"), "pct_start": between(0.4, 0.8)},
        optional={
            "anneal": st.sampled_from(["cos", "linear"]),
            "div_factor": between(1.5, 50),
            "final_div_factor": between(1, 1e4),
        },
    ),
)

CLIPS = st.one_of(
    st.fixed_dictionaries({"norm": between(0.01, 3)}),
    st.fixed_dictionaries({"value": between(0.001, 1)}),
    st.fixed_dictionaries({"to_norm": between(0.01, 1)}),
    st.fixed_dictionaries({"norm": between(0.1, 3), "value": between(0.001, 1)}),
)


def objectives(loss: str, n_out: int) -> dict[str, st.SearchStrategy[Any]]:
    """What a member's loss may have of its own."""
    if loss in ("smooth_l1", "huber"):
        return {"loss_beta": between(0.05, 3)}
    if loss != "cross_entropy":
        return {}
    given = st.lists(between(0.1, 5), min_size=n_out, max_size=n_out)
    return {
        "label_smoothing": between(0, 0.5),
        "smoothing_convention": st.sampled_from(["torch", "shared"]),
        "class_weights": st.one_of(st.just("balanced"), given),
    }


@st.composite
def members(draw: st.DrawFn, loss: str, n_out: int) -> list[Settings]:
    """Between one and five members whose optimisers are of one family, everything else of their own."""
    family = draw(st.sampled_from(FAMILIES))
    one = st.fixed_dictionaries(
        {"optimizer": OPTIMIZERS[family]},
        optional={
            "penalty": st.lists(TERM, min_size=1, max_size=2),
            "schedule": SCHEDULES,
            "clip": CLIPS,
            **objectives(loss, n_out),
        },
    )
    return draw(st.lists(one.filter(_has_no_kink_on_its_way), min_size=1, max_size=5))


def _has_no_kink_on_its_way(member: Settings) -> bool:
    """Steps that are all cut to one length lead a shift back to 0, where rounding decides on the sign."""
    everywhere = any(term.get("on") == "all" for term in member.get("penalty", ()))
    return not (everywhere and "value" in member.get("clip", {}))


@st.composite
def heads(draw: st.DrawFn, of_classes: bool) -> tuple[str, list[str], int]:
    """A loss, activations on the outputs that it can be taken of, and how many outputs there are."""
    loss = draw(st.sampled_from(OF_CLASSES if of_classes else OF_NUMBERS))
    count = 1 if loss in ONE_OUTPUT else draw(st.integers(2 if of_classes else 1, 4))
    bent = draw(st.lists(st.sampled_from(["tanh", "gelu", "softplus"]), max_size=1))
    last = {"nll": ["log_softmax"], "binary_cross_entropy_probabilities": ["sigmoid"]}.get(loss, [])
    if loss in ("mse", "mse_half") and of_classes and draw(st.booleans()):
        last = ["softmax"]
    return loss, [*bent, *last], count


@st.composite
def mlps(draw: st.DrawFn, output: list[str]) -> Settings:
    """An MLP whose every parameter has a gradient: what has none is moved by rounding alone.

    Such are a bias before batch norm, its shift where another batch norm follows, and the weights before a
    layer norm of one or two units, which makes 0 or +-1 of them.
    """
    norm = draw(st.sampled_from(["none", "batch", "layer"]))
    hidden = draw(st.lists(st.integers(3 if norm == "layer" else 1, 6), max_size=3))
    own = {
        "hidden": hidden,
        "activation": draw(ACTIVATIONS),
        "residual": draw(st.booleans()),
        "layer_norm": norm == "layer",
        "output": output,
    }
    if norm == "batch" and hidden:
        place = draw(st.integers(0, len(hidden) - 1))
        own["batch_norm"] = [place == layer for layer in range(len(hidden))]
        own["bias"] = False
        own["batch_norm_eps"] = draw(between(1e-5, 0.1))
        own["batch_norm_eps_place"] = draw(st.sampled_from(["inside", "outside"]))
    return {"kind": "mlp"} | own


@st.composite
def cnns(draw: st.DrawFn, output: list[str]) -> Settings:
    """A convolutional network for images of at least 4 x 4, whose every parameter has a gradient."""
    activation = draw(ACTIVATIONS)
    batch_norm = draw(st.booleans()) and activation not in ("identity", "hardtanh")
    return {
        "kind": "cnn",
        "convolutions": draw(st.lists(st.integers(1, 4), min_size=1, max_size=2)),
        "kernel": draw(st.sampled_from([1, 3, 5])),
        "pool": draw(st.sampled_from([1, 2])),
        "hidden": draw(st.lists(st.integers(1, 5), max_size=2)),
        "activation": activation,
        "batch_norm": batch_norm,
        "bias": not batch_norm,
        "output": output,
    }
