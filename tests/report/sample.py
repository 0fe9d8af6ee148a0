"""Runs made up for the report: curves by a formula, everything else as the records give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ceteris.evidence.assessment import Assessment, assess
from ceteris.records.views import RunRecord, TrialRecord
from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.parse import parse_study
from ceteris.spec.study import Study

CLASSIFICATION = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
FURTHER = ("lr", "grad_norm", "weight_norm", "std/head.weight")


def made_study(**changes: Any) -> Study:
    """A study of three learning rates on digits, with a claim for each verdict; parts may be replaced."""
    return parse_study(
        {
            "title": "What does the learning rate do?",
            "experiment": {
                "data": "digits",
                "model": {"kind": "mlp", "hidden": [64]},
                "optimizer": {"kind": "sgd", "lr": 0.1},
                "epochs": 12,
            },
            "vary": {"optimizer.lr": [0.1, 0.01, 0.001]},
            "seeds": 5,
            "claims": [
                {"text": "The largest rate learns fastest.", "metric": "val_loss", "less": ["0.1", "0.001"]},
                {
                    "text": "The smallest rate ends best.",
                    "metric": "val_accuracy",
                    "greater": ["0.001", "0.1"],
                },
                {
                    "text": "The gap grows with the rate.",
                    "metric": "gap_loss",
                    "order": ["0.001", "0.01", "0.1"],
                },
            ],
            **changes,
        }
    ).study


def made_curves(metrics: Sequence[str], level: int, seed: int, epochs: int) -> dict[str, np.ndarray]:
    """Falling losses and rising accuracies; later levels are slower, each seed has its own offset."""
    rng = np.random.default_rng([seed, 7])
    offset = 1 + 0.05 * rng.standard_normal()
    steps = np.arange(1, epochs + 1)
    fall = 0.1 * (level + 1) + 2.2 * offset * np.exp(-steps / (2 + 3 * level))
    rng = np.random.default_rng([seed, level])
    noise = {metric: 0.01 * rng.standard_normal(epochs) for metric in metrics}
    return {
        metric: 1 - fall / 4 + noise[metric] / 3 - 0.02 * metric.startswith("val")
        if "accuracy" in metric
        else fall + noise[metric] + 0.1 * metric.startswith("val")
        for metric in metrics
    }


def made_run(
    study: Study,
    *,
    metrics: Sequence[str] = (*CLASSIFICATION, *FURTHER),
    diverged: Mapping[tuple[str, int], int] | None = None,
    **changes: Any,
) -> RunRecord:
    """A finished run of ``study``; ``diverged`` maps (level, seed) to the step at which that trial broke."""
    trials = tuple(
        _made_trial(index, place, seed, fold, study, metrics, (diverged or {}).get((place.label, seed)))
        for index, place in enumerate(combinations(study))
        for seed in seed_list(study)
        for fold in range(1 if study.folds is None else study.folds.k)
    )
    fields: dict[str, Any] = {
        "id": "20261122-084512-learning-rate-3f2a",
        "title": study.title,
        "status": "finished",
        "created": "2026-11-22T08:45:12Z",
        "seconds": 41.3,
        "device": "cpu",
        "study": study.model_dump(mode="json"),
        "study_name": "digits/learning-rate",
        "facts": {
            "name": "digits",
            "task": "classification",
            "classes": [str(digit) for digit in range(10)],
            "rows": {"train": 1150, "validation": 287, "test": 360},
            "content": "ab" * 32,
        },
        "versions": {"ceteris": "0.1.0", "python": "3.11.9", "torch": "2.13.0", "randomness": "1"},
        "numerics": {"kernel": "numba", "threads": 1, "precision": "float32"},
        "looks": 0,
        "first_seeds": len(seed_list(study)),
        "folder": Path("ceteris-runs") / "20261122-084512-learning-rate-3f2a",
        "trials": trials,
    }
    return RunRecord(**{**fields, **changes})


def _made_trial(
    index: int, place: Any, seed: int, fold: int, study: Study, metrics: Sequence[str], step: int | None
) -> TrialRecord:
    epochs = place.experiment.epochs if step is None else step // 36
    return TrialRecord(
        identity=f"{index:08x}{seed:04x}{fold:04x}",
        level=place.label,
        coordinates=place.coordinates,
        seed=seed,
        fold=fold,
        status="finished" if step is None else "diverged",
        diverged_step=step,
        curves=made_curves(metrics, index, seed + 1000 * fold, epochs),
        seconds=0.4,
        experiment=place.experiment.model_dump(mode="json"),
    )


def made_assessment(run: RunRecord, study: Study) -> Assessment:
    """What evidence says about a made-up run."""
    return assess(study, run.trials, validation_rows=287, looks=run.looks, first_seeds=run.first_seeds)
