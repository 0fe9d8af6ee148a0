"""Plans of runs and reports of shards, made without training anything."""

from ceteris.data import load
from ceteris.lab.listener import RunPlan
from ceteris.lab.shards import Shard
from ceteris.spec.experiment import Experiment
from ceteris.train.messages import Progress, TrialEnded
from ceteris.train.plan import Cohort, TrialPlan, structure

EPOCHS, STEPS = 4, 10


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def cohort(index: int = 0, trials: int = 4, width: int = 32) -> Cohort:
    """A cohort of small networks on the digits."""
    experiment = Experiment.model_validate(
        {"data": "digits", "model": {"kind": "mlp", "hidden": [width]}, "epochs": EPOCHS}
    )
    plans = tuple(
        TrialPlan(f"{index}-{width}-{seed}", str(width), {"width": str(width)}, seed, 0, experiment)
        for seed in range(trials)
    )
    return Cohort(index, structure(experiment, load("digits"), 32 * STEPS), plans)


def plan(*cohorts: Cohort, shards: int = 1, kept: int = 0, threads: int = 1) -> RunPlan:
    """A run of some cohorts, each cut into as many shards."""
    pieces = [piece for own in cohorts for piece in own.shards(shards, 2**40)]
    return RunPlan(
        run="20260101-000000-made-0000",
        cohorts=cohorts,
        shards=tuple(Shard(number, piece, "digits") for number, piece in enumerate(pieces)),
        workers=2,
        device="cpu",
        rows={},
        threads=threads,
        kept=kept,
    )


def progress(
    shard: Shard, epoch: int, step: int, loss: float = 0.5, accuracy: float | None = 0.8
) -> Progress:
    """How far a shard is; ``epoch`` counts from 0."""
    members = len(shard.trials)
    done = (epoch * STEPS + step) * members
    return Progress(0, epoch, EPOCHS, step, STEPS, members, loss, accuracy, done)


def diverged(trial: TrialPlan, step: int) -> TrialEnded:
    """The end of a trial that diverged."""
    return TrialEnded(trial.identity, "diverged", step, 0.1, {}, {})
