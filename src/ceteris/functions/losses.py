"""The losses of an error, or of a logit, with what they say of how likely that error is."""

from __future__ import annotations

import torch
from torch.nn import functional

from ceteris.functions.entry import Function

RANGES = ((-4.0, 4.0),)
"""Errors, or logits, over which the figures are drawn."""


def losses(beta: float = 1.0) -> tuple[Function, ...]:
    """Return the losses as functions of the error u = output - target, or of the logit z.

    Args:
        beta: where Huber's and the smooth L1 loss turn from a parabola into a line; above 0.
    """
    if beta <= 0:
        raise ValueError(f"beta is {beta}; it must be above 0")
    return (
        Function("l2", "u^2", "2 u", torch.square, "[0, inf)", remark="a normal error; far ones count most"),
        Function(
            "l2 halved", "u^2 / 2", "u", lambda u: u.square() / 2, "[0, inf)", remark="the gradient is u"
        ),
        Function("l1", "|u|", "sign u", torch.abs, "[0, inf)", remark="a Laplace error; all count alike"),
        Function(
            "smooth_l1",
            f"u^2 / (2 beta) for |u| < beta, else |u| - beta / 2; beta = {beta:g}",
            "u / beta, cut to [-1, 1]",
            lambda u: functional.smooth_l1_loss(u, torch.zeros_like(u), reduction="none", beta=beta),
            "[0, inf)",
            remark="tends to l1 as beta tends to 0",
        ),
        Function(
            "huber",
            f"u^2 / 2 for |u| < beta, else beta (|u| - beta / 2); beta = {beta:g}",
            "u, cut to [-beta, beta]",
            lambda u: functional.huber_loss(u, torch.zeros_like(u), reduction="none", delta=beta),
            "[0, inf)",
            remark="beta times smooth_l1; tends to l2 / 2 as beta grows",
        ),
        Function(
            "cross_entropy",
            "-log softmax(z, 0): the right class has logit z, the other 0",
            "p - 1: softmax minus label",
            lambda z: -torch.log_softmax(torch.stack([z, torch.zeros_like(z)]), dim=0)[0],
            "(0, inf)",
            remark="its likelihood is the probability of the right class; NLL of log-softmax",
        ),
        Function(
            "binary_cross_entropy",
            "log(1 + exp(z)): the right answer is 0, the logit z",
            "sigmoid(z) - 0",
            lambda z: functional.binary_cross_entropy_with_logits(z, torch.zeros_like(z), reduction="none"),
            "(0, inf)",
            remark="the same from the probability sigmoid(z), where that does not round to 1",
        ),
    )
