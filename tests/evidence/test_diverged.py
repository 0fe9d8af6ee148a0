"""Trials that diverged, never got there, or are missing: law 8."""

import numpy as np
import pytest

from ceteris.evidence.assessment import assess
from ceteris.evidence.exact import fisher_p, signed_rank_test
from ceteris.evidence.ranks import counts_if_repeated, rank_decision, ranks_if_repeated

from .made import claim, judged, lost, study, trial, trials

GOOD = [0.40, 0.42, 0.39, 0.41, 0.43]


def verdict(values, given, **options):
    (found,) = judged(values, given, **options).verdicts
    return found


def test_a_level_that_always_diverges_is_worse_by_the_rates():
    found = verdict({"small": GOOD, "large": [None] * 5}, claim(greater=("large", "small")))
    assert found.verdict == "supported"
    assert found.method == "ranks"
    assert found.p == pytest.approx(2 * 2 / 252)
    assert (found.effect, found.low, found.high) == (None, None, None)
    assert (
        "the validation loss counts as higher than with small (Fisher's exact test on how many diverged or "
        "never got there, 5 seeds" in found.explanation
    )
    assert "5 of 5 with large diverged; these count as worst and are in no average" in found.explanation


def test_for_an_accuracy_worst_is_lowest():
    found = verdict(
        {"s": GOOD, "l": [None] * 5}, claim("val_accuracy", less=("l", "s")), metric="val_accuracy"
    )
    assert found.verdict == "supported"
    assert "counts as lower than" in found.explanation


@pytest.mark.parametrize("metric", ["val_mae", "val_rmse"])
def test_for_an_error_of_the_users_own_worst_is_highest(metric):
    values = {"0.01": GOOD, "1e30": [None] * 5}
    less = verdict(values, claim(metric, less=("1e30", "0.01")), metric=metric)
    more = verdict(values, claim(metric, greater=("1e30", "0.01")), metric=metric)
    assert (less.verdict, more.verdict) == ("contradicted", "supported")


def test_without_a_known_direction_diverged_trials_are_not_ranked():
    values = {"a": GOOD, "b": [0.6, 0.61, 0.62, None, 0.64], "c": [0.8, 0.81, 0.79, 0.8, 0.83]}
    out = judged(
        values, claim("val_thing", less=("a", "b")), claim("val_thing", less=("a", "c")), metric="val_thing"
    )
    lost, whole = out.verdicts
    assert lost.verdict == "not established"
    assert lost.explanation.startswith(
        "nothing can be established: trials that diverged cannot be ranked: whether a lower or a higher "
        "`val_thing` is better is not known; say it in the experiment: `better: {thing: lower}`"
    )
    assert whole.verdict == "supported"
    assert [(pair.first, pair.second) for pair in out.pairs] == [("c", "a")]
    assert all(level.metrics["val_thing"].best is None for level in out.levels)
    assert any(note.startswith("No best epoch is shown of `val_thing`") for note in out.notes)


def test_a_stated_direction_ranks_diverged_trials():
    made = study({"lr": "ab"}, claim("val_thing", greater=("b", "a")))
    made = made.model_copy(
        update={"experiment": made.experiment.model_copy(update={"better": {"thing": "lower"}})}
    )
    out = assess(made, trials({"a": GOOD, "b": [None] * 5}, "val_thing"), validation_rows=None)
    assert out.verdicts[0].verdict == "supported"
    assert out.levels[0].metrics["val_thing"].best is not None


def test_one_diverged_trial_moves_the_verdict_to_ranks():
    found = verdict({"a": GOOD, "b": [0.6, 0.61, 0.62, None, 0.64]}, claim(greater=("b", "a")))
    assert found.verdict == "not established"
    assert found.p == pytest.approx(2 * 0.0625)
    assert found.effect == pytest.approx(0.21)
    assert "in the median 0.210 higher" in found.explanation
    assert "1 of 5 with b diverged" in found.explanation
    assert found.seeds_needed == 10
    assert "10 seeds would do if the others came out like these" in found.explanation


def test_ranks_can_contradict():
    values = {"a": [0.4 + 0.01 * i for i in range(8)], "b": [0.6 + 0.013 * i for i in range(7)] + [None]}
    assert verdict(values, claim(greater=("a", "b"))).verdict == "contradicted"
    assert verdict(values, claim(greater=("b", "a"))).verdict == "supported"


def test_pairs_that_both_diverged_are_ties():
    found = verdict({"a": [None] * 5, "b": [None] * 5}, claim(greater=("b", "a")))
    assert found.verdict == "not established"
    assert found.p == 1
    assert found.effect == 0


def test_a_study_in_which_everything_diverged():
    out = judged({"a": [None] * 5, "b": [None] * 5}, claim(differ=("a", "b")), claim(within={"high": 9}))
    assert [v.verdict for v in out.verdicts] == ["not established", "not established"]
    assert [level.diverged for level in out.levels] == [5, 5]
    assert all(level.metrics == {} for level in out.levels)
    assert out.levels[0].note == "5 of 5 seeds diverged; there is no mean"
    assert out.levels[0].diverged_steps == (17,) * 5
    assert not out.provisional


def test_means_of_survivors_say_so():
    level = judged({"a": GOOD, "b": [0.6, None, 0.62, None, 0.64]}).levels[1]
    assert level.metrics["val_loss"].last.mean == pytest.approx(0.62)
    assert level.metrics["val_loss"].last.n == 3
    assert (level.planned, level.finished, level.diverged) == (5, 3, 2)
    assert level.note == "2 of 5 seeds diverged; means are over the 3 of 5 seeds that finished"


