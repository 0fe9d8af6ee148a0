"""Layers, a network, a metric and an initialisation of one's own, for ``own_network.yaml``."""

import torch
from torch import Tensor, nn


class Centred(nn.Module):
    """A layer without parameters: takes off each row's mean."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=1, keepdim=True)


class Dense(nn.Module):
    """A layer with parameters: (n, inputs) to (n, units), through a ReLU."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, units) / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.weight + self.bias)


class Net(nn.Module):
    """Uses both, with a constant and code of its own in the forward pass."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), Centred(), Dense(64, width), Dense(width, width))
        self.head = nn.Linear(width, 10)
        self.register_buffer("scale", torch.tensor(2.0))  # saved, and moved with the network; not trained

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.body(x)
        while hidden.abs().sum() > 1e6:  # any code
            hidden = hidden / 2
        outputs: Tensor = self.head(hidden * self.scale)
        return outputs


def top2(outputs: Tensor, targets: Tensor) -> Tensor:
    """The share of rows whose class is one of the two likeliest."""
    return (outputs.topk(2, dim=1).indices == targets[:, None]).any(dim=1).float().mean()


def orthogonal(module: nn.Module) -> None:
    """Start linear layers from orthogonal weights; called with every module of the network."""
    if isinstance(module, nn.Linear):
        nn.init.orthogonal_(module.weight)
