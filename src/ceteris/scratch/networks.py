"""Softmax regression and the multilayer perceptron, written out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ceteris.scratch.functions import relu
from ceteris.scratch.regularisation import dropout


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return x w^T + b: (n, inputs), (outputs, inputs) and (outputs,) to (n, outputs).

    With squared loss it is linear regression, with cross-entropy softmax regression.
    """
    return x @ weight.T + bias


def mlp(
    x: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    rates: Sequence[float] = (),
    uniforms: Sequence[Tensor] = (),
) -> Tensor:
    """Return the logits (n, classes) of a perceptron with ReLU between its linear layers; x (n, inputs).

    Args:
        layers: (weight, bias) of each layer, the output layer last.
        rates: dropout probabilities after the hidden layers; none in evaluation.
        uniforms: numbers in [0, 1), (n, units) for each hidden layer, where there are rates.
    """
    for place, (weight, bias) in enumerate(layers[:-1]):
        x = relu(linear(x, weight, bias))  # (n, units)
        if rates:
            x = dropout(x, rates[place], uniforms[place])
    return linear(x, *layers[-1])
