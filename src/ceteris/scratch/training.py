"""Mini-batch stochastic gradient descent, written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor


def batches(order: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Yield the row numbers of an order (n,) in batches; the last one may be smaller."""
    for begin in range(0, len(order), batch_size):
        yield order[begin : begin + batch_size]


@torch.no_grad()
def sgd(parameters: Sequence[Tensor], lr: float, weight_decay: float = 0.0) -> None:
    """Do one step in place, p <- p - lr (gradient + weight_decay p), and clear the gradients."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.sub_(lr * (parameter.grad + weight_decay * parameter))
            parameter.grad = None


def train_epoch(
    loss_of: Callable[[Tensor], Tensor],
    parameters: Sequence[Tensor],
    order: Tensor,
    batch_size: int,
    lr: float,
    weight_decay: float = 0.0,
) -> float:
    """Go once through the rows of ``order`` (n,), and return the mean loss over them as they were seen.

    ``loss_of`` gives the mean loss of a batch from its row numbers; a smaller last batch counts by its rows.
    """
    total = 0.0
    for rows in batches(order, batch_size):
        loss = loss_of(rows)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        sgd(parameters, lr, weight_decay)
        total += loss.item() * len(rows)
    return total / len(order)
