"""Activations on the outputs and losses at the edges: huge logits, zeros, networks that run as modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.class_losses import one_output_loss
from ceteris.train.cpu.losses import BINARY_PROBABILITIES, HINGE, PERCEPTRON
from ceteris.train.cpu.outputs import softmax_backward, softmax_forward

from . import oracle
from .runs import Train, plan

HUGE = np.array([[1e4, -1e4, 0.0], [1e4, 1e4, -1e4], [-1e4, -1e4, -1e4]], np.float32)


@pytest.mark.parametrize("log", [0, 1], ids=["softmax", "log-softmax"])
def test_softmax_of_huge_logits_in_float32(log: int) -> None:
    x, (y, dx) = np.ascontiguousarray(HUGE.T), np.empty((2, 3, 3), np.float32)
    softmax_forward(log, x, y, np.empty(3, np.float32), np.empty(3, np.float32))
    logits = torch.from_numpy(HUGE.astype(np.float64)).requires_grad_()
    expected = (torch.log_softmax if log else torch.softmax)(logits, 1)
    np.testing.assert_allclose(y.T, expected.detach().numpy(), rtol=1e-6)
    dy = np.arange(9, dtype=np.float32).reshape(3, 3)
    softmax_backward(log, y, dy, dx, np.empty(3, np.float32))
    expected.backward(torch.from_numpy(dy.T.astype(np.float64)))
    assert logits.grad is not None
    np.testing.assert_allclose(dx.T, logits.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "outputs", "total", "slopes"),
    [
        # By the definitions, with labels 0, 1, 1, 0.
        (HINGE, [1.0, 1.0, -2.0, -3.0], 2 + 0 + 3 + 0, [1, 0, -1, 0]),
        (PERCEPTRON, [1.0, 2.0, -2.0, 0.0], 1 + 0 + 2 + 0, [1, 0, -1, 1]),
        (BINARY_PROBABILITIES, [0.0, 1.0, 0.5, 0.5], 2 * np.log(2), [0, 0, -2, 2]),
        (BINARY_PROBABILITIES, [1.0, 0.0, 1.0, 0.0], 200.0, [1e12, -1e12, 0, 0]),
    ],
)
def test_losses_of_one_output_at_their_edges(
    loss: int, outputs: list[float], total: float, slopes: list[float]
) -> None:
    z = np.array(outputs)[:, None]
    gradient = np.empty_like(z)
    found, _ = one_output_loss(loss, z, np.array([0, 1, 1, 0]), gradient)
    assert found == pytest.approx(total)
    np.testing.assert_allclose(4 * gradient[:, 0], slopes)


def cnn(member: nn.Module, place: str) -> nn.Sequential:
    """The network of the test below by hand, with the member's initial tensors in order."""

    class RootPlusEps(nn.BatchNorm2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mean = x.mean((0, 2, 3), keepdim=True)
            root = x.var((0, 2, 3), correction=0, keepdim=True).sqrt()
            return (x - mean) / (root + self.eps) * self.weight[:, None, None] + self.bias[:, None, None]

    norm = (RootPlusEps if place == "outside" else nn.BatchNorm2d)(3, eps=0.1)
    convolution = nn.Conv2d(1, 3, 3, padding=1, bias=False)
    layers = [nn.Unflatten(1, (1, 4, 4)), convolution, norm, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    built = nn.Sequential(*layers, nn.Linear(12, 4, bias=False), nn.ReLU(), nn.Softmax(1)).double()
    with torch.no_grad():
        for own, start in zip(built.parameters(), member.parameters(), strict=True):
            own.copy_(start)
    return built


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_convolutional_networks_have_them_too(place: str) -> None:
    model = {"kind": "cnn", "convolutions": [3], "batch_norm": True, "batch_norm_eps": 0.1, "bias": False}
    model |= {"batch_norm_eps_place": place, "output": ["relu", "softmax"]}
    stack = [
        Experiment(data="digits", model=model, loss="mse", batch_size=8, epochs=2, clip={"to_norm": norm})
        for norm in (0.1, 1.0)
    ]
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 16)), np.concatenate([np.arange(4), rng.integers(4, size=26)])
    orders = [rng.permutation(30) for _ in range(2)]
    stacked = oracle.stack_of(stack, 16, 4, (4, 4))
    modules = [cnn(stacked.member(i), place) for i in range(2)]
    found = oracle.run("module", stack, stacked, x, y, orders).parameters()
    for i, (one, module) in enumerate(zip(stack, modules, strict=True)):
        oracle.train(one, module, x, y, orders)
        expected = np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])
        assert np.linalg.norm(found[i] - expected) < 1e-9 * np.linalg.norm(expected)


MLP: dict[str, Any] = {"kind": "mlp", "hidden": [64, 16, 16], "residual": True, "batch_norm": True}


@pytest.mark.parametrize(
    ("loss", "output"), [("nll", ["log_softmax"]), ("cross_entropy", []), ("mse", ["softmax"])]
)
def test_a_trained_member_handed_out_computes_what_was_measured(
    train: Train, digits: Preparation, loss: str, output: list[str]
) -> None:
    model = MLP | {"output": output, "batch_norm_eps_place": "outside"}
    one = plan("one", model=model, loss=loss, epochs=3, optimizer={"kind": "adam", "lr": 0.01})
    outcome = train(one)
    net = architecture(one.experiment.model, 64, 10)
    module = initial_stack(net, [one.experiment.model], [0]).member(0)
    tensors = {name: torch.from_numpy(value) for name, value in outcome.ended["one"].final.items()}
    module.load_state_dict(tensors)
    own = digits.prepare(one.experiment.data, 0)
    rows = own.split.validation
    with torch.no_grad():
        outputs = module.eval()(torch.from_numpy(own.x[rows]))
    right = (outputs.argmax(1).numpy() == own.y[rows]).mean()
    assert outcome.curve("one", "val_accuracy")[-1] == pytest.approx(right)
    assert right > 0.5


def test_perceptron_from_zeros_learns_what_can_be_separated(train: Train) -> None:
    """On two classes that a line separates, updates on mistakes end in a pass without any (Novikoff 1962)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    x = x[np.abs(x @ (2.0, -3.4)) > 1.0]
    y = (x @ (2.0, -3.4) > 0).astype(np.int64)
    model = {"kind": "linear", "init": "zeros"}
    own = {"data": {"source": "arrays", "scale": "none"}, "model": model, "loss": "perceptron"}
    one = plan("p", **own, batch_size=1, optimizer={"kind": "sgd", "lr": 1.0}, epochs=30)
    outcome = train(one, preparation=Preparation(arrays(x, y, name="arrays")))
    assert outcome.curve("p", "train_accuracy")[-1] == 1.0
    assert outcome.curve("p", "train_loss")[-1] == 0.0
