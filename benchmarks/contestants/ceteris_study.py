"""Ceteris: a study of all members through its ordinary worker processes and records.

The clock runs from the first report of training, which comes after a worker has read and prepared its rows
and done one step, to when the result is on record. All workers start side by side before; what the others
take longer than the first lies within.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.task import Outcome, Task
from benchmarks.workloads import MADE_UP
from ceteris.lab.listener import RunPlan, Unheard
from ceteris.lab.run import run_study
from ceteris.lab.shards import Shard
from ceteris.records.store import Store
from ceteris.records.views import RunRecord
from ceteris.spec.parse import parse_study
from ceteris.train.messages import Progress


class Stopwatch(Unheard):
    """Notes when training has begun."""

    begun = 0.0
    steps_per_epoch = 0

    def planned(self, plan: RunPlan) -> None:
        self.steps_per_epoch = plan.cohorts[0].steps

    def progress(self, shard: Shard, progress: Progress) -> None:
        self.begun = self.begun or time.perf_counter()


def unsuited(task: Task) -> str:
    return ""


def train(task: Task) -> Outcome:
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin = time.perf_counter()
        run = run_study(
            parse_study(_study(task)),
            runs_folder=folder,
            data_folder=task.data_folder,
            dataset=task.dataset if task.data["source"] == MADE_UP else None,
            device=task.device,
            listener=watch,
        )
        seconds = time.perf_counter() - watch.begun
        with Store(folder) as store:
            record = store.load_run(run)
    epochs = min(len(trial.curves["val_loss"]) for trial in record.trials)
    return Outcome(
        seconds=seconds,
        set_up_seconds=watch.begun - begin,
        members=len(record.trials),
        epochs=epochs,
        steps=epochs * watch.steps_per_epoch,
        score=_score(task, record),
    )


def _study(task: Task) -> Mapping[str, Any]:
    experiment = {
        "data": task.data,
        "model": task.model,
        "optimizer": task.optimizer | {"lr": task.rates[0]},
        "batch_size": task.batch_size,
        "epochs": task.epochs,
        "precision": task.precision,
    }
    vary = {"optimizer.lr": list(task.rates)} if len(task.rates) > 1 else {}
    return {"experiment": experiment, "vary": vary, "seeds": list(task.seeds)}


def _score(task: Task, record: RunRecord) -> float:
    at = task.compare_after - 1
    nothing = [float("nan")] * task.compare_after
    return statistics.mean(
        task.score(float(trial.curves["val_loss"][at]), float(trial.curves.get("val_accuracy", nothing)[at]))
        for trial in record.trials
        if trial.experiment["optimizer"]["lr"] == task.rates[0]
    )
