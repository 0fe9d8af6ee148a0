"""The usual loop: one plain PyTorch script per member, as a tutorial writes it.

TensorDataset and DataLoader over tensors in memory, zero_grad / backward / step. PyTorch keeps its
default number of threads.
"""

from __future__ import annotations

import time

import torch
from torch.utils.data import DataLoader

from benchmarks.contestants import torch_parts
from benchmarks.task import EVALUATION_BATCH, Outcome, Task


def unsuited(task: Task) -> str:
    return ""


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    torch.manual_seed(task.seeds[0])
    training = DataLoader(torch_parts.as_dataset(task.train), batch_size=task.batch_size, shuffle=True)
    validation, measured = (
        DataLoader(torch_parts.as_dataset(rows), batch_size=EVALUATION_BATCH)
        for rows in (task.validation, task.measured)
    )
    model = torch_parts.network(task)
    update = torch_parts.optimizer_class(task)(model.parameters(), **torch_parts.optimizer_settings(task))
    loss_function = torch_parts.loss_function(task)
    steps = 0
    scores = []
    start = time.perf_counter()
    for _ in range(task.epochs):
        model.train()
        for rows, targets in training:
            x, y = rows.to(task.device), targets.to(task.device)
            update.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            update.step()
            steps += 1
        torch_parts.evaluate(model, measured, task)
        scores.append(task.score(*torch_parts.evaluate(model, validation, task)))
    seconds = time.perf_counter() - start
    return Outcome(seconds, start - begin, 1, task.epochs, steps, scores[task.compare_after - 1])
