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
