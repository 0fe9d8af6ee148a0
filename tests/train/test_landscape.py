"""The loss around weights, against closed forms; directions by filter, and single weights by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.errors import CeterisError
from ceteris.train.landscape import (
    LossAround,
    losses_over,
    moved,
    one_thread,
    random_direction,
    weight_direction,
)

X = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 3))).float()
Y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3


def squared(outputs, targets):
    return float((outputs - targets).square().mean())


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def weights_of(network):
    return {name: own.detach() for name, own in network.named_parameters()}


def test_the_plane_of_two_weights_is_the_quadratic_that_it_has_to_be():
    network = linear()
    weights = weights_of(network)
    (first, own_first), (second, own_second) = (weight_direction(weights, f"weight[0,{k}]") for k in (0, 1))
    assert (own_first, own_second) == (float(weights["weight"][0, 0]), float(weights["weight"][0, 1]))
    a, b = [-1.0, 0.0, 2.0], [0.0, 0.5]
    (found,) = losses_over([LossAround(network, X, Y, squared)], weights, (first, second), a, b)
    w = weights["weight"].double().numpy()[0]
    for i, y in enumerate(b):
        for k, x in enumerate(a):
            own = w + np.array([x, y, 0.0])
            errors = X.double().numpy() @ own + float(weights["bias"]) - Y.double().numpy()[:, 0]
            assert found[i, k] == pytest.approx(np.square(errors).mean(), rel=1e-5)


def test_looking_around_leaves_the_network_as_it_was():
    network = linear()
    before = {name: own.clone() for name, own in network.state_dict().items()}
    around = LossAround(network, X, Y, squared)
    around.rises(weights_of(network), [random_direction(weights_of(network), 0, 1)], [0.5])
    assert all(torch.equal(own, before[name]) for name, own in network.state_dict().items())


def test_a_direction_has_the_norm_of_every_filter_and_leaves_biases_alone():
    weights = {"conv": torch.randn(4, 3, 2, 2), "dense": torch.randn(5, 7), "bias": torch.randn(5)}
    found = random_direction(weights, 3, 0)
    assert set(found) == {"conv", "dense"}
    for name, own in found.items():
        norms = [tensor.reshape(len(tensor), -1).norm(dim=1) for tensor in (own, weights[name])]
        assert torch.allclose(*norms, rtol=1e-5)
    assert torch.equal(moved(weights, found, 0.5)["bias"], weights["bias"])


def test_directions_are_drawn_by_seed_number_and_name_and_do_not_hang_on_the_scale():
    weights = {"dense": torch.randn(5, 7)}
    first = random_direction(weights, 0, 0)["dense"]
    assert torch.equal(first, random_direction(weights, 0, 0)["dense"])
    assert not torch.equal(first, random_direction(weights, 0, 1)["dense"])
    assert not torch.equal(first, random_direction(weights, 1, 0)["dense"])
    scaled = random_direction({"dense": 10 * weights["dense"]}, 0, 0)["dense"]
    assert torch.allclose(scaled, 10 * first, rtol=1e-5)


def test_a_rescaled_relu_network_is_just_as_flat():
    network = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    weights = weights_of(network)
    weights = {name: own * (0 if "bias" in name else 1) for name, own in weights.items()}
    rescaled = {**weights, "0.weight": 8 * weights["0.weight"], "2.weight": weights["2.weight"] / 8}
    around = LossAround(network, X, Y, squared)
    rises = [
        around.rises(own, [random_direction(own, 0, k) for k in range(3)], [0.1, 0.5])
        for own in (weights, rescaled)
    ]
    assert rises[0] == pytest.approx(rises[1], rel=1e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weight", "`weight` is not one weight; write a tensor and a place, such as `head.weight[0,3]`"),
        ("wieght[0,0]", "there is no parameter tensor `wieght`; did you mean `weight`?"),
        ("weight[0,3]", "`weight[0,3]` is no place in weight, which is 1 x 3; places count from 0"),
        ("weight[0]", "`weight[0]` is no place in weight, which is 1 x 3; places count from 0"),
    ],
)
def test_a_weight_that_is_not_there_is_told(text, words):
    with pytest.raises(CeterisError) as error:
        weight_direction(weights_of(linear()), text)
    assert words in str(error.value)


def test_the_number_of_threads_is_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
