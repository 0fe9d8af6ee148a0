"""Results as pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def curve_frame(run: RunRecord) -> pd.DataFrame:
    """Return every number of every curve on a row of its own; epochs count from 1."""
    import pandas as pd

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
        if len(curve)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(CURVE_COLUMNS))
