"""scikit-learn: MLPClassifier; MLPRegressor without hidden layers where numbers are predicted.

One call of ``partial_fit`` is one epoch. Its squared error is half the mean-squared error, which
Adam's steps do not feel.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.task import Outcome, Rows, Task


def unsuited(task: Task) -> str:
    if task.convolutional:
        return "it has no convolutions"
    if task.dropout:
        return "it has no dropout"
    if not task.classification and task.optimizer["kind"] != "adam":
        return "its squared error is half of that of the others"
    return ""


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    model, classes = _model(task), {}
    if task.classification:
        classes = {"classes": np.arange(task.outputs)}
    x, y = task.train.x, task.train.y if task.classification else task.train.y.ravel()
    scores = []
    start = time.perf_counter()
    for _ in range(task.epochs):
        model.partial_fit(x, y, **classes)
        _evaluate(model, task.measured, task)
        scores.append(task.score(*_evaluate(model, task.validation, task)))
    seconds = time.perf_counter() - start
    epochs = round(model.t_ / len(x))  # t_ counts rows
    return Outcome(
        seconds, start - begin, 1, epochs, epochs * task.steps_per_epoch, scores[task.compare_after - 1]
    )


def _model(task: Task) -> MLPClassifier | MLPRegressor:
    settings: dict[str, Any] = {"learning_rate_init": task.rates[0]}
    if task.optimizer["kind"] == "sgd":
        settings |= {"momentum": task.optimizer.get("momentum", 0.0), "nesterovs_momentum": False}
    kind = MLPClassifier if task.classification else MLPRegressor
    return kind(
        hidden_layer_sizes=task.hidden,
        solver=task.optimizer["kind"],
        alpha=0.0,
        batch_size=task.batch_size,
        random_state=task.seeds[0],
        **settings,
    )


def _evaluate(model: Any, rows: Rows, task: Task) -> tuple[float, float]:
    if not task.classification:
        return float(np.mean((model.predict(rows.x) - rows.y.ravel()) ** 2)), float("nan")
    shares = model.predict_proba(rows.x)
    of_truth = np.maximum(shares[np.arange(len(rows.y)), rows.y], np.finfo(shares.dtype).tiny)
    return float(-np.log(of_truth).mean()), float((shares.argmax(1) == rows.y).mean())
