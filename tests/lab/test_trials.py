from typing import Any

import pytest

from ceteris.draws import SCHEME
from ceteris.errors import CeterisError
from ceteris.lab.trials import identity_of, next_seeds, plan_trials
from ceteris.records.identity import trial_identity
from ceteris.spec.combine import combinations
from tests.lab.made import small_study

NUMERICS = {"version": 1, "device": "cpu"}


def test_there_is_one_trial_per_seed_and_level_and_no_two_are_alike() -> None:
    trials = plan_trials(combinations(small_study().study), (0, 1, 2), NUMERICS)
    assert [(t.level, t.seed) for t in trials] == [(v, s) for s in (0, 1, 2) for v in ("0.01", "0.001")]
    assert len({t.identity for t in trials}) == 6


def test_an_identity_depends_on_all_that_decides_a_result_and_not_on_where_rows_lie() -> None:
    def identity(source: str = "digits", content: str = "c", seed: int = 0, device: str = "cpu") -> str:
        data = {"source": source, "content": content}
        study = small_study(vary={}, data=data).study
        return identity_of(study.experiment, seed, 0, {"device": device})

    assert identity() == identity()
    assert len({identity(), identity(content="d"), identity(seed=1), identity(device="cuda")}) == 4
    assert identity(source="/here/rows.npz") == identity(source="there/other.npz")
    assert identity(source="/here/rows.npz") != identity()


@pytest.mark.parametrize(
    ("used", "total", "more"), [((0, 1), 4, (2, 3)), ((0, 2), 4, (1, 3)), ((7,), 3, (0, 1))]
)
def test_new_seeds_are_the_smallest_that_are_free(
    used: tuple[int, ...], total: int, more: tuple[int, ...]
) -> None:
    assert next_seeds(used, total) == more


def test_the_number_of_seeds_is_that_in_all() -> None:
    with pytest.raises(
        CeterisError, match="has 5 seeds already, and 3 are asked for; give the number in all"
    ):
        next_seeds(range(5), 3)


def test_probes_are_part_of_an_identity_only_where_some_are_asked_for() -> None:
    def identity(**changes: Any) -> str:
        (found,) = combinations(small_study(vary={}, **changes).study)
        return identity_of(found.experiment, 0, 0, {})

    assert identity() == identity(probes={"histograms": "none"})
    assert identity() != identity(probes={"histograms": "last"})
    assert identity() != identity(probes={"activation_rows": "validation"})


def test_asking_for_arrays_gives_the_identity_that_it_gave_before_there_was_a_choice_of_rows() -> None:
    (found,) = combinations(small_study(vary={}, probes={"histograms": "last"}).study)
    settings = found.experiment.model_dump(mode="json")
    for name in ("implementation", "precision", "accumulate"):
        del settings[name]
    for name in ("content", "checksum", "target_scale", "drop", "test"):
        del settings["data"][name]
    del settings["probes"]["activation_rows"], settings["probes"]["units"]
    assert identity_of(found.experiment, 0, 0, {}) == trial_identity(settings, 0, 0, "", {}, SCHEME)
