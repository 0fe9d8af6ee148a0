"""The activations of a network, those of ``ceteris.spec.model.Activation`` among them."""

from __future__ import annotations

import torch
from torch.nn import functional

from ceteris.functions.entry import Function

RANGES = ((-10.0, 10.0), (-8.0, 8.0), (-2.5, 2.5))
"""Over which the figures are drawn: far out, where functions saturate; and close to 0."""

ACTIVATIONS = (
    Function(
        "sigmoid",
        "1 / (1 + exp(-x))",
        "s (1 - s), at most 1/4",
        torch.sigmoid,
        "(0, 1)",
        zero_centred=False,
        near_zero="1/2 + x/4 - x^3/48",
        series=(0.5, 0.25, 0.0, -1 / 48),
        remark="saturates on both sides; equal to softmax over (0, x)",
    ),
    Function(
        "tanh",
        "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
        "1 - tanh^2, at most 1",
        torch.tanh,
        "(-1, 1)",
        zero_centred=True,
        near_zero="x - x^3/3",
        series=(0.0, 1.0, 0.0, -1 / 3),
        remark="2 sigmoid(2x) - 1; saturates on both sides",
    ),
    Function(
        "relu",
        "max(0, x)",
        "0 or 1",
        torch.relu,
        "[0, inf)",
        zero_centred=False,
        near_zero="x for x > 0, else 0",
        remark="units whose input stays below 0 learn nothing",
    ),
    Function(
        "leaky_relu",
        "x for x > 0, else 0.01 x",
        "0.01 or 1",
        functional.leaky_relu,
        "(-inf, inf)",
        zero_centred=True,
        near_zero="x for x > 0, else 0.01 x",
    ),
    Function(
        "scaled_sigmoid",
        "4 sigmoid(x) - 2",
        "4 s (1 - s), at most 1",
        lambda x: 4 * torch.sigmoid(x) - 2,
        "(-2, 2)",
        zero_centred=True,
        near_zero="x - x^3/12",
        series=(0.0, 1.0, 0.0, -1 / 12),
        remark="slope 1 at 0, so that signals keep their size there",
    ),
    Function(
        "softmax",
        "exp(x) / (exp(x) + 1): the share of x against 0",
        "p (1 - p)",
        lambda x: torch.softmax(torch.stack([x, torch.zeros_like(x)]), dim=0)[0],
        "(0, 1)",
        zero_centred=False,
        near_zero="1/2 + x/4 - x^3/48",
        series=(0.5, 0.25, 0.0, -1 / 48),
        remark="shares of all outputs add up to 1; here of two, one of them 0",
    ),
    Function(
        "gelu",
        "x Phi(x), Phi the normal distribution function",
        "Phi(x) + x phi(x)",
        functional.gelu,
        "[-0.17, inf)",
        zero_centred=True,
        near_zero="x/2 + x^2 / sqrt(2 pi)",
        series=(0.0, 0.5, 0.3989422804014327, 0.0),
    ),
    Function(
        "silu",
        "x sigmoid(x)",
        "s + x s (1 - s)",
        functional.silu,
        "[-0.28, inf)",
        zero_centred=True,
        near_zero="x/2 + x^2/4",
        series=(0.0, 0.5, 0.25, 0.0),
    ),
    Function(
        "elu",
        "x for x > 0, else exp(x) - 1",
        "1 or exp(x)",
        functional.elu,
        "(-1, inf)",
        zero_centred=True,
        near_zero="x for x > 0, else x + x^2/2",
    ),
    Function(
        "softplus",
        "log(1 + exp(x))",
        "sigmoid(x)",
        functional.softplus,
        "(0, inf)",
        zero_centred=False,
        near_zero="log 2 + x/2 + x^2/8",
        series=(0.6931471805599453, 0.5, 0.125, 0.0),
    ),
    Function(
        "hardtanh",
        "x cut to [-1, 1]",
        "1 inside, 0 outside",
        functional.hardtanh,
        "[-1, 1]",
        zero_centred=True,
        near_zero="x",
        series=(0.0, 1.0, 0.0, 0.0),
    ),
)
