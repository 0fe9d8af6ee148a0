"""What Newton's step does not know, told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from ceteris.nets.architecture import Architecture
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import MLP, LinearModel
from ceteris.spec.optimizer import NEWTON_PARAMETERS, Newton
from ceteris.spec.penalty import penalties_of

RANDOM = ("dropout", "input_dropout", "drop_connect", "noise", "input_noise")


def newton_problems(experiment: Experiment, net: Architecture | None) -> Iterator[tuple[str, str]]:
    """Yield (path, sentence) for what Newton's step does not know; nothing for other optimisers."""
    if not isinstance(experiment.optimizer, Newton):
        return
    model = experiment.model
    if not isinstance(model, LinearModel | MLP):
        yield "experiment.optimizer", f"Newton's step is for linear networks and mlps; this is a {model.kind}"
        return
    for name in RANDOM:
        given = getattr(model, name, 0)
        if any(given) if isinstance(given, tuple) else given > 0:
            yield f"experiment.model.{name}", "a curvature cannot be drawn anew; set it to 0 with newton"
    if isinstance(model, MLP) and model.batch_norm:
        yield (
            "experiment.model.batch_norm",
            "newton needs rows that do not depend on each other; set it to false",
        )
    if net is not None and net.n_parameters > NEWTON_PARAMETERS:
        yield (
            "experiment.optimizer",
            f"Newton's step solves with one row and column for each parameter; this network has "
            f"{net.n_parameters:,}, and at most {NEWTON_PARAMETERS:,} are allowed; use sgd or adam",
        )
    limits = experiment.clip.norm, experiment.clip.value, experiment.clip.to_norm
    unknown = {
        "penalty": bool(penalties_of(experiment.penalty)),
        "clip": limits != (None, None, None),
        "accumulate": experiment.accumulate > 1,
        "precision": experiment.precision != "float32",
    }
    for path in (path for path, given in unknown.items() if given):
        yield f"experiment.{path}", "Newton's step is that of the plain loss of a batch; leave this out"
