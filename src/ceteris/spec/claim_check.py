"""Claims against their study: do the factors, levels and metrics that they name exist?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ceteris.errors import Problem, nearest, unknown_name
from ceteris.spec.claim import Claim
from ceteris.spec.experiment import METRIC_NAME, metric_name
from ceteris.spec.metrics import OF_TRIALS, Direction, direction_of_claim, unknown_direction
from ceteris.spec.probes import GRADIENT_NOISE, probe_parts, probe_patterns
from ceteris.spec.study import Factor

CURVES = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_loss_running",
    "train_accuracy_running",
    "lr",
    "grad_norm",
    "weight_norm",
)
"""What is measured at the end of every epoch of every trial (accuracies for classes only)."""

PENALTY = "penalty"
"""The value of the penalty, of trials that have one."""

ON_REQUEST = ("sharpness", GRADIENT_NOISE)
"""What is measured where `probes` ask for it."""

TRUTH = ("weight_error", "bias_error")
"""Largest distance of a coefficient from the truth that rows were drawn from: of linear networks on unscaled
synthetic data."""

DERIVED = ("gap_loss", "gap_accuracy", "gap_size_loss", "gap_size_accuracy")
SPLITS = ("train", "val")


def known_metrics(own: Iterable[str]) -> tuple[str, ...]:
    """Return the names that a claim may use, besides those of probes; ``own``: the user's metrics."""
    names = [metric_name(metric) for metric in own]
    recorded = (f"{split}_{name}" for name in names for split in SPLITS)
    return (*CURVES, PENALTY, *ON_REQUEST, *TRUTH, *DERIVED, *OF_TRIALS, *recorded)


def metric_problem(claim: Claim, where: str, known: Sequence[str], follow: bool = False) -> list[Problem]:
    """Return a problem where a claim's metric is neither known nor that of a probe.

    With ``follow`` metrics of the user's own are given later, so only a misspelt name is a problem.
    """
    metric = claim.metric
    if metric in known or probe_parts(metric) is not None:
        return []
    own = own_name(metric)
    message = unknown_name("metric", metric, [*known, *probe_patterns()], "ceteris studies settings")
    measured = [name for name in map(own_name, known) if name is not None]
    if own is not None and nearest(own, measured) is None:
        if follow:
            return []
        message += (
            f"; a metric `{own}` of your own is given with the study: "
            f"in Python `metrics={{'{own}': function}}`, in a file `metrics: [package.module:{own}]`"
        )
    return [Problem(message, where=f"{where}.metric")]


def direction_problem(claim: Claim, where: str, stated: Mapping[str, Direction]) -> list[Problem]:
    """Return a problem where a claim is about the best values of a metric and nobody said which those are."""
    if claim.at not in ("best", "epochs_until") or direction_of_claim(claim, stated) is not None:
        return []
    return [Problem(f"with `at: {claim.at}`, {unknown_direction(claim.metric)}", where=f"{where}.metric")]


def epoch_problem(claim: Claim, where: str, longest: int) -> list[Problem]:
    """Return a problem where a claim looks at an epoch that no level trains; ``longest``: epochs at most."""
    if claim.between is None or claim.between[1] <= longest:
        return []
    message = f"epoch {claim.between[1]} does not come; the levels train at most {longest} epochs"
    return [Problem(message, where=f"{where}.between")]


def own_name(metric: str) -> str | None:
    """Return what the user calls a metric of their own that is recorded under this name, if it can be one."""
    split, _, name = metric.partition("_")
    return name if split in SPLITS and METRIC_NAME.fullmatch(name) and ":" not in name else None


def claim_problems(claim: Claim, where: str, factors: Sequence[Factor]) -> list[Problem]:
    """Return the factors and levels that a claim names and its study does not have."""
    labels = {factor.name: factor.labels for factor in factors}
    problems = _compared_problems(claim, where, labels)
    for name, label in claim.where.items():
        problems += _level_problems(name, [label], f"{where}.where", labels)
    if claim.interaction is not None:
        for name, pair in claim.interaction.factors.items():
            problems += _level_problems(name, pair, f"{where}.interaction.factors", labels)
    return problems


def _compared_problems(claim: Claim, where: str, labels: Mapping[str, Sequence[str]]) -> list[Problem]:
    if claim.interaction is not None:
        return []
    if claim.factor is not None:
        place = f"{where}.factor" if claim.factor not in labels else f"{where}.{claim.relation}"
        return _level_problems(claim.factor, claim.levels, place, labels)
    if not claim.levels:
        return []
    if not labels:
        return [Problem("the study varies nothing, so there are no levels to compare", where=where)]
    if len(labels) > 1:
        names = ", ".join(f"`{name}`" for name in labels)
        return [
            Problem(f"the study has several factors; name the `factor` that is meant: {names}", where=where)
        ]
    return _level_problems(next(iter(labels)), claim.levels, f"{where}.{claim.relation}", labels)


def _level_problems(
    factor: str, levels: Iterable[str], where: str, labels: Mapping[str, Sequence[str]]
) -> list[Problem]:
    if factor not in labels:
        if not labels:
            return [Problem(f"there is no factor `{factor}`; the study varies nothing", where=where)]
        return [Problem(unknown_name("factor", factor, list(labels)), where=where)]
    known = list(labels[factor])
    return [
        Problem(_unknown_level(label, factor, known), where=where) for label in levels if label not in known
    ]


def _unknown_level(label: str, factor: str, known: Sequence[str]) -> str:
    guess = nearest(label, known)
    hint = f"; did you mean `{guess}`?" if guess else ""
    return f"`{factor}` has no level `{label}`{hint} (its levels: {', '.join(known)})"


def missing_levels(claim: Claim, factors: Sequence[Factor]) -> list[str]:
    """Return the factors and levels that a claim names and the study does not have."""
    labels = {factor.name: factor.labels for factor in factors}
    only = next(iter(labels)) if len(labels) == 1 else None
    named = [(claim.factor or only, label) for label in claim.levels]
    named += list(claim.where.items())
    if claim.interaction is not None:
        named += [(name, label) for name, pair in claim.interaction.factors.items() for label in pair]
    return [label for name, label in named if name is not None and label not in labels.get(name, ())]
