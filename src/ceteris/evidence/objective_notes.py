"""What compared levels minimise, where equal numbers in it are not equal strength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.evidence.wording import listing, number

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

FORMULAS = {
    ("l1", "sum"): "sum |w|",
    ("l1", "mean"): "mean |w|",
    ("l2", "sum"): "sum w^2",
    ("l2", "mean"): "mean w^2",
    ("l2", "norm"): "sqrt(sum w^2)",
}
HALVED = {"mse": "mse_half", "mse_half": "mse"}
SCALED_BY_THE_LOSS = ("sgd",)
"""Optimisers whose steps are as large as the loss makes them; the adaptive ones divide that out."""
ACCURACIES = {"train_accuracy", "val_accuracy"}
"""What is recorded of classes alone, whose default loss is no squared error."""
MOST_LEVELS = 8
"""Levels whose penalties are written out, at most."""

Trials = Mapping[str, Sequence["TrialRecord"]]
"""The trials that ended, by level."""


def objective_notes(trials: Trials) -> tuple[str, ...]:
    """Say where levels have penalties of different functions, or losses with and without the half."""
    return (*_penalty_notes(trials), *_half_notes(trials))


def _penalty_notes(trials: Trials) -> Iterator[str]:
    functions = {level: _functions(own[0].experiment) for level, own in trials.items()}
    kinds = {tuple(formula for _, formula in terms) for terms in functions.values() if terms}
    if len(kinds) < 2:
        return
    told = [_told(level, terms, trials[level]) for level, terms in functions.items() if terms]
    more = f"; and {len(told) - MOST_LEVELS} more" if len(told) > MOST_LEVELS else ""
    yield (
        "The levels' penalties are different functions, so equal weights are not equal strength: "
        f"{'; '.join(told[:MOST_LEVELS])}{more}."
    )


def _functions(experiment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (weight, formula) of every penalty of an experiment, the optimiser's decay among them."""
    penalty = experiment.get("penalty") or {}
    terms = penalty.get("terms", [penalty])
    found = [
        (f"{term['weight']:g}", f"{FORMULAS[term['kind'], term.get('form', 'sum')]}, {_on(term.get('on'))}")
        for term in terms
        if term.get("kind", "none") != "none" and term.get("weight", 0) > 0
    ]
    optimizer = experiment.get("optimizer") or {}
    decay = optimizer.get("weight_decay") or 0
    if decay > 0:
        spared = (optimizer.get("biases") or {}).get("weight_decay") == 0
        # Into the gradient d w goes, as from a penalty of d / 2 sum w^2; AdamW takes it from w itself.
        formula = "weight decay beside the gradient" if optimizer.get("kind") == "adamw" else "1/2 sum w^2"
        found.append((f"{decay:g}", f"{formula}, {'of all but biases' if spared else _on('all')}"))
    return found


def _on(parameters: str | None) -> str:
    return "of all parameters" if parameters == "all" else "of weights alone"


def _told(level: str, terms: Sequence[tuple[str, str]], trials: Sequence[TrialRecord]) -> str:
    written = " and ".join(f"{weight} x {formula}" for weight, formula in terms)
    values = [float(t.curves["penalty"][0]) for t in trials if len(t.curves.get("penalty", ()))]
    came = f" ({number(sum(values) / len(values))} after the first epoch)" if values else ""
    return f"{level} has {written}{came}"


def _half_notes(trials: Trials) -> Iterator[str]:
    """Say where a loss and its half meet at the same rate: half the gradient, half the step."""
    groups: dict[tuple[str, float], list[str]] = {}
    for level, own in trials.items():
        optimizer = own[0].experiment.get("optimizer") or {}
        loss = own[0].experiment.get("loss")
        loss = "mse" if loss == "auto" and not ACCURACIES & own[0].curves.keys() else loss
        if loss in HALVED and optimizer.get("kind") in SCALED_BY_THE_LOSS:
            groups.setdefault((loss, float(optimizer["lr"])), []).append(level)
    for (loss, lr), halves in groups.items():
        whole = groups.get((HALVED[loss], lr))
        if loss == "mse_half" and whole:
            yield (
                f"The loss of {listing(halves)} is half that of {listing(whole)} at the same learning rate "
                f"({lr:g}): the gradient and the steps are half as large there. The same steps take twice "
                "the rate."
            )