def test_bounds_and_margins_rest_on_counts():
    mostly = {"a": [*GOOD, 0.4, 0.41, None], "b": [*GOOD, 0.4, 0.41, None]}
    inside = verdict(mostly, claim(within={"levels": ("a",), "high": 1}))
    assert inside.method == "counts"
    assert inside.p == pytest.approx(2 * 9 / 256)
    assert "in 7 of 8 seeds the validation loss with a lies as claimed" in inside.explanation
    assert verdict({"a": [None] * 8}, claim(within={"high": 1})).verdict == "contradicted"
    equal = verdict(mostly, claim(equal={"levels": ("a", "b"), "margin": 0.1}))
    assert equal.verdict == "supported"


def test_never_reaching_a_value_is_worse_than_reaching_it_late():
    found = [
        trial(level, seed, {"val_accuracy": np.minimum(top, np.linspace(0.1, 0.9 + 0.01 * seed, 9))})
        for level, top in (("fast", 1.0), ("slow", 0.5))
        for seed in range(5)
    ]
    given = claim("val_accuracy", at="epochs_until", reach=0.8, less=("fast", "slow"))
    (out,) = assess(study({"lr": ["fast", "slow"]}, given), found, validation_rows=None).verdicts
    assert out.verdict == "supported"
    assert out.method == "ranks"
    assert "the number of epochs until the validation accuracy reaches 0.8 counts as lower" in out.explanation
    assert "5 of 5 with slow never got there" in out.explanation


def test_a_cell_that_diverged_makes_the_average_over_other_factors_worst():
    two = {"lr": ["a", "b"], "width": ["s", "w"]}
    found = [
        trial(f"lr={x}, width={w}", s, {"val_loss": [1.0 + 0.01 * s]}, coordinates={"lr": x, "width": w})
        for x in "ab"
        for w in "sw"
        for s in range(5)
    ]
    found[-1] = lost("lr=b, width=w", 4, coordinates={"lr": "b", "width": "w"})
    (out,) = assess(study(two, claim(factor="lr", greater=("b", "a"))), found, validation_rows=None).verdicts
    assert out.method == "ranks"
    assert "1 of 5 with b diverged" in out.explanation


def test_unfinished_trials_leave_complete_pairs_only():
    found = trials({"a": [0.1, 0.2, 0.3, 0.4, 0.5], "b": [0.31, 0.39, 0.5]})
    found += [trial("b", 3, {"val_loss": [9.0]}, status="running"), trial("b", 4, {}, status="pending")]
    out = assess(study({"lr": "ab"}, claim(greater=("b", "a"))), found, validation_rows=None)
    (verdict,) = out.verdicts
    assert out.provisional
    assert verdict.n == 3
    assert verdict.effect == pytest.approx(0.2)
    assert verdict.explanation.endswith("provisional: 3 of 5 seeds finished")
    assert out.levels[1].note == "provisional: 3 of 5 seeds finished"
    assert out.levels[0].note == ""


def test_one_finished_seed_of_several_establishes_nothing():
    found = trials({"a": [0.1, 0.2], "b": [0.3]})
    (out,) = assess(study({"lr": "ab"}, claim(greater=("b", "a"))), found, validation_rows=None).verdicts
    assert out.verdict == "not established"
    assert (out.effect, out.low, out.high, out.p) == (pytest.approx(0.2), None, None, None)
    assert "nothing can be established while only 1 seed finished" in out.explanation


def test_nothing_finished_yet():
    out = assess(study({"lr": "ab"}, claim(greater=("b", "a"))), [], validation_rows=None)
    assert out.verdicts[0].verdict == "not established"
    assert "no seed has finished with b and a" in out.verdicts[0].explanation
    assert [level.finished for level in out.levels] == [0, 0]
    assert out.provisional


def test_the_smaller_of_two_exact_p_values_is_doubled():
    d, lost_of = [np.inf, np.inf, 0.1, -0.2, 0.3], (2, 0)
    expected = min(signed_rank_test(d)[0], fisher_p(2, 0, 5))
    assert rank_decision(d, lost_of) == (min(1.0, 2 * expected), 1)
    turned = [-value for value in d]
    assert rank_decision(turned, (0, 2)) == (min(1.0, 2 * expected), -1)


def test_how_many_units_like_these_would_do():
    assert ranks_if_repeated([np.inf] * 4, (4, 0), 0.05) == 8
    assert ranks_if_repeated([1.0, -1.0], (0, 0), 0.05) is None
    assert counts_if_repeated(5, 5, 0.05) == 10
    assert counts_if_repeated(101, 150, 1e-9) is None


@pytest.mark.slow
def test_ranks_raise_no_more_than_five_percent_of_false_alarms():
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(4000):
        shared = rng.normal(size=8)
        x, y = (np.where(shared + rng.normal(size=8) > 1.2, np.inf, rng.normal(size=8)) for _ in range(2))
        d = np.where(
            np.isinf(x) & np.isinf(y),
            0,
            np.where(np.isinf(x), np.inf, x) - np.where(np.isinf(x) & np.isinf(y), 0, y),
        )
        alarms += rank_decision(d, (int(np.isinf(x).sum()), int(np.isinf(y).sum())))[0] < 0.05
    assert alarms / 4000 <= 0.05
