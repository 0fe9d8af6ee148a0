"""How a run is laid out, by the rule and by times that are made up. Nothing is trained."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.lab import planning
from ceteris.lab.planning import Room, by_calibration, by_rule, threads_each
from ceteris.lab.shards import finishing_time
from tests.api.made_plans import cohort, plan
from tests.lab.made import small_trials
from tests.lab.made_times import a_step, any_time, calibration_of
from tests.lab.test_shards import cohorts_of


def room_of(cores: int, most_bytes: int = 2**40) -> Room:
    return Room(cores, lambda workers: most_bytes // workers, on_processor=True)


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "available_cores", lambda: 64)


@pytest.mark.parametrize(
    ("workers", "cores", "available", "threads"),
    [(1, None, 2, 2), (1, 1, 2, 1), (1, 4, 2, 2), (2, None, 16, 8), (2, None, 3, 1), (4, 4, 2, 1)],
)
def test_cores_that_are_left_over_become_threads(
    monkeypatch: pytest.MonkeyPatch, workers: int, cores: int | None, available: int, threads: int
) -> None:
    monkeypatch.setattr(planning, "available_cores", lambda: available)
    shards = plan(cohort(0, trials=1)).shards
    assert threads_each(shards, workers, cores) == threads
    structure = replace(shards[0].cohort.structure, precision="bfloat16")  # runs as modules
    alone = [replace(shards[0], cohort=replace(shards[0].cohort, structure=structure))]
    assert threads_each(alone, workers, cores) == 1


@pytest.mark.usefixtures("many_cores")
@settings(deadline=None)
@given(
    seeds=st.integers(1, 7),
    widths=st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True),
    cores=st.integers(1, 9),
    members=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_times_every_trial_is_in_one_shard_within_the_memory(
    seeds: int, widths: list[int], cores: int, members: int, seed: int
) -> None:
    trials, drawn = (
        small_trials(seeds, vary={"model.hidden": [[width] for width in widths]}),
        random.Random(seed),
    )
    cohorts = cohorts_of(trials)
    limit = cores * members * max(own.bytes_per_member() for own in cohorts)
    known = {own.index: [any_time(drawn) for _ in range(drawn.randint(0, 4))] for own in cohorts}
    known[0] = known[0] or [any_time(drawn)]
    calibration = calibration_of(cohorts, known, rows=drawn.choice([0, 600]))
    calibration.scale_to(cohorts)
    layout = by_calibration(cohorts, room_of(cores, limit), {}, calibration)
    assert layout is not None
    assert sorted(t.identity for s in layout.shards for t in s.trials) == sorted(t.identity for t in trials)
    assert [s.number for s in layout.shards] == list(range(len(layout.shards)))
    assert all(len(s.trials) * s.cohort.bytes_per_member() <= limit for s in layout.shards)
    assert 1 <= layout.workers <= min(cores, len(layout.shards))
    assert 1 <= layout.threads * layout.workers <= cores


@pytest.mark.usefixtures("many_cores")
def test_where_nothing_is_known_the_rule_stands() -> None:
    cohorts = cohorts_of(small_trials())
    assert by_calibration(cohorts, room_of(2), {}, calibration_of(cohorts, {})) is None
    known = calibration_of(cohorts, {0: [a_step(1.0)]})
    assert by_calibration(cohorts, replace(room_of(2), on_processor=False), {}, known) is None


@pytest.mark.usefixtures("many_cores")
def test_a_network_that_is_dearer_than_its_multiplications_is_begun_first_and_cut() -> None:
    trials = small_trials(seeds=3, vary={"model.hidden": [[300], [30], [10]]})
    cohorts = cohorts_of(trials)  # 2 of 3 kinds are as dear as their multiplications
    known = calibration_of(cohorts, {0: [a_step(3e-3)], 1: [a_step(3e-4)], 2: [a_step(6e-3)]})
    rule, chosen = by_rule(cohorts, room_of(2), {}), by_calibration(cohorts, room_of(2), {}, known)
    assert chosen is not None
    assert chosen.shards[0].cohort.index == 2
    ideal = sum(map(known.seconds, cohorts)) / 2
    assert chosen.seconds <= 1.15 * ideal
    assert finishing_time([s.cohort for s in rule.shards], 2, known.seconds) > chosen.seconds


@pytest.mark.usefixtures("many_cores")
def test_no_stack_is_cut_where_small_ones_are_dear() -> None:
    cohorts = cohorts_of(small_trials(seeds=4))  # 8 trials
    dear = calibration_of(cohorts, {0: [a_step(1.0, 1), a_step(1.0, 4), a_step(0.1, 8)]})
    cheap = calibration_of(cohorts, {0: [a_step(1.0)]})
    layouts = [by_calibration(cohorts, room_of(2), {}, known) for known in (dear, cheap)]
    assert [len(layout.shards) for layout in layouts if layout is not None] == [1, 2]


@pytest.mark.usefixtures("many_cores")
@pytest.mark.parametrize(
    ("gain", "seeds", "workers", "threads"),
    [(1.0, 3, 2, 1), (1.6, 3, 1, 2), (1.6, 4, 2, 1), (1.45, 3, 2, 1), (1.6, 1, 1, 2)],
)
def test_threads_are_taken_where_they_end_the_run_sooner(
    gain: float, seeds: int, workers: int, threads: int
) -> None:
    cohorts = cohorts_of(small_trials(seeds, vary={}))
    known = calibration_of(cohorts, {0: [a_step(1.0), a_step(1.0 / gain, threads=2)]})
    layout = by_calibration(cohorts, room_of(2), {}, known)
    assert layout is not None
    assert (layout.workers, layout.threads) == (workers, threads)


@pytest.mark.usefixtures("many_cores")
def test_threads_are_never_chosen_where_they_are_numerics() -> None:
    cohorts = cohorts_of(small_trials(3, vary={}, precision="bfloat16"))
    known = calibration_of(cohorts, {0: [a_step(1.0), a_step(0.1, threads=2)]})
    layout = by_calibration(cohorts, room_of(2), {}, known)
    assert layout is not None
    assert (layout.workers, layout.threads) == (2, 1)
