"""Results as pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from ceteris.evidence.assessment import Assessment
    from ceteris.evidence.summaries import LevelEvidence
    from ceteris.records.views import RunRecord

CURVE_COLUMNS = ("level", "seed", "fold", "epoch", "metric", "value")


def level_frame(assessment: Assessment) -> pd.DataFrame:
    """Return one row per level, indexed by its label, in the order of the study."""
    import pandas as pd

    rows = [_level_row(level) for level in assessment.levels]
    return pd.DataFrame(rows).set_index("level")


def _level_row(level: LevelEvidence) -> dict[str, Any]:
    from ceteris.report.titles import ordered

    row: dict[str, Any] = {
        "level": level.level,
        **(level.coordinates if len(level.coordinates) > 1 else {}),
        "planned": level.planned,
        "finished": level.finished,
        "diverged": level.diverged,
    }
    for name in ordered(list(level.metrics)):
        summary = level.metrics[name]
        row |= {
            name: summary.last.mean,
            f"{name}_low": summary.last.low,
            f"{name}_high": summary.last.high,
            f"{name}_best": None if summary.best is None else summary.best.mean,
        }
    return row


def curve_frame(run: RunRecord, metrics: Sequence[str] = ()) -> pd.DataFrame:
    """Return every number of the curves of some metrics (none named: of all) on a row; epochs count from 1.

    Raises ``CeterisError`` for a metric that was not recorded.
    """
    import pandas as pd

    known = list(dict.fromkeys(metric for trial in run.trials for metric in trial.curves))
    for metric in metrics:
        if metric not in known:
            raise CeterisError(unknown_name("metric", metric, known))

    parts = [
        pd.DataFrame(
            {
                "level": trial.level,
                "seed": trial.seed,
                "fold": trial.fold,
                "epoch": range(1, len(curve) + 1),
                "metric": metric,
                "value": curve,
            }
        )
        for trial in run.trials
        for metric, curve in trial.curves.items()
        if len(curve) and (not metrics or metric in metrics)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(CURVE_COLUMNS))
