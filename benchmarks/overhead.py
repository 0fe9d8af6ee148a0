"""What a trial costs besides its training: processor time of the lab and its workers together.

    python benchmarks/overhead.py [--trials 40 240] [--epochs 5] [--repeats 3] [--json FILE]

Two studies that differ only in the number of their seeds are run whole: parsing, binding, identities, worker
processes, drawing weights, training, records, weights on disk, reading the run back, verdicts. From the
processor time of the lab and its workers that of training (steps, evaluation, activations of the same trials
by the same engine, measured in this process) is taken away. What is left has a part that a run pays once,
above all the imports of its processes, and a part per trial: the slope between the two studies. The network
is 331-1 on made-up rows of the house prices' size, whose epochs take microseconds. Processor time, because
the wall clock of a busy machine says nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ceteris.train import numerics

if __name__ == "__main__":
    os.environ |= numerics.environment()  # before NumPy is loaded: training here is that of a worker

from benchmarks import machine
from benchmarks.workloads import house_prices_size
from ceteris.api.execution import recorded_result
from ceteris.data import Preparation
from ceteris.lab.run import run_study
from ceteris.lab.shards import make_cohorts
from ceteris.lab.trials import plan_trials
from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.parse import ParsedStudy, parse_study
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.loop import train_cohort

LEVELS = 10


@dataclass(frozen=True)
class Cost:
    """Processor seconds of one whole study."""

    trials: int
    lab: float
    workers: float
    training: float

    @property
    def outside(self) -> float:
        """What is not training."""
        return self.lab + self.workers - self.training


class Clocked(CompiledEngine):
    """The compiled engine, with a count of the processor time that training and measuring take."""

    seconds = 0.0

    @classmethod
    def counted(cls, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        begin = time.thread_time()
        answer = work(*given, **named)
        cls.seconds += time.thread_time() - begin
        return answer

    def run_steps(self, *given: Any) -> None:
        self.counted(super().run_steps, *given)

    def evaluate(self, *given: Any, **named: Any) -> Any:
        return self.counted(super().evaluate, *given, **named)

    def activations(self, *given: Any) -> Any:
        return self.counted(super().activations, *given)


def study(trials: int, epochs: int) -> dict[str, Any]:
    """Ten learning rates, and as many seeds as make so many trials; a claim to be judged."""
    rates = [round(0.001 * 1.5**place, 6) for place in range(LEVELS)]
    return {
        "experiment": {
            "data": {"source": "arrays", "scale": "none"},
            "model": {"kind": "linear"},
            "optimizer": {"kind": "adam", "lr": 0.01},
            "batch_size": 64,
            "epochs": epochs,
        },
        "vary": {"optimizer.lr": rates},
        "seeds": trials // LEVELS,
        "claims": [
            {"text": "The rate matters.", "metric": "val_loss", "differ": [str(rate) for rate in rates[:3]]}
        ],
    }


def cost(trials: int, epochs: int) -> Cost:
    """Run a study whole, and train its trials once more for the time that training takes."""
    content, dataset = study(trials, epochs), house_prices_size()
    with tempfile.TemporaryDirectory() as folder:
        before = os.times()
        parsed = parse_study(content)
        run = run_study(parsed, runs_folder=Path(folder), dataset=dataset, device="cpu")
        result = recorded_result(run, Path(folder))
        after = os.times()
    if len(result.run.trials) != trials or any(t.status != "finished" for t in result.run.trials):
        raise SystemExit("the study was not trained to its end, so its cost would mean nothing")
    lab = after.user + after.system - before.user - before.system
    workers = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(trials, lab, workers, training_seconds(parsed))


def training_seconds(parsed: ParsedStudy) -> float:
    """Return the processor time of steps and measurements alone."""
    dataset = house_prices_size()
    plans = plan_trials(combinations(parsed.study), seed_list(parsed.study), {})
    preparation = Preparation(dataset)
    first = preparation.prepare(plans[0].experiment.data, plans[0].seed, 0, None)
    rows = dict.fromkeys((plan.identity for plan in plans), len(first.split.train))
    Clocked.seconds = 0.0
    for cohort in make_cohorts(plans, {plans[0].experiment.data.reading: dataset}, rows):
        train_cohort(
            cohort,
            preparation,
            engine=lambda spec, stack, _: Clocked(spec, stack),
            emit=lambda message: None,
        )
    return Clocked.seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, nargs=2, default=(40, 240), help="sizes of the two studies")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="rounds; the median counts")
    parser.add_argument("--json", type=Path, default=None, help="file for everything that was measured")
    asked = parser.parse_args()
    few, many = asked.trials
    numerics.prepare_process()
    training_seconds(parse_study(study(LEVELS, 1)))  # the kernels are loaded (or compiled) once
    rounds = [(cost(few, asked.epochs), cost(many, asked.epochs)) for _ in range(asked.repeats)]
    slopes = [(b.outside - a.outside) / (b.trials - a.trials) for a, b in rounds]
    once = [a.outside - a.trials * slope for (a, _), slope in zip(rounds, slopes, strict=True)]
    for a, b in rounds:
        for one in (a, b):
            print(
                f"{one.trials:5} trials: lab {one.lab:.2f} s, workers {one.workers:.2f} s, "
                f"of it training {one.training:.2f} s"
            )
    print(
        f"outside its training a trial costs {1e3 * statistics.median(slopes):.1f} ms "
        f"({1e3 * min(slopes):.1f} to {1e3 * max(slopes):.1f}), and a run "
        f"{statistics.median(once):.1f} s once "
        f"(processor time on {numerics.processor()}, {asked.repeats} rounds)"
    )
    if asked.json is not None:
        report = {"machine": machine.describe(), "rounds": [[asdict(a), asdict(b)] for a, b in rounds]}
        asked.json.write_text(
            json.dumps(report | {"ms_per_trial": [1e3 * s for s in slopes]}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
