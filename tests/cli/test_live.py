"""The live picture of a run in a terminal of 80 columns."""

import io
import re
from dataclasses import replace

from rich.console import Console

from ceteris.cli.live import MOST_LINES, LiveProgress
from tests.api.made_plans import Clock, cohort, diverged, plan, progress


def picture(live: LiveProgress, width: int = 80) -> list[str]:
    """Return what a terminal shows at this moment."""
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=True, color_system=None).print(live._picture())
    return stream.getvalue().splitlines()


def test_each_cohort_has_a_line_and_the_run_one_more() -> None:
    stream = io.StringIO()
    live = LiveProgress(Console(file=stream, width=80))
    made = plan(cohort(0), cohort(1, width=16), cohort(2))
    live.planned(made)
    live.progress(made.shards[0], progress(made.shards[0], 1, 0))
    live.progress(made.shards[1], progress(made.shards[1], 3, 10))
    first, second, last = picture(live)
    live.close()
    assert re.fullmatch(r"4 x 64-32-10 \S+ +epoch 2/4 loss 0.500 acc 0.800 *", first)
    assert re.fullmatch(r"4 x 64-16-10 ━{8} epoch 4/4 loss 0.500 acc 0.800 *", second)
    assert last.startswith("all")
    assert stream.getvalue().startswith(
        "run 20260101-000000-made-0000: 12 trials in 3 cohorts (the network separates them), 2 workers, cpu\n"
    )


def test_batches_of_a_search_follow_each_other_with_the_time_left_for_all() -> None:
    clock = Clock()
    live = LiveProgress(Console(file=io.StringIO(), width=80), clock)
    for _ in range(2):
        made = replace(plan(cohort()), ahead=3.0)
        live.planned(made)
        live.progress(made.shards[0], progress(made.shards[0], 0, 0))
        clock.now += 10.0
        live.progress(made.shards[0], progress(made.shards[0], 2, 0))
    cohort_line, search_line = picture(live)
    live.close()
    assert "epoch 3/4" in cohort_line
    assert search_line.split()[0] == "search"
    assert search_line.split()[-1] == "1:10"  # half of a batch took 10 s, and three and a half are to come


def test_long_names_and_large_numbers_fit_80_columns() -> None:
    clock = Clock()
    live = LiveProgress(Console(file=io.StringIO(), width=80), clock)
    made = plan(cohort(0, trials=1000, width=123456))
    live.planned(made)
    live.close()
    shard = made.shards[0]
    live.progress(shard, replace(progress(shard, 1, 0), model_steps=0))
    clock.now = 5000.0
    live.progress(shard, replace(progress(shard, 1, 0, loss=12.3456), model_steps=10**9))
    (line,) = picture(live)
    assert line.startswith("1000 x 64-123456-… ")
    assert line.rstrip().endswith("epoch 2/4 loss 12.346 acc 0.800 200,000/s 4:10:00")
    assert len(line) <= 80


def test_many_cohorts_leave_room() -> None:
    live = LiveProgress(Console(file=io.StringIO(), width=80))
    made = plan(*(cohort(index) for index in range(2 * MOST_LINES)))
    live.planned(made)
    for shard in made.shards:
        live.progress(shard, progress(shard, 3, 10 if shard.number < MOST_LINES else 5))
    lines = picture(live)
    live.close()
    assert len(lines) == MOST_LINES + 1
    assert all("epoch 4/4" in line for line in lines[:-1])


def test_notes_and_divergences_stand_above() -> None:
    stream = io.StringIO()
    live = LiveProgress(Console(file=stream, width=80))
    live.note("before [anything] is planned")
    made = plan(cohort())
    live.planned(made)
    trial = made.cohorts[0].trials[1]
    live.ended(trial, diverged(trial, 3))
    live.close()
    assert stream.getvalue().splitlines()[0] == "before [anything] is planned"
    assert "level 32, seed 1 diverged at step 3" in stream.getvalue()
