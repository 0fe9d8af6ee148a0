"""A study made small for a first look: fewer rows, epochs and seeds. What it says is provisional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.study import Factor, Study

EPOCHS = 3
SEEDS = 3
ROWS = 5_000
LARGE_SOURCES = ("mnist", "fashion-mnist")
"""Sources with more rows than ``ROWS``; others are small enough or unknown, and are used whole."""

MARK = "provisional"


def quick(study: Study) -> Study:
    """Return the study with at most 3 epochs, 3 seeds and, of large sources, 5,000 training rows.

    Batches that are larger keep as many rows as the largest of them needs. The title says that the
    study is provisional.
    """
    rows = max([ROWS, *(c.experiment.batch_size for c in combinations(study))])
    experiment = study.experiment.model_copy(
        update={
            "epochs": min(study.experiment.epochs, EPOCHS),
            "data": study.experiment.data.model_copy(
                update={"rows": _fewer(study.experiment.data.rows, study.experiment.data.source, rows)}
            ),
        }
    )
    return study.model_copy(
        update={
            "title": f"{study.title} ({MARK})".strip(),
            "experiment": experiment,
            "vary": tuple(_quick_factor(factor, experiment.data.source, rows) for factor in study.vary),
            "seeds": seed_list(study)[:SEEDS],
        }
    )


def quick_note(study: Study, small: Study | None = None) -> str:
    """Say in one sentence what a small version of a study left out; ``quick`` makes it unless it is given."""
    small = small or quick(study)
    parts = [f"{len(seed_list(small))} of {len(seed_list(study))} seeds"]
    if small.experiment.epochs < study.experiment.epochs:
        parts.append(f"{small.experiment.epochs} of {study.experiment.epochs} epochs")
    if small.experiment.data.rows != study.experiment.data.rows:
        parts.append(f"{small.experiment.data.rows:,} training rows")
    return f"a quick look, and {MARK}: {', '.join(parts)}; run it without --quick for the answer"


def _fewer(rows: int | None, source: str, most: int) -> int | None:
    if source not in LARGE_SOURCES:
        return rows
    return most if rows is None else min(rows, most)


def _quick_factor(factor: Factor, source: str, rows: int) -> Factor:
    levels = tuple(
        level.model_copy(update={"patch": _quick_patch(level.patch, source, rows)}) for level in factor.levels
    )
    return factor.model_copy(update={"levels": levels})


def _quick_patch(patch: Mapping[str, Any], source: str, rows: int) -> dict[str, Any]:
    """Shorten what a level sets itself; levels that then are alike stay for the check to name."""
    small = dict(patch)
    if isinstance(small.get("epochs"), int):
        small["epochs"] = min(small["epochs"], EPOCHS)
    own = small.get("data.source", source)
    if "data" in small:
        data = small["data"] if isinstance(small["data"], dict) else {"source": small["data"]}
        small["data"] = data | {"rows": _fewer(data.get("rows"), data.get("source", source), rows)}
    elif "data.source" in small or isinstance(small.get("data.rows"), int):
        small["data.rows"] = _fewer(small.get("data.rows"), own, rows)
    return small
