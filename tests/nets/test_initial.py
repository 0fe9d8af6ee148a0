"""Initial weights: the right distribution, and the same numbers wherever shapes agree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from torch import nn

from ceteris.nets.architecture import architecture, named_views
from ceteris.nets.initial import initial_parameters, unknown_layers
from ceteris.spec.init import (
    ConstantInit,
    DefaultInit,
    EachInit,
    HeInit,
    InitSpec,
    NormalInit,
    UniformInit,
    XavierInit,
    ZerosInit,
)
from ceteris.spec.model import MLP

FAN_IN, FAN_OUT = 300, 100


def tensors(init: InitSpec, hidden: tuple[int, ...] = (FAN_OUT,), seed: int = 0) -> dict[str, Any]:
    net = architecture(MLP(hidden=hidden, batch_norm=True), FAN_IN, 10)
    return dict(named_views(net.parameters, initial_parameters(net, init, seed)))


def uniform(bound: float) -> Any:
    return stats.uniform(-bound, 2 * bound).cdf


@pytest.mark.parametrize(
    ("init", "distribution"),
    [
        (DefaultInit(), uniform(1 / math.sqrt(FAN_IN))),
        (NormalInit(std=0.01), stats.norm(0, 0.01).cdf),
        (NormalInit(std=2, mean=1), stats.norm(1, 2).cdf),
        (UniformInit(low=-0.5, high=0.1), stats.uniform(-0.5, 0.6).cdf),
        (XavierInit(), uniform(math.sqrt(6 / (FAN_IN + FAN_OUT)))),
        (XavierInit(distribution="normal"), stats.norm(0, math.sqrt(2 / (FAN_IN + FAN_OUT))).cdf),
        (XavierInit(gain=3), uniform(3 * math.sqrt(6 / (FAN_IN + FAN_OUT)))),
        (HeInit(gain=0.5), stats.norm(0, 0.5 * math.sqrt(2 / FAN_IN)).cdf),
        (HeInit(), stats.norm(0, math.sqrt(2 / FAN_IN)).cdf),
        (HeInit(distribution="uniform"), uniform(math.sqrt(6 / FAN_IN))),
    ],
    ids=[
        "default",
        "normal",
        "normal-wide",
        "uniform",
        "xavier",
        "xavier-normal",
        "xavier-gain",
        "he-gain",
        "he",
        "he-uniform",
    ],
)
def test_weights_follow_their_distribution(init: InitSpec, distribution: Any) -> None:
    drawn = tensors(init)["hidden.0.linear.weight"].reshape(-1)
    assert stats.kstest(drawn, distribution).pvalue > 1e-3


def test_default_is_the_distribution_of_torch_layers() -> None:
    layer = nn.Linear(FAN_IN, FAN_OUT)
    ours = tensors(DefaultInit())
    for name, theirs in (("weight", layer.weight), ("bias", layer.bias)):
        both = stats.ks_2samp(
            ours[f"hidden.0.linear.{name}"].reshape(-1), theirs.detach().numpy().reshape(-1)
        )
        assert both.pvalue > 1e-3


@pytest.mark.parametrize("init", [NormalInit(), XavierInit(), HeInit(), ZerosInit(), ConstantInit()], ids=str)
def test_biases_start_at_zero_where_only_weights_are_given(init: InitSpec) -> None:
    found = tensors(init)
    assert not found["hidden.0.linear.bias"].any()
    assert not found["head.bias"].any()
    assert (found["hidden.0.norm.weight"] == 1).all()


def test_constants() -> None:
    assert (tensors(ConstantInit(value=0.5))["head.weight"] == 0.5).all()
    assert not tensors(ZerosInit())["head.weight"].any()


def test_depth_and_width_do_not_shift_the_draws() -> None:
    shallow, deep = tensors(DefaultInit()), tensors(DefaultInit(), (FAN_OUT, FAN_OUT))
    assert np.array_equal(shallow["hidden.0.linear.weight"], deep["hidden.0.linear.weight"])
    assert np.array_equal(shallow["head.weight"], deep["head.weight"])
    narrow = tensors(NormalInit(), (40,))
    assert np.array_equal(
        narrow["hidden.0.linear.weight"], tensors(NormalInit())["hidden.0.linear.weight"][:40]
    )


def test_scales_share_the_draws_behind_them() -> None:
    small, large = tensors(NormalInit(std=0.01)), tensors(NormalInit(std=1.0))
    np.testing.assert_allclose(small["head.weight"] * 100, large["head.weight"])


def test_layers_start_each_in_its_own_way() -> None:
    init = MLP(
        hidden=(4,), init={"head": "zeros", "default": {"kind": "normal", "std": 2, "biases": 0.5}}
    ).init
    assert isinstance(init, EachInit)
    found, normal = tensors(init), tensors(NormalInit(std=2))
    assert np.array_equal(found["hidden.0.linear.weight"], normal["hidden.0.linear.weight"])
    assert (found["hidden.0.linear.bias"] == 0.5).all()
    assert not found["head.weight"].any()
    others = tensors(EachInit(layers={"head": ZerosInit(biases=-1)}))
    assert np.array_equal(others["hidden.0.linear.weight"], tensors(DefaultInit())["hidden.0.linear.weight"])
    assert (others["head.bias"] == -1).all()


def test_layers_that_the_network_lacks_are_named() -> None:
    net = architecture(MLP(hidden=(4,)), 3, 2)
    ((name, message),) = unknown_layers(net, EachInit(layers={"hiden.0": ZerosInit()}))
    assert name == "hiden.0"
    assert message.startswith("there is no layer with weights `hiden.0`; did you mean `hidden.0`?")


def test_seeds_differ() -> None:
    a, b = tensors(DefaultInit(), seed=0), tensors(DefaultInit(), seed=1)
    assert (
        abs(
            np.corrcoef(a["hidden.0.linear.weight"].reshape(-1), b["hidden.0.linear.weight"].reshape(-1))[
                0, 1
            ]
        )
        < 0.05
    )
