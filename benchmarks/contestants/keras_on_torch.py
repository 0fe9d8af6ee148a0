"""Keras on its PyTorch backend: a Sequential model, ``compile`` and ``fit`` on NumPy arrays."""

from __future__ import annotations

import os
import time
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras

from benchmarks.task import EVALUATION_BATCH, Outcome, Task, float32_alone


class MeasureTrainingRows(keras.callbacks.Callback):
    """Evaluates the slice of training rows after every epoch, as ``fit`` does the validation rows."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.evaluate(*self.task.measured, batch_size=EVALUATION_BATCH, verbose=0)


def unsuited(task: Task) -> str:
    return float32_alone(task)


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    keras.utils.set_random_seed(task.seeds[0])
    model = _model(task)
    start = time.perf_counter()
    history = model.fit(
        *task.train,
        batch_size=task.batch_size,
        epochs=task.epochs,
        validation_data=tuple(task.validation),
        validation_batch_size=EVALUATION_BATCH,
        callbacks=[MeasureTrainingRows(task)],
        verbose=0,
    ).history
    seconds = time.perf_counter() - start
    at = task.compare_after - 1
    accuracy = history["val_accuracy"][at] if task.classification else float("nan")
    score = task.score(history["val_loss"][at], accuracy)
    return Outcome(seconds, start - begin, 1, task.epochs, int(model.optimizer.iterations), score)


def _convolutions(task: Task) -> list[Any]:
    """Channels first, as PyTorch below lays images out."""
    layers: list[Any] = [keras.layers.Reshape(task.image)]
    first = {"data_format": "channels_first"}
    for channels in task.model["convolutions"]:
        layers.append(keras.layers.Conv2D(channels, 3, padding="same", **first))
        if task.batch_norm:
            layers.append(keras.layers.BatchNormalization(axis=1, momentum=0.9))
        layers += [keras.layers.ReLU(), keras.layers.MaxPooling2D(2, **first)]
    return [*layers, keras.layers.Flatten(**first)]


def _model(task: Task) -> keras.Model:
    layers: list[Any] = [keras.Input((task.features,)), *(_convolutions(task) if task.convolutional else ())]
    for width in task.hidden:
        layers.append(keras.layers.Dense(width))
        if task.batch_norm:
            layers.append(keras.layers.BatchNormalization(momentum=0.9))
        layers.append(keras.layers.ReLU())
        if task.dropout:
            layers.append(keras.layers.Dropout(task.dropout))
    model = keras.Sequential([*layers, keras.layers.Dense(task.outputs)])
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    settings = {name: value for name, value in task.optimizer.items() if name not in ("kind", "lr")}
    if task.classification:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        loss = keras.losses.MeanSquaredError()
    model.compile(
        optimizer=kinds[task.optimizer["kind"]](learning_rate=task.rates[0], **settings),
        loss=loss,
        metrics=["accuracy"] if task.classification else [],
    )
    return model
