from hypothesis import given
from hypothesis import strategies as st

from ceteris.data.sources import load
from ceteris.lab.shards import finishing_time, halves, make_cohorts, share_out, tell_trials
from ceteris.train.plan import Cohort, TrialPlan
from tests.lab.made import small_trials

DIGITS = {"digits": load("digits")}
NO_LIMIT = 2**40


def cohorts_of(trials: tuple[TrialPlan, ...]) -> tuple[Cohort, ...]:
    return make_cohorts(trials, DIGITS, {trial.identity: 1150 for trial in trials})


def test_levels_of_one_structure_make_one_cohort_and_batch_sizes_make_several() -> None:
    assert [len(c.trials) for c in cohorts_of(small_trials(seeds=3))] == [6]
    found = cohorts_of(small_trials(seeds=3, vary={"batch_size": [16, 64, 256]}))
    assert [len(c.trials) for c in found] == [3, 3, 3]
    assert [c.index for c in found] == [0, 1, 2]
    assert [c.work for c in found] == sorted((c.work for c in found), reverse=True)


@given(
    seeds=st.integers(1, 7),
    widths=st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True),
    workers=st.integers(1, 9),
    members=st.integers(1, 8),
)
def test_every_trial_is_in_one_shard_within_the_memory(
    seeds: int, widths: list[int], workers: int, members: int
) -> None:
    trials = small_trials(seeds, vary={"model.hidden": [[width] for width in widths]})
    cohorts = cohorts_of(trials)
    limit = members * max(cohort.bytes_per_member() for cohort in cohorts)
    shards = share_out(cohorts, workers, limit)
    assert sorted(t.identity for s in shards for t in s.trials) == sorted(t.identity for t in trials)
    assert all(len(s.trials) * s.cohort.bytes_per_member() <= limit for s in shards)
    assert [s.number for s in shards] == list(range(len(shards)))
    works = [s.cohort.work for s in shards]
    assert works == sorted(works, reverse=True)


def test_one_cohort_is_cut_into_one_shard_per_worker_and_no_more() -> None:
    shards = share_out(cohorts_of(small_trials(seeds=8)), workers=4, max_bytes=NO_LIMIT)
    assert [len(s.trials) for s in shards] == [4, 4, 4, 4]


def test_workers_stay_busy_where_cohorts_do_not_divide() -> None:
    cohorts = cohorts_of(small_trials(seeds=6, vary={"model.hidden": [[30], [31], [32]]}))
    shards = share_out(cohorts, workers=2, max_bytes=NO_LIMIT)
    ideal = sum(c.work for c in cohorts) / 2
    assert finishing_time([s.cohort for s in shards], 2) < 1.1 * ideal
    assert finishing_time(list(cohorts), 2) > 1.3 * ideal


def test_a_shard_whose_worker_died_is_halved_without_what_had_ended() -> None:
    (shard,) = share_out(cohorts_of(small_trials(seeds=3)), 1, NO_LIMIT)
    first, second = halves(shard, shard.trials[1:], first_number=7)
    assert (*first.trials, *second.trials) == shard.trials[1:]
    assert (first.number, second.number, first.attempt) == (7, 8, 2)
    (alone,) = halves(shard, shard.trials[:1], first_number=7)
    assert alone.trials == shard.trials[:1]


def test_trials_are_named_in_a_sentence() -> None:
    trials = small_trials(seeds=2)
    assert tell_trials(trials[:1]) == "level `0.01`, seed 0"
    assert tell_trials(trials) == "4 trials (levels `0.01`, `0.001`, seeds 0, 1)"
    assert (
        tell_trials(small_trials(seeds=9))
        == "18 trials (levels `0.01`, `0.001`, seeds 0, 1, 2, 3, 4, 5, ...)"
    )
