"""scikit-learn's SGDRegressor: linear regression by plain SGD, one row per step.

It has neither batches nor Adam, so it does other steps than the others; the table says so.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.linear_model import SGDRegressor

from benchmarks.task import Outcome, Rows, Task

RATE = 1e-3


def unsuited(task: Task) -> str:
    return (
        "it predicts numbers by a linear model alone"
        if task.classification or task.model["kind"] != "linear"
        else ""
    )


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    # The generator moves on between epochs; a number would shuffle every epoch alike.
    shuffles = np.random.RandomState(task.seeds[0])
    model = SGDRegressor(penalty=None, learning_rate="constant", eta0=RATE, random_state=shuffles)
    x, y = task.train.x, task.train.y.ravel()
    scores = []
    start = time.perf_counter()
    for _ in range(task.epochs):
        model.partial_fit(x, y)
        _loss(model, task.measured)
        scores.append(task.score(_loss(model, task.validation), float("nan")))
    seconds = time.perf_counter() - start
    return Outcome(seconds, start - begin, 1, task.epochs, int(model.t_) - 1, scores[task.compare_after - 1])


def _loss(model: SGDRegressor, rows: Rows) -> float:
    return float(np.mean((model.predict(rows.x) - rows.y.ravel()) ** 2))
