"""One network trained by the functions of ``ceteris.scratch``: its layers, its loss, its step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.draws import Key, uniforms
from ceteris.nets.architecture import Activate, BatchNorm, Drop, Linear, Noise, named_views
from ceteris.nets.reading import narrowed
from ceteris.scratch import batch_norm, functions, perceptron, regularisation
from ceteris.scratch.networks import linear
from ceteris.scratch.training import sgd
from ceteris.spec.penalty import L1, L2, penalties_of
from ceteris.train.engine import StackSpec
from ceteris.train.hyper import N_GROUPS, WEIGHT_DECAY, WEIGHTS, group_of, hyper_vectors

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functions.relu,
    "sigmoid": functions.sigmoid,
    "tanh": functions.tanh,
    "identity": lambda x: x,
}


MARGINS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hinge": functions.hinge_loss,
    "perceptron": functions.perceptron_loss,
}
"""Losses of one score a row and a sign."""


@dataclass(frozen=True)
class Drawn:
    """What names the draws of one step: the epoch, the batch's first place in it, the steps done so far."""

    epoch: int
    first_row: int
    done: int


class ScratchMember:
    """A network with named tensors for its parameters and buffers.

    Args:
        spec: of the stack that it is the member ``place`` of; with layers of the kinds that
            ``ceteris.lab.implementations`` lets through.
        parameters: (P,) to start from; buffers: (Q,).
    """

    def __init__(
        self,
        spec: StackSpec,
        place: int,
        parameters: NDArray[np.floating],
        buffers: NDArray[np.floating],
        device: torch.device,
    ) -> None:
        net, experiment = spec.net, spec.experiments[place]
        self._net, self._loss = net, spec.loss
        self._rates, self._keys = spec.rates[place], spec.keys[place]
        self._narrow = [tensor.shape for tensor in narrowed(net, spec.widths[place])]
        self.parameters = {
            name: torch.tensor(view, device=device).requires_grad_()
            for name, view in named_views(net.parameters, parameters)
        }
        self.buffers = {
            name: torch.tensor(view, device=device) for name, view in named_views(net.buffers, buffers)
        }
        self._norms = {
            layer.role: self._batch_norm(layer) for layer in net.layers if isinstance(layer, BatchNorm)
        }
        self._beta = experiment.loss_beta
        self._penalties = penalties_of(experiment.penalty)
        self._groups: list[list[Tensor]] = [[] for _ in range(N_GROUPS)]
        for tensor in net.parameters:
            self._groups[group_of(tensor)].append(self.parameters[tensor.name])
        self._decays = hyper_vectors([experiment.optimizer])[0, :, WEIGHT_DECAY]

    def outputs(self, x: Tensor, drawn: Drawn | None, kept: list[Tensor]) -> Tensor:
        """Return outputs (n, k) of rows x (n, features); without draws in evaluation mode.

        ``kept`` receives the activations of hidden layers.
        """
        for layer in self._net.layers:
            match layer:
                case Linear():
                    x = self._linear(layer, x, drawn)
                case BatchNorm():
                    x = self._norms[layer.role](x, training=drawn is not None)
                case Activate():
                    x = ACTIVATIONS[layer.kind](x)
                    kept.append(x)
                case Drop():
                    x = self._dropped(layer, x, drawn)
                case Noise():
                    pass  # its deviation is 0: see ``implementation_problems``
                case _:
                    raise TypeError(f"the implementation from scratch has no {type(layer).__name__}")
        return x

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of outputs (n, k); targets (n,) class numbers or (n, k) values."""
        if self._loss == "cross_entropy":
            return functions.cross_entropy(outputs, targets)
        if self._loss == "binary_cross_entropy":
            return functions.binary_cross_entropy(outputs[:, 0], targets.to(outputs.dtype))
        if self._loss in MARGINS:
            return MARGINS[self._loss](outputs[:, 0], _signs(targets, outputs))
        if not targets.is_floating_point():
            targets = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)[targets]
        if self._loss == "l1":
            return functions.absolute_loss(outputs, targets)
        if self._loss == "smooth_l1":
            return functions.smooth_l1_loss(outputs, targets, self._beta)
        half = functions.squared_loss(outputs, targets)
        return half if self._loss == "mse_half" else 2 * half

    def penalty(self) -> Tensor | None:
        """Return the value of the penalty, or None where there is none."""
        total: Tensor | None = None
        for term in self._penalties:
            for tensor, shape in zip(self._net.parameters, self._narrow, strict=True):
                if term.on == "all" or group_of(tensor) == WEIGHTS:
                    part = _penalty(term, self.parameters[tensor.name][..., : shape[-1]])
                    total = part if total is None else total + part
        return total

    def backward(self, loss: Tensor, x: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Leave in every parameter the gradient of the loss and the penalty of a batch.

        A perceptron, one linear layer under the perceptron's loss, learns by its own rule instead of the
        gradient of a loss: what its mistakes ask for is the negative gradient here.
        """
        penalty = self.penalty()
        if self._loss != "perceptron" or len(self._net.layers) > 1:
            (loss if penalty is None else loss + penalty).backward()  # type: ignore[no-untyped-call]  # torch has no types
            return
        if penalty is not None:
            penalty.backward()  # type: ignore[no-untyped-call]  # torch has no types
        found = perceptron.corrections(x, _signs(targets, outputs), outputs[:, 0].detach())
        # A linear model without a bias has the weights alone.
        for parameter, correction in zip(self.parameters.values(), found, strict=False):
            own = -correction.reshape(parameter.shape)
            parameter.grad = own if parameter.grad is None else parameter.grad + own

    def step(self, rates: NDArray[np.float64]) -> None:
        """Do a step of SGD with the gradients that are there; rates (groups,)."""
        for own, rate, decay in zip(self._groups, rates, self._decays, strict=True):
            sgd(own, float(rate), float(decay))

    def _linear(self, layer: Linear, x: Tensor, drawn: Drawn | None) -> Tensor:
        weight = self.parameters[layer.weight.name]
        if drawn is not None and layer.slot is not None and self._rates[layer.slot] > 0:
            uniform = self._uniform(layer.slot, weight, drawn.done, 0)
            weight = regularisation.drop_connect(weight, float(self._rates[layer.slot]), uniform)
        bias = weight.new_zeros(layer.n_out) if layer.bias is None else self.parameters[layer.bias.name]
        return linear(x, weight, bias)

    def _dropped(self, layer: Drop, x: Tensor, drawn: Drawn | None) -> Tensor:
        rate = float(self._rates[layer.slot])
        if drawn is None or rate == 0:
            return x
        return regularisation.dropout(x, rate, self._uniform(layer.slot, x, drawn.epoch, drawn.first_row))

    def _uniform(self, slot: int, like: Tensor, epoch: int, first_row: int) -> Tensor:
        """Return uniform numbers of a shape (rows, columns): the built-in engines draw the same ones."""
        key = Key(*map(int, self._keys[slot]))
        drawn = uniforms(key, *like.shape, epoch=epoch, first_row=first_row)
        return torch.from_numpy(drawn).to(like.device)

    def _batch_norm(self, layer: BatchNorm) -> batch_norm.BatchNorm:
        own = batch_norm.BatchNorm(layer.n, layer.eps, layer.momentum)
        own.scale, own.shift = self.parameters[layer.weight.name], self.parameters[layer.bias.name]
        own.running_mean = self.buffers[layer.running_mean.name]
        own.running_var = self.buffers[layer.running_var.name]
        return own


def _signs(labels: Tensor, like: Tensor) -> Tensor:
    """Return -1 and 1 for labels (n,) of 0 and 1, as numbers like those of another tensor."""
    return (2 * labels - 1).to(like.dtype)


def _penalty(term: L1 | L2, weight: Tensor) -> Tensor:
    """Return one term of a penalty at one tensor; the specification has squares without the half."""
    if isinstance(term, L1):
        amount = regularisation.l1_penalty(weight)
    else:
        amount = 2 * regularisation.l2_penalty(weight)
    return term.weight * (amount / weight.numel() if term.form == "mean" else amount)
