"""How far a run is, by a clock that is set by hand, and how that is written."""

import io
import math
from dataclasses import replace

import pytest

from ceteris.api.meter import Meter, clock_words
from ceteris.api.progress import LineProgress, PlainProgress
from tests.api.made_plans import Clock, cohort, diverged, plan, progress


def test_the_opening_says_what_is_trained() -> None:
    made = plan(cohort(0), cohort(1, trials=2), kept=3)
    assert Meter(made, Clock()).opening() == (
        "run 20260101-000000-made-0000: 6 trials (3 kept from before) in 2 cohorts, 2 workers, cpu"
    )

    threaded = plan(cohort(0, trials=1), threads=2)
    assert Meter(threaded, Clock()).opening().endswith("2 workers with 2 threads each, cpu")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.4, "about 1 s"),
        (38, "about 40 s"),
        (89, "about 90 s"),
        (91, "about 2 min"),
        (240, "about 4 min"),
        (5 * 3600, "about 5.0 hours"),
    ],
)
def test_the_opening_says_how_long_it_will_take_where_that_is_known(seconds: float, told: str) -> None:
    made = replace(plan(cohort(0)), seconds=seconds)
    assert Meter(made, Clock()).opening().endswith(f"2 workers, cpu, {told}")
    searching = replace(made, seconds=seconds / 4, ahead=3.0)
    assert Meter(searching, Clock()).opening().endswith(told)


def test_the_share_of_done_work_is_one_of_seconds_where_they_are_known() -> None:
    made = plan(cohort(0), cohort(1))
    for costs, share in (({}, 0.5), ({0: 3.0, 1: 1.0}, 0.75)):
        meter = Meter(replace(made, costs=costs), Clock())
        for trial in made.cohorts[0].trials:
            meter.end(trial)
        assert meter.share == share


def test_a_cohort_counts_epochs_speed_and_time_left() -> None:
    clock = Clock()
    made = plan(cohort())
    meter = Meter(made, clock)
    meter.add(made.shards[0], progress(made.shards[0], 0, 0))
    clock.now = 2.0
    own = meter.add(made.shards[0], progress(made.shards[0], 1, 0))
    assert own.share == 0.25
    assert own.words() == (
        "4 x 64-32-10: epoch 2 of 4, loss 0.500, accuracy 0.800, 20 model-steps/s, 0:06 left"
    )
    assert meter.seconds_left == pytest.approx(6.0)


def test_shards_that_wait_hold_the_epoch_back() -> None:
    made = plan(cohort(), shards=2)
    meter = Meter(made, Clock())
    own = meter.add(made.shards[0], progress(made.shards[0], 3, 10))
    assert (own.share, own.epoch) == (0.5, 3)
    own = meter.add(made.shards[1], progress(made.shards[1], 3, 10))
    assert (own.share, own.epoch) == (1.0, 4)


def test_a_shard_that_starts_anew_is_not_counted_twice() -> None:
    made = plan(cohort())
    again = plan(cohort(), shards=2).shards
    meter = Meter(made, Clock())
    meter.add(made.shards[0], progress(made.shards[0], 2, 0))
    own = meter.add(again[1], progress(again[1], 0, 0))
    assert own.share == 0.0


def test_lost_members_are_in_no_mean() -> None:
    made = plan(cohort(), shards=2)
    meter = Meter(made, Clock())
    meter.add(made.shards[0], progress(made.shards[0], 1, 0, loss=math.nan, accuracy=math.nan))
    own = meter.add(made.shards[1], progress(made.shards[1], 1, 0, loss=0.25, accuracy=None))
    assert own.loss == 0.25
    assert own.accuracy is None


def test_ended_trials_count_as_done() -> None:
    made = plan(cohort())
    meter = Meter(made, Clock())
    for trial in made.cohorts[0].trials:
        meter.end(trial)
    assert meter.share == 1.0


def test_plain_lines_come_seldom() -> None:
    clock, stream = Clock(), io.StringIO()
    shown, made = PlainProgress(stream, clock), plan(cohort())
    shown.planned(made)
    for tenth in range(400):
        clock.now = tenth / 10
        shown.progress(made.shards[0], progress(made.shards[0], tenth // 100, tenth // 10 % 10))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + 4
    assert all("\r" not in line for line in lines)


def test_a_divergence_is_told_with_its_step() -> None:
    stream, made = io.StringIO(), plan(cohort())
    shown = PlainProgress(stream, Clock())
    shown.planned(made)
    trial = made.cohorts[0].trials[2]
    shown.ended(trial, diverged(trial, 17))
    assert stream.getvalue().endswith("\nlevel 32, seed 2 diverged at step 17\n")


def test_the_line_of_a_notebook_is_written_over_and_taken_away() -> None:
    clock, stream = Clock(), io.StringIO()
    shown, made = LineProgress(stream, clock), plan(cohort(0), cohort(1))
    shown.planned(made)
    clock.now = 5.0
    shown.progress(made.shards[0], progress(made.shards[0], 1, 0))
    shown.note("a note")
    shown.close()
    _, line, blank, *rest = stream.getvalue().split("\r")
    assert line.startswith(" 12%  4 x 64-32-10: epoch 2 of 4")
    assert len(line) <= 79
    assert blank == " " * len(line)
    assert rest[-1].endswith("a note\n")


def test_a_closed_stream_does_not_stop_training() -> None:
    stream = io.StringIO()
    shown, made = LineProgress(stream, Clock()), plan(cohort())
    stream.close()
    shown.planned(made)
    shown.note("nobody reads this")


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0:00"), (62, "1:02"), (3725, "1:02:05")])
def test_times_left(seconds: float, words: str) -> None:
    assert clock_words(seconds) == words
