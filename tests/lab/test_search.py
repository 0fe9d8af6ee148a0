"""Whole searches in worker processes: what they train, record, stop at and go on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.lab.resume import extend_run, resume_run
from ceteris.lab.run import run_study
from ceteris.lab.search import corner_study, metric_problems
from ceteris.lab.trials import plan_trials
from ceteris.records.views import RunRecord
from ceteris.spec.combine import combinations
from ceteris.spec.data import DataSpec
from ceteris.spec.parse import ParsedStudy, parse_study
from tests.lab.made import Diary, all_curves, load, settings

SPACE = {"optimizer.lr": {"log": [1e-3, 0.1]}, "model.activation": ["relu", "tanh"]}


def study(seeds: int = 2, **search: Any) -> ParsedStudy:
    given = settings() | {"seeds": seeds, "search": {"space": SPACE, **search}}
    del given["vary"]
    return parse_study(given)


def candidates(record: RunRecord) -> list[dict[str, str]]:
    return list(record.study["combine"])


def test_a_search_trains_its_candidates_as_a_study_of_these_levels_would(tmp_path: Path) -> None:
    found = load(tmp_path, run_study(study(trials=4), runs_folder=tmp_path, workers=1))
    assert found.status == "finished"
    assert found.study["search"]["metric"] == "val_accuracy"
    rows = candidates(found)
    assert len(rows) == 4
    assert len({tuple(row.items()) for row in rows}) == 4
    levels = {
        f"{n}": {"optimizer.lr": float(row["optimizer.lr"]), "model.activation": row["model.activation"]}
        for n, row in enumerate(rows)
    }
    plain = parse_study(settings() | {"vary": {"candidate": levels}, "seeds": 2}).study
    base = found.study["experiment"]["data"]
    planned = [
        replace(c, experiment=c.experiment.model_copy(update={"data": DataSpec(**base)}))
        for c in combinations(plain)
    ]
    theirs = plan_trials(planned, (0, 1), found.numerics)
    assert [t.identity for t in found.trials] == [t.identity for t in theirs]
    assert [t.coordinates for t in found.trials[:4]] == rows


@pytest.mark.slow
def test_a_search_that_was_stopped_goes_on_with_the_proposals_that_would_have_come(tmp_path: Path) -> None:
    wanted = study(trials=6, batch=2, method="bayesian")
    whole = load(tmp_path / "whole", run_study(wanted, runs_folder=tmp_path / "whole", workers=1))
    assert [len({t.level for t in whole.trials}), whole.status] == [6, "finished"]
    assert all(t.status == "finished" for t in whole.trials)
    first = Diary(stop_at=0)
    run = run_study(wanted, runs_folder=tmp_path, workers=1, listener=first, stop=first.stop)
    half = load(tmp_path, run)
    assert half.status == "stopped"
    assert len(candidates(half)) == 2
    with pytest.raises(CeterisError, match=r"the search of run .* is not done; end it with `ceteris resume"):
        extend_run(run, 3, runs_folder=tmp_path, workers=1)
    diary = Diary()
    resume_run(run, runs_folder=tmp_path, workers=1, listener=diary)
    after = load(tmp_path, run)
    assert after.status == "finished"
    assert candidates(after) == candidates(whole)
    assert all_curves(after) == all_curves(whole)
    assert diary.notes[0].startswith("2 of 6 candidates trained, 2 more; the best val_accuracy so far is 0.")
    resume_run(run, runs_folder=tmp_path, listener=diary)
    assert diary.notes[-1] == f"the run {run} is complete; nothing is left to train"


def test_halving_trains_the_best_third_in_full_and_lost_candidates_never(tmp_path: Path) -> None:
    space = {"optimizer.lr": [1e30, 0.1, 0.01, 1e-5, 3e-5], "model.activation": ["tanh", "relu"]}
    wanted = study(seeds=1, trials=10, space=space, halving=3, metric="val_loss")
    found = load(tmp_path, run_study(wanted, runs_folder=tmp_path, workers=1))
    small = [t for t in found.trials if t.coordinates["epochs"] == "1"]
    full = [t for t in found.trials if t.coordinates["epochs"] == "2"]
    assert [len(small), len(full)] == [10, 4]
    assert [len(t.curves["val_loss"]) for t in full] == [2] * 4
    ranked = sorted(
        (t for t in small if t.status == "finished"), key=lambda trial: float(trial.curves["val_loss"][-1])
    )
    names = ("optimizer.lr", "model.activation")
    best = {tuple(t.coordinates[name] for name in names) for t in ranked[:4]}
    assert {tuple(t.coordinates[name] for name in names) for t in full} == best
    assert any(t.status == "diverged" for t in small)


def test_ends_of_the_space_that_do_not_fit_the_data_are_refused_at_their_place() -> None:
    wanted = study(space={"batch_size": {"int": [16, 4000]}, "optimizer.lr": [0.1, 0.001]})
    around = corner_study(wanted)
    assert len(combinations(around.study)) == 4  # the base itself has one of the rates
    _, problems = bind(around, load_sources(["digits"], None, None), ())
    (told,) = map(str, problems)
    assert told.startswith("search.space.batch_size.int.1: a batch of 4,000 rows cannot be filled")


def test_a_metric_that_the_data_does_not_give_is_refused_where_it_stands() -> None:
    data = load_sources(["diabetes"], None, None).datasets.values()
    told = [str(p) for p in metric_problems(study(metric="val_accuracy"), data)]
    assert told == [
        "search.metric: `diabetes` has numbers to predict, which have no accuracy; rank by a loss"
    ]
    assert list(metric_problems(study(), data)) == []
    unvalidated = settings(data={"source": "diabetes", "validation": 0}) | {"search": {"space": SPACE}}
    del unvalidated["vary"]
    (told_too,) = metric_problems(parse_study(unvalidated), data)
    assert "no rows validate" in str(told_too)
