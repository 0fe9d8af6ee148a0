"""The best plain loop: tensors in memory, shuffled row numbers, PyTorch's fused optimiser.

Weights of convolutions lie channels last, which is the faster layout on a processor and spreads from
them to the activations.
"""

from __future__ import annotations

import time

import torch

from benchmarks.contestants import torch_parts
from benchmarks.task import Outcome, Rows, Task


def unsuited(task: Task) -> str:
    return ""


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    torch.manual_seed(task.seeds[0])
    x, y = _tensors(task.train, task.device)
    validation, measured = ([_tensors(rows, task.device)] for rows in (task.validation, task.measured))
    model = torch_parts.network(task).to(memory_format=torch.channels_last)
    settings = torch_parts.optimizer_settings(task)
    update = torch_parts.optimizer_class(task)(model.parameters(), fused=True, **settings)
    loss_function = torch_parts.loss_function(task)
    steps = 0
    scores = []
    start = time.perf_counter()
    for _ in range(task.epochs):
        model.train()
        for rows in torch.randperm(len(x), device=task.device).split(task.batch_size):
            update.zero_grad()
            with torch_parts.precision(task):
                loss = loss_function(model(x[rows]), y[rows])
            loss.backward()
            update.step()
            steps += 1
        with torch_parts.precision(task):
            torch_parts.evaluate(model, measured, task)
            scores.append(task.score(*torch_parts.evaluate(model, validation, task)))
    seconds = time.perf_counter() - start
    return Outcome(seconds, start - begin, 1, task.epochs, steps, scores[task.compare_after - 1])


def _tensors(rows: Rows, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(rows.x).to(device), torch.from_numpy(rows.y).to(device)
