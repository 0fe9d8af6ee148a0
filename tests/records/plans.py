"""Small studies to record: planned trials, numbers for their epochs, weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.records.entries import EndedTrial, PlannedTrial
from ceteris.records.identity import trial_identity
from ceteris.records.store import Store

METRICS = ("train_loss", "val_loss", "val_accuracy")
STUDY = {"title": "What does the learning rate do?", "seeds": 2}
FACTS = {"name": "digits", "rows": {"train": 1438, "validation": 359}, "content": "c0ffee"}
VERSIONS = {"ceteris": "0.1.0", "numpy": np.__version__}
NUMERICS = {"path": "cpu", "threads": 1}


def planned(levels: Sequence[float] = (0.1, 0.01), seeds: Sequence[int] = (0, 1)) -> list[PlannedTrial]:
    return [plan_one(level, seed) for level in levels for seed in seeds]


def plan_one(level: float, seed: int) -> PlannedTrial:
    experiment = {"optimizer": {"kind": "adam", "lr": level}, "epochs": 3}
    identity = trial_identity(experiment, seed, 0, "c0ffee", NUMERICS, 1)
    return PlannedTrial(identity, f"{level:g}", {"optimizer.lr": f"{level:g}"}, seed, 0, experiment)


def new_run(store: Store, trials: Sequence[PlannedTrial] | None = None, **other: Any) -> str:
    words: dict[str, Any] = {"study_name": "digits/learning-rate", "title": STUDY["title"], **other}
    return store.create_run(
        STUDY,
        words["study_name"],
        words["title"],
        planned() if trials is None else trials,
        FACTS,
        VERSIONS,
        NUMERICS,
        "cpu",
    )


def numbers(identity: str, epoch: int) -> NDArray[np.float64]:
    """Return the measurements that any process makes up for one trial and epoch: always the same."""
    return np.random.default_rng([int(identity[:8], 16), epoch]).normal(size=len(METRICS))


def weights(identity: str, kind: str) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng([int(identity[:8], 16), len(kind)])
    return {
        "hidden.0.weight": random.normal(size=(5, 4)).astype(np.float32),
        "hidden.0.bias": random.normal(size=5).astype(np.float32),
    }


def ended(identity: str) -> EndedTrial:
    return EndedTrial(
        identity, "finished", None, 1.5, weights(identity, "initial"), weights(identity, "final")
    )


def record_epochs(store: Store, run: str, identities: Sequence[str], epochs: int) -> None:
    for epoch in range(epochs):
        store.record_epoch(run, epoch, METRICS, {name: numbers(name, epoch) for name in identities})


def finished_run(store: Store, epochs: int = 3) -> str:
    run = new_run(store)
    identities = [trial.identity for trial in planned()]
    store.begin(run)
    store.mark_running(run, identities)
    record_epochs(store, run, identities, epochs)
    store.end_trials(run, [ended(name) for name in identities])
    store.finish(run, "finished", 6.0)
    return run
