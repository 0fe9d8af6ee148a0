"""What a search proposes: repeatable, never the same twice, and better than chance where it learns."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.lab.halving import rounds, survivors
from ceteris.lab.proposals import Candidate, propose
from ceteris.lab.search import next_batch, work_ahead
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import MLP
from ceteris.spec.parse import parse_study
from ceteris.spec.search import Halving, Search

BASE = Experiment(data="digits", model=MLP(hidden=(8,)))
SPACE: dict[str, Any] = {
    "optimizer.lr": {"log": [1e-4, 1.0]},
    "batch_size": {"int": [8, 64], "log": True},
    "model.hidden": [[8], [16], [8, 8]],
}


def run_through(search: Search, score: Any) -> list[tuple[Candidate, float]]:
    """Search with a score that is known at once."""
    known: list[tuple[Candidate, float]] = []
    while batch := propose(search, BASE, known):
        known += [(candidate, score(candidate)) for candidate in batch]
    return known


def distance(candidate: Candidate) -> float:
    """Return how far it is from a rate of 0.01 in batches of 32 with [16]; rates above 0.3 are lost."""
    if candidate["optimizer.lr"] > 0.3:
        return math.inf
    off = abs(math.log10(candidate["optimizer.lr"]) + 2) + abs(math.log2(candidate["batch_size"]) - 5)
    return off + (candidate["model.hidden"] != [16])


def test_candidates_at_random_do_not_depend_on_batches_or_on_what_else_is_searched() -> None:
    whole = propose(Search(space=SPACE, trials=9), BASE, ())
    assert len(whole) == 9
    assert all(1e-4 <= candidate["optimizer.lr"] <= 1 for candidate in whole)
    in_batches = run_through(Search(space=SPACE, trials=9, batch=4), distance)
    assert [candidate for candidate, _ in in_batches] == whole
    alone = propose(Search(space={"optimizer.lr": SPACE["optimizer.lr"]}, trials=9), BASE, ())
    assert [c["optimizer.lr"] for c in alone] == [c["optimizer.lr"] for c in whole]
    assert propose(Search(space=SPACE, trials=9, seed=1), BASE, ()) != whole


@pytest.mark.parametrize("method", ["random", "bayesian", "grid"])
def test_a_small_space_is_gone_through_once(method: Any) -> None:
    search = Search(
        space={"batch_size": {"int": [8, 10]}, "epochs": [3, 4]}, method=method, trials=50, batch=4
    )
    found = [candidate for candidate, _ in run_through(search, lambda candidate: candidate["batch_size"])]
    assert sorted((c["batch_size"], c["epochs"]) for c in found) == [
        (b, e) for b in (8, 9, 10) for e in (3, 4)
    ]


def test_two_candidates_that_are_one_experiment_are_one() -> None:
    search = Search(space={"optimizer": ["adam", {"kind": "adam", "lr": 1e-3}, "sgd"]}, trials=9)
    assert len(propose(search, BASE, ())) == 2


def test_bayesian_proposals_follow_from_what_is_known_alone_and_beat_chance() -> None:
    bests = {}
    for method in ("random", "bayesian"):
        runs = [
            run_through(Search(space=SPACE, trials=30, method=method, seed=seed), distance)
            for seed in range(3)
        ]
        assert all(len(run) == 30 for run in runs)
        bests[method] = sum(min(score for _, score in run) for run in runs) / 3
    assert bests["bayesian"] < 0.5 * bests["random"]
    search = Search(space=SPACE, trials=24, method="bayesian")
    known = run_through(search, distance)
    assert propose(search, BASE, known[:16]) == [candidate for candidate, _ in known[16:24]]
    assert [c for c, _ in known[:8]] == propose(Search(space=SPACE, trials=8), BASE, ())


def test_a_gaussian_process_follows_from_what_is_known_alone_and_beats_chance() -> None:
    space = {"optimizer.lr": SPACE["optimizer.lr"]}
    search = Search(space=space, trials=7, method="bayesian", sampler="gp", batch=1)

    def miss(candidate: Candidate) -> float:
        return abs(math.log10(candidate["optimizer.lr"]) + 1.7)

    drawn = propose(Search(space=space, trials=4), BASE, ())
    known = [(candidate, miss(candidate)) for candidate in drawn]
    for _ in range(2):
        (found,) = propose(search, BASE, known)
        assert propose(search, BASE, known) == [found]
        known.append((found, miss(found)))
    assert min(score for _, score in known[4:]) < 0.5 * min(score for _, score in known[:4])
    lost = [(drawn[0], float("inf")), *known[1:]]  # one that diverged
    assert len(propose(search, BASE, lost)) == 1


def test_a_space_without_a_possible_experiment_is_refused_with_the_reason() -> None:
    search = Search(space={"model.dropout": [[0.1, 0.2], [0.1, 0.3]]})
    with pytest.raises(
        CeterisError, match=r"nothing in the search space is a possible experiment: .*list of 2"
    ):
        propose(search, BASE, ())


def test_without_optuna_a_bayesian_search_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(space=SPACE, method="bayesian")
    known = [(propose(search, BASE, ())[0], 1.0)]
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(CeterisError, match=r"not installed: `pip install 'ceteris\[search\]'`"):
        propose(search, BASE, known)


@pytest.mark.parametrize(
    ("halving", "epochs", "sizes"),
    [
        (Halving(), 90, [10, 30, 90]),
        (Halving(factor=2, rounds=4), 8, [1, 2, 4, 8]),
        (Halving(), 3, [1, 3]),
        (Halving(by="rows", rounds=2), 3, [100, None]),
    ],
)
def test_rounds_grow_to_the_whole(halving: Halving, epochs: int, sizes: list[int | None]) -> None:
    found = rounds(halving, BASE.model_copy(update={"epochs": epochs}), training_rows=300)
    assert [next(iter(level.patch.values())) for level in found] == sizes


def test_the_best_go_on_in_their_order_and_none_that_was_lost() -> None:
    scores = {"a": 3.0, "b": 1.0, "c": math.inf, "d": 2.0, "e": 9.0}
    assert survivors(scores, 3) == ["b", "d"]
    assert survivors({"a": math.inf, "b": math.inf}, 2) == []
    assert survivors({"a": math.inf, "b": math.inf, "c": 1.0}, 2) == ["c"]


@pytest.mark.parametrize(
    ("search", "ahead"),
    [
        ({"trials": 20, "method": "bayesian"}, 12 / 8),
        ({"trials": 20}, 0.0),
        ({"trials": 9, "halving": 3}, (3 * 3 + 1 * 9) / 9),
        ({"trials": 4, "halving": {"factor": 2, "rounds": 2, "by": "rows"}}, 2 * 2 / 4),
    ],
)
def test_the_work_ahead_counts_what_is_still_to_be_proposed(search: dict[str, Any], ahead: float) -> None:
    settings = BASE.model_dump(mode="json") | {"epochs": 9}
    study = parse_study(
        {"experiment": settings, "search": {"space": SPACE, "metric": "val_loss", **search}}
    ).study
    batch = next_batch(study, (), 300)
    assert batch is not None
    assert work_ahead(batch.study, 300) == pytest.approx(ahead)
