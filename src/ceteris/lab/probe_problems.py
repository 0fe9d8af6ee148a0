"""Probes that an experiment asks for, against its data: what cannot be measured there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ceteris.data.dataset import Dataset
from ceteris.data.one_input import one_input
from ceteris.spec.claim import Claim
from ceteris.spec.experiment import Experiment
from ceteris.spec.probes import GRADIENT_NOISE, OF_UNITS, probe_parts

WHERE = "experiment.probes"
Chosen = str | tuple[int, ...]


def probe_problems(experiment: Experiment, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield the path and the message of every probe that cannot be measured on this data."""
    probes = experiment.probes
    chosen: dict[str, Chosen] = {
        f"{WHERE}.histograms": probes.histograms,
        f"{WHERE}.grid.epochs": probes.grid.epochs,
        f"{WHERE}.confusion": probes.confusion,
        f"{WHERE}.sharpness.epochs": probes.sharpness.epochs,
    }
    for path, epochs in chosen.items():
        if isinstance(epochs, tuple) and epochs and min(epochs) > experiment.epochs:
            yield path, f"the training has {experiment.epochs:,} epochs, and none of these comes; give `last`"
    if _asked(probes.grid.epochs):
        if dataset.task == "classification":
            yield f"{WHERE}.grid", f"`{dataset.name}` has classes; a fitted curve needs numbers to predict"
        elif one_input(dataset) is None:
            yield (
                f"{WHERE}.grid",
                f"`{dataset.name}` has {dataset.features:,} inputs a row; a fitted curve is drawn along one",
            )
    if probes.activation_rows == "validation" and experiment.data.validation == 0:
        yield f"{WHERE}.activation_rows", "with `data.validation: 0` no rows validate; use `training`"
    if _asked(probes.confusion):
        if dataset.task == "regression":
            yield (
                f"{WHERE}.confusion",
                f"`{dataset.name}` has numbers to predict; confusion counts need classes",
            )
        if experiment.data.validation == 0:
            yield f"{WHERE}.confusion", "with `data.validation: 0` no rows validate, so none can be counted"


def _asked(epochs: Chosen) -> bool:
    return epochs not in ("none", ())


def unmeasured(claim: Claim, experiments: Sequence[Experiment]) -> str | None:
    """Say why a claim's probe is not measured in one of the experiments of its study; None where it is."""
    if claim.metric == "sharpness":
        asked = all(_asked(experiment.probes.sharpness.epochs) for experiment in experiments)
        return None if asked else "it is measured on request; set `probes: {sharpness: {epochs: last}}`"
    family, name = probe_parts(claim.metric) or (claim.metric, "")
    if family in (GRADIENT_NOISE, *OF_UNITS):
        switch = "units" if family in OF_UNITS else "gradient_noise"
        if not all(getattr(experiment.probes, switch) for experiment in experiments):
            return f"`{claim.metric}` is measured on request; set `probes: {{{switch}: true}}`"
    elif name and not all(experiment.probes.layers for experiment in experiments):
        return f"`{claim.metric}` is not measured with `probes: {{layers: false}}`; leave that out"
    return None
