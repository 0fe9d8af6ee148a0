"""What the default probes of parameters and layers cost: processor time of training with them and without.

    python benchmarks/probes.py [--only TEXT] [--repeats 7] [--seconds 4] [--rows N]
                                [--data-dir DIR] [--json FILE]

Trains the networks of the benchmarks in one process, alternately with the probes that are on by default
and with `probes: {layers: false}`: data, draws and steps are the same. Processor time is taken instead of the
clock's, the order within a pair changes from pair to pair, and a ratio is that of one pair, so that a machine
that is busy or changes its speed does little. The cost is the median of the ratios, less 1: below 10% is
wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.workloads import FASHION, WORKLOADS, Stack, Workload
from ceteris.data.preparation import Preparation
from ceteris.spec.experiment import Experiment
from ceteris.train import numerics
from ceteris.train.loop import train_cohort
from ceteris.train.plan import Cohort, TrialPlan, group_trials

LIMIT = 0.1
"""Above this share of the training time probes are not to be on by default."""
MOST_MEMBERS = 4
"""Members of a stack: enough to be one, few enough for many pairs."""


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time of pairs of trainings, (with probes, without)."""

    workload: str
    pairs: tuple[tuple[float, float], ...]

    @property
    def ratios(self) -> list[float]:
        return sorted(probed / plain for probed, plain in self.pairs)

    @property
    def share(self) -> float:
        """What the probes add to the training time, as a share of it."""
        return statistics.median(self.ratios) - 1

    def as_json(self) -> dict[str, Any]:
        return {
            "workload": self.workload,
            "share": self.share,
            "low": self.ratios[0] - 1,
            "high": self.ratios[-1] - 1,
            "pairs": self.pairs,
        }


def cohort_of(
    workload: Workload, stack: Stack, preparation: Preparation, *, layers: bool, epochs: int
) -> Cohort:
    """Return the members of a stack as one cohort, with the probes of layers or without."""
    experiment = Experiment(
        data={"source": workload.source, **workload.data},
        model=workload.model,
        optimizer=workload.optimizer,
        batch_size=workload.batch_size,
        epochs=epochs,
        precision=workload.precision,
        probes={"layers": layers},
    )
    members = range(min(stack.members, MOST_MEMBERS))
    plans = [TrialPlan(f"member {seed}", "base", {}, seed, 0, experiment) for seed in members]
    rows = {plan.identity: len(preparation.prepare(experiment.data, plan.seed).split.train) for plan in plans}
    (cohort,) = group_trials(plans, preparation.dataset, rows)
    return cohort


def processor_seconds(cohort: Cohort, preparation: Preparation) -> float:
    """Train a cohort from fresh weights to its end; return the processor time of this process."""
    begin = time.process_time()
    train_cohort(cohort, preparation, emit=lambda message: None)
    return time.process_time() - begin


def measure(workload: Workload, repeats: int, seconds: float, folder: Path | None) -> Cost:
    """Measure pairs after a warm-up that tells how many epochs a measurement may have."""
    preparation = Preparation(workload.dataset(folder))
    stack = workload.stacks[-1]

    def cohort(layers: bool, epochs: int) -> Cohort:
        return cohort_of(workload, stack, preparation, layers=layers, epochs=epochs)

    warm = [processor_seconds(cohort(layers, 1), preparation) for layers in (True, False, True)]
    epochs = max(1, round(seconds / warm[-1]))
    both = {layers: cohort(layers, epochs) for layers in (True, False)}
    pairs = []
    for number in range(repeats):
        order = (True, False) if number % 2 == 0 else (False, True)
        took = {layers: processor_seconds(both[layers], preparation) for layers in order}
        pairs.append((took[True], took[False]))
        print(f"{workload.name}: {pairs[-1][0]:.3g} s against {pairs[-1][1]:.3g} s", file=sys.stderr)
    return Cost(workload.name, tuple(pairs))


def with_rows(workload: Workload, rows: int) -> Workload:
    """Return a workload on fewer rows, in the usual proportion; the end of an epoch weighs more then."""
    if workload.source != FASHION or workload.data.get("rows", rows + 1) <= rows:
        return workload
    return replace(workload, data={**workload.data, "rows": rows, "validation": rows // 5})


def line(cost: Cost) -> str:
    """Return a row of the table."""
    low, high = cost.ratios[0] - 1, cost.ratios[-1] - 1
    return f"| {cost.workload} | {cost.share:+.1%} | {low:+.1%} to {high:+.1%} | {len(cost.pairs)} |"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only workloads whose name contains this text")
    parser.add_argument("--repeats", type=int, default=7, help="pairs of trainings")
    parser.add_argument("--seconds", type=float, default=4, help="how long a training takes, about")
    parser.add_argument(
        "--rows", type=int, default=None, help="of Fashion-MNIST, so that an epoch takes seconds at most"
    )
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--json", type=Path, default=None, help="file for everything that was measured")
    return parser.parse_args()


def report(costs: list[Cost]) -> Mapping[str, Any]:
    """Return what was measured as plain data."""
    return {"machine": machine.describe(), "limit": LIMIT, "rows": [cost.as_json() for cost in costs]}


def main() -> None:
    asked = options()
    wanted = os.environ | numerics.environment()  # as a worker has it, set before NumPy is loaded
    if wanted != dict(os.environ):
        raise SystemExit(subprocess.run([sys.executable, *sys.argv], env=wanted, check=False).returncode)
    numerics.prepare_process()
    workloads = [workload for workload in WORKLOADS if asked.only in workload.name]
    if not workloads:
        raise SystemExit(f"no workload's name contains `{asked.only}`")
    if asked.rows is not None:
        workloads = [with_rows(workload, asked.rows) for workload in workloads]
    costs = [measure(workload, asked.repeats, asked.seconds, asked.data_dir) for workload in workloads]
    print("| network | what the probes add | all pairs | n |\n| --- | --- | --- | --- |")
    print("\n".join(map(line, costs)))
    if asked.json is not None:
        asked.json.write_text(json.dumps(report(costs), indent=2) + "\n")
    over = [cost.workload for cost in costs if cost.share > LIMIT]
    if over:
        raise SystemExit(f"the default probes cost more than {LIMIT:.0%} with: {'; '.join(over)}")


if __name__ == "__main__":
    main()
