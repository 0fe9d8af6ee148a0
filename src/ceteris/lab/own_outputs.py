"""Outputs of the user's own networks that a loss is not made for: refused, or noted where it can be trained.

Built-in networks say their outputs in ``model.output``; of the user's own, what a worker saw on two rows
decides (``ceteris.train.modules.outputs``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ceteris.data.dataset import Dataset
from ceteris.evidence.wording import listing
from ceteris.nets.architecture import Architecture, UserModule
from ceteris.nets.layers import OutputKind
from ceteris.spec.combine import Combination
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.objective import resolved_loss
from ceteris.train.plan import Modules, network

Found = tuple[str, str]
"""Dotted path and message of a problem."""


def output_problems(experiment: Experiment, dataset: Dataset, net: Architecture) -> Iterator[Found]:
    """Yield why a loss on (log-)probabilities cannot be taken of a network of the user's own."""
    loss, kind, name = resolved_loss(experiment, dataset), _kind(net), _name(experiment)
    if loss == "nll" and kind != "log-probabilities":
        yield (
            "experiment.loss",
            f"nll is of log-probabilities, and the outputs of `{name}` are none: return "
            "`log_softmax(..., dim=1)`, or use cross_entropy, which takes logits",
        )
    if loss == "binary_cross_entropy_probabilities" and kind == "no probabilities":
        yield (
            "experiment.loss",
            f"{loss} is of probabilities, and `{name}` gives numbers outside [0, 1]: return `sigmoid(...)`, "
            "or use binary_cross_entropy, which takes logits",
        )


def output_notes(
    found: Sequence[Combination], datasets: Mapping[str, Dataset], modules: Modules
) -> tuple[str, ...]:
    """Say where outputs of the user's own networks are no logits, and the loss takes them for such.

    ``datasets`` are by the names that the combinations have for their data.
    """
    levels: dict[tuple[str, OutputKind, str, int], list[str]] = {}
    for combination in found:
        experiment = combination.experiment
        if isinstance(experiment.model, ModuleModel):
            dataset = datasets[experiment.data.reading]
            net = network(experiment, dataset, modules)
            own = resolved_loss(experiment, dataset), _kind(net), _name(experiment), net.n_out
            levels.setdefault(own, []).append(combination.label)
    told = [_told(*own, listing(labels)) for own, labels in levels.items()]
    return tuple(note for note in told if note)


def _told(loss: str, kind: OutputKind, name: str, classes: int, levels: str) -> str:
    if loss == "cross_entropy" and kind == "probabilities":
        floor = math.log(math.e + classes - 1) - 1
        return (
            f"The outputs of `{name}` are a softmax already, and cross-entropy takes another ({levels}): "
            f"gradients are small and the loss cannot come below {floor:.3g}; return the logits."
        )
    if loss == "cross_entropy" and kind == "shares of the batch":
        return (
            f"The outputs of `{name}` add up to 1 over the rows of a batch ({levels}): its softmax is over "
            "the wrong axis (`dim=1` is that of the classes), and cross-entropy takes logits; return these."
        )
    if loss == "binary_cross_entropy" and kind == "probabilities":
        return (
            f"The output of `{name}` is a sigmoid already, and its loss takes another ({levels}): "
            "return the logit, or use binary_cross_entropy_probabilities."
        )
    return ""


def _kind(net: Architecture) -> OutputKind:
    own = [layer.outputs for layer in net.layers if isinstance(layer, UserModule)]
    return own[0] if own else ""


def _name(experiment: Experiment) -> str:
    return experiment.model.name if isinstance(experiment.model, ModuleModel) else ""
