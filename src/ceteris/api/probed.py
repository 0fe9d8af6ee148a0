"""What was measured on request, for one trial and as pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ceteris.records.probed import FittedCurve, Histogram, Probed
    from ceteris.records.views import RunRecord, TrialRecord

WHERE = ("level", "seed", "fold", "epoch")


def trial_histograms(run: RunRecord, trial: TrialRecord) -> dict[str, dict[int, Histogram]]:
    """Return a trial's histograms, {name: {epoch: histogram}}."""
    from ceteris.records.probed import histograms

    found: dict[str, dict[int, Histogram]] = {}
    for own in histograms(run):
        if own.identity == trial.identity:
            found.setdefault(own.name, {})[own.epoch] = own.value
    return found


def trial_grid(run: RunRecord, trial: TrialRecord) -> dict[int, FittedCurve]:
    """Return a trial's fitted curves by epoch."""
    from ceteris.records.probed import fitted_curves

    return {own.epoch: own.value for own in fitted_curves(run) if own.identity == trial.identity}


def trial_confusion(run: RunRecord, trial: TrialRecord) -> dict[int, NDArray[np.int64]]:
    """Return a trial's confusion counts by epoch."""
    from ceteris.records.probed import confusions

    return {own.epoch: own.value for own in confusions(run) if own.identity == trial.identity}


def histogram_frame(run: RunRecord) -> pd.DataFrame:
    """Return every bin of every histogram on a row of its own."""
    import numpy as np

    from ceteris.records.probed import histograms

    parts = []
    for own in histograms(run):
        edges, counts = own.value.edges, own.value.counts
        low, high = edges[:-1], edges[1:]
        if own.value.not_finite:
            low, high = np.append(low, np.nan), np.append(high, np.nan)
            counts = np.append(counts, own.value.not_finite)
        parts.append((own, {"kind": own.kind, "name": own.name, "low": low, "high": high, "count": counts}))
    return _frame(parts, ("kind", "name", "low", "high", "count"))


def grid_frame(run: RunRecord) -> pd.DataFrame:
    """Return every point of every fitted curve on a row of its own."""
    from ceteris.records.probed import fitted_curves

    parts = [
        (own, {"x": own.value.x, "output": number, "y": own.value.y[:, number]})
        for own in fitted_curves(run)
        for number in range(own.value.y.shape[1])
    ]
    return _frame(parts, ("x", "output", "y"))


def confusion_frame(run: RunRecord) -> pd.DataFrame:
    """Return every count on a row of its own, classes by their names."""
    import numpy as np

    from ceteris.api.networks import facts_of
    from ceteris.records.probed import confusions
    from ceteris.spec.experiment import Experiment

    sources = {t.identity: Experiment.model_validate(dict(t.experiment)).data.reading for t in run.trials}
    parts = []
    for own in confusions(run):
        names = np.array(facts_of(run, sources[own.identity])["classes"], dtype=object)
        counts = own.value
        columns = {
            "true": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "count": counts.reshape(-1),
        }
        parts.append((own, columns))
    return _frame(parts, ("true", "predicted", "count"))


def _frame(parts: Iterable[tuple[Probed[Any], dict[str, Any]]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    frames = [
        pd.DataFrame({**{name: getattr(own, name) for name in WHERE}, **measured}) for own, measured in parts
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*WHERE, *columns])
