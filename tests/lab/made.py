"""Small studies, trials and listeners for the tests of the lab."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ceteris.lab.listener import RunPlan, Stop, Unheard
from ceteris.lab.shards import Shard
from ceteris.records.store import Store
from ceteris.records.views import RunRecord
from ceteris.spec.combine import combinations
from ceteris.spec.parse import ParsedStudy, parse_study
from ceteris.train.messages import EpochMeasured, Progress, TrialEnded
from ceteris.train.plan import TrialPlan

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 10)
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x.flatten(1))
"""
"""Code of a module of the user's own, for a file that imports ``torch.nn`` as ``nn``."""


def settings(**changes: Any) -> dict[str, Any]:
    """Return a study of digits that trains in a moment; ``changes`` replace settings of the experiment."""
    experiment = {
        "data": "digits",
        "model": {"kind": "mlp", "hidden": [8]},
        "batch_size": 64,
        "epochs": 2,
    }
    return {"title": "A small study", "experiment": experiment | changes, "vary": RATES, "seeds": 2}


RATES = {"optimizer.lr": [0.01, 0.001]}


def small_study(vary: Any = RATES, seeds: int = 2, **changes: Any) -> ParsedStudy:
    """Return a parsed study of digits, with levels of the learning rate unless told otherwise."""
    return parse_study(settings(**changes) | {"vary": vary, "seeds": seeds}, allow_code=True)


def small_trials(seeds: int = 2, vary: Any = RATES, **changes: Any) -> tuple[TrialPlan, ...]:
    """Return trials with readable identities, which nobody has to train."""
    return tuple(
        TrialPlan(f"{found.label}/{seed}", found.label, found.coordinates, seed, 0, found.experiment)
        for seed in range(seeds)
        for found in combinations(small_study(vary, **changes).study)
    )


def load(folder: Path, run: str) -> RunRecord:
    """Return a recorded run."""
    with Store(folder, create=False) as store:
        return store.load_run(run)


def all_weights(folder: Path, run: RunRecord) -> dict[str, dict[str, bytes]]:
    """Return the bytes of all weights of a run, by trial and then by which and name."""
    with Store(folder, create=False) as store:
        return {
            trial.identity: {
                f"{which} {name}": array.tobytes()
                for which in ("initial", "final")
                for name, array in store.load_weights(run.id, trial.identity, which).items()
            }
            for trial in run.trials
        }


def all_curves(run: RunRecord) -> dict[str, dict[str, bytes]]:
    """Return the bytes of all curves of a run, by trial and name."""
    return {t.identity: {name: curve.tobytes() for name, curve in t.curves.items()} for t in run.trials}


def rows_seen(outputs: Any, targets: Any) -> float:
    """A metric of the user's own, for a reference."""
    return float(len(outputs))


def share_right(outputs: Any, targets: Any) -> float:
    """A metric of the user's own."""
    return float((outputs.argmax(1) == targets).double().mean())


def held_up(asked: Path, readings: int) -> Callable[[Any, Any], float]:
    """Return ``share_right`` as it would be if it waited for the wish to stop.

    A small study is trained before anybody can stop it. After so many readings this one waits until
    ``asked`` is there (see ``Diary``), and from then on every reading lasts long enough for the wish to
    reach the worker while there are epochs left.
    """
    read = itertools.count()

    def share(outputs: Any, targets: Any) -> float:
        if next(read) >= readings:
            while not asked.exists():
                time.sleep(0.01)
            time.sleep(0.1)
        return float((outputs.argmax(1) == targets).double().mean())

    return share


class Diary(Unheard):
    """A listener that remembers; asks for a stop when it hears the epoch ``stop_at`` of any shard.

    It leaves the file ``asked`` behind when it has asked.
    """

    def __init__(self, stop_at: int | None = None, requests: int = 1, asked: Path | None = None) -> None:
        self.stop = Stop()
        self.plans: list[RunPlan] = []
        self.notes: list[str] = []
        self.epochs: list[EpochMeasured] = []
        self.heard: list[tuple[Shard, Progress]] = []
        self.results: dict[str, str] = {}
        self._stop_at = stop_at
        self._requests = requests
        self._asked = asked

    def planned(self, plan: RunPlan) -> None:
        self.plans.append(plan)

    def progress(self, shard: Shard, progress: Progress) -> None:
        self.heard.append((shard, progress))

    def epoch(self, measured: EpochMeasured) -> None:
        self.epochs.append(measured)
        if measured.epoch == self._stop_at:
            for _ in range(self._requests):
                self.stop.request()
            self._stop_at = None
            if self._asked is not None:
                self._asked.touch()

    def ended(self, trial: TrialPlan, result: TrialEnded) -> None:
        self.results[trial.identity] = result.status

    def note(self, text: str) -> None:
        self.notes.append(text)


def check_same(runs: Path, undisturbed: Path) -> None:
    """Hold a run, which was disturbed, against one that was not: by bits, and with nothing left over."""
    record, whole = load(runs, "last"), load(undisturbed, "last")
    assert record.status == "finished"
    assert all_curves(record) == all_curves(whole)
    assert all_weights(runs, record) == all_weights(undisturbed, whole)
    assert not (runs / record.id / "checkpoints").exists()
