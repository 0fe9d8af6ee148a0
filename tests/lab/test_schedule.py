from dataclasses import replace

from ceteris.data.sources import load
from ceteris.lab.schedule import Schedule
from ceteris.lab.shards import Shard, make_cohorts, share_out
from tests.lab.made import small_trials


def two_shards() -> tuple[Shard, ...]:
    trials = small_trials(seeds=2)
    cohorts = make_cohorts(trials, {"digits": load("digits")}, {t.identity: 1150 for t in trials})
    return share_out(cohorts, 2, 2**40)


def test_shards_go_out_in_order_and_one_to_a_worker() -> None:
    shards = two_shards()
    schedule = Schedule(shards)
    assert schedule.next_for(5) == shards[0]
    assert schedule.next_for(5) is None
    assert schedule.next_for(6) == shards[1]
    assert schedule.next_for(7) is None
    assert schedule.shard_of(6) == shards[1]
    schedule.done(5)
    assert schedule.busy == (6,)
    assert not schedule.finished
    schedule.done(6)
    assert schedule.finished
    assert not schedule.all_ended
    for shard in shards:
        for trial in shard.trials:
            schedule.ended(trial.identity)
    assert schedule.all_ended


def test_what_a_dead_worker_left_is_tried_once_more_in_halves_and_then_given_up() -> None:
    shard = two_shards()[0]
    schedule = Schedule([shard])
    schedule.next_for(0)
    assert schedule.died(0).again == shard.trials
    first = schedule.next_for(1)
    assert first is not None
    assert first.trials == shard.trials[:1]
    schedule.ended(first.trials[0].identity)
    schedule.done(1)
    schedule.next_for(2)
    assert schedule.died(2).given_up == shard.trials[1:]
    assert schedule.given_up == [shard.trials[1]]
    assert schedule.finished
    assert not schedule.all_ended


def test_for_lack_of_memory_halves_are_halved_down_to_single_trials() -> None:
    trials = small_trials(seeds=4)
    cohorts = make_cohorts(trials, {"digits": load("digits")}, {t.identity: 1150 for t in trials})
    shard = share_out(cohorts, 1, 2**40)[0]
    schedule = Schedule([shard])
    tried, given_up = [], []
    while (own := schedule.next_for(0)) is not None:
        tried.append(len(own.trials))
        given_up += schedule.died(0, of_memory=True).given_up
    assert tried == [8, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert sorted(t.identity for t in given_up) == sorted(t.identity for t in shard.trials)


def test_halves_that_die_of_something_else_are_given_up() -> None:
    trials = small_trials(seeds=4)
    cohorts = make_cohorts(trials, {"digits": load("digits")}, {t.identity: 1150 for t in trials})
    schedule = Schedule(share_out(cohorts, 1, 2**40))
    schedule.next_for(0)
    assert len(schedule.died(0).again) == 8
    schedule.next_for(0)
    assert len(schedule.died(0).given_up) == 4


def test_a_single_trial_is_tried_twice_whatever_it_died_of() -> None:
    shard = replace(two_shards()[0], cohort=replace(two_shards()[0].cohort, trials=small_trials(seeds=1)[:1]))
    schedule = Schedule([shard])
    schedule.next_for(0)
    assert schedule.died(0, of_memory=True).again == shard.trials
    schedule.next_for(0)
    assert schedule.died(0, of_memory=True).given_up == shard.trials


def test_trials_that_ended_before_their_worker_died_are_not_trained_again() -> None:
    shard = two_shards()[0]
    schedule = Schedule([shard])
    schedule.next_for(0)
    schedule.ended(shard.trials[0].identity)
    assert schedule.died(0).again == shard.trials[1:]
    assert schedule.waiting == 1


def test_after_a_stop_only_what_is_under_way_ends() -> None:
    schedule = Schedule(two_shards())
    schedule.next_for(0)
    schedule.hand_out_no_more()
    assert schedule.next_for(1) is None
    assert not schedule.finished
    schedule.done(0)
    assert schedule.finished


def test_a_free_worker_that_dies_takes_nothing_along() -> None:
    schedule = Schedule(two_shards())
    loss = schedule.died(3)
    assert loss.again == loss.given_up == ()
