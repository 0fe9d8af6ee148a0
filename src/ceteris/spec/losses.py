"""The names of losses, and what each of them needs of data and outputs."""

from __future__ import annotations

from typing import Literal

LossName = Literal[
    "auto",
    "cross_entropy",
    "nll",
    "binary_cross_entropy",
    "binary_cross_entropy_probabilities",
    "hinge",
    "perceptron",
    "mse",
    "mse_half",
    "l1",
    "smooth_l1",
    "huber",
]

ONE_OUTPUT = ("binary_cross_entropy", "binary_cross_entropy_probabilities", "hinge", "perceptron")
"""Losses of two classes with one output: what is above 0 (above 1/2, of probabilities) is class 1."""
FOR_CLASSES = ("cross_entropy", "nll", *ONE_OUTPUT, "mse", "mse_half")
FOR_NUMBERS = ("mse", "mse_half", "l1", "smooth_l1", "huber")
FITTING_OUTPUTS = {"nll": ("log_softmax",), "binary_cross_entropy_probabilities": ("sigmoid",)}
"""The last activation on the outputs that a loss on (log-)probabilities needs."""


def class_edge(loss: str) -> float | None:
    """Return what the one output of a loss is above for class 1; None where the largest of several tells."""
    if loss not in ONE_OUTPUT:
        return None
    return 0.5 if loss == "binary_cross_entropy_probabilities" else 0.0
