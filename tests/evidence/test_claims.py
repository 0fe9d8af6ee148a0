"""Every relation of the claims grammar: supported, contradicted, not established, and against scipy."""

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.assessment import assess
from ceteris.spec.claim import Take

from .made import claim, judged, lost, study, trial, trials

RNG = np.random.default_rng(3)
BASE = RNG.normal(0.5, 0.05, 5)
NEAR = BASE + RNG.normal(0.0, 0.004, 5)
HIGH = BASE + 0.1 + RNG.normal(0.0, 0.01, 5)
HIGHER = BASE + 0.2 + RNG.normal(0.0, 0.01, 5)
VALUES = {"a": BASE, "n": NEAR, "b": HIGH, "c": HIGHER}


def verdict(given, values=VALUES, **options):
    (found,) = judged(values, given, **options).verdicts
    return found


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ({"greater": ("b", "a")}, "supported"),
        ({"greater": ("a", "b")}, "contradicted"),
        ({"greater": ("n", "a")}, "not established"),
        ({"less": ("a", "b")}, "supported"),
        ({"less": ("c", "b")}, "contradicted"),
        ({"order": ("a", "b", "c")}, "supported"),
        ({"order": ("a", "c", "b")}, "contradicted"),
        ({"order": ("a", "n", "b")}, "not established"),
        ({"order": ("c", "b", "n", "a")}, "contradicted"),
        ({"greater": ("b", "a"), "by": 0.05}, "supported"),
        ({"greater": ("b", "a"), "by": 0.15}, "contradicted"),
        ({"less": ("a", "b"), "by": 0.05}, "supported"),
        ({"less": ("a", "b"), "by": 0.1}, "not established"),
        ({"less": ("b", "a"), "by": 0.05}, "contradicted"),
        ({"order": ("a", "b", "c"), "by": 0.05}, "supported"),
        ({"order": ("a", "b", "c"), "by": 0.15}, "contradicted"),
        ({"greater": ("c", "a"), "by": 1.2, "scale": "log"}, "supported"),
        ({"greater": ("c", "a"), "by": 2, "scale": "log"}, "contradicted"),
        ({"differ": ("a", "n")}, "not established"),
        ({"differ": ("a", "n", "c")}, "supported"),
        ({"equal": {"levels": ("a", "n"), "margin": 0.02}}, "supported"),
        ({"equal": {"levels": ("a", "n"), "margin": 0.001}}, "not established"),
        ({"equal": {"levels": ("a", "b"), "margin": 0.05}}, "contradicted"),
        ({"equal": {"levels": ("a", "n", "b"), "margin": 0.2}}, "supported"),
        ({"equal": {"levels": ("a", "n", "b"), "margin": 0.05}}, "contradicted"),
        ({"within": {"low": 0.3, "high": 0.9}}, "supported"),
        ({"within": {"levels": ("a",), "high": 0.9}}, "supported"),
        ({"within": {"levels": ("a",), "low": 0.9}}, "contradicted"),
        ({"within": {"levels": ("a",), "low": 0.5}}, "not established"),
    ],
)
def test_relations(relation, expected):
    assert verdict(claim(**relation)).verdict == expected


def test_a_difference_by_more_is_a_one_sample_t_test_of_what_is_beyond_and_says_so():
    found, theirs = verdict(claim(greater=("b", "a"), by=0.05)), stats.ttest_1samp(HIGH - BASE, 0.05)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.explanation.endswith(", more than 0.05 higher as claimed")
    steps = verdict(claim(order=("a", "b", "c"), by=0.05)).explanation
    assert steps.startswith("each step from a to b to c goes up by more than 0.05; the least certain: ")
    steps = verdict(claim(order=("a", "b", "c"), by=0.15)).explanation
    assert steps.startswith("at least one step does not: with ")
    less = verdict(claim(less=("a", "c"), by=3, scale="log"))
    assert less.explanation.endswith(", not more than a factor of 3 lower as claimed")
    turned = verdict(claim(greater=("a", "b"), by=0.05)).explanation
    assert "is 0.0957 lower than with b" in turned
    assert turned.endswith(", not more than 0.05 higher as claimed")
    assert (
        "which does not settle whether it is more than 0.1 higher:"
        in verdict(claim(greater=("b", "a"), by=0.1)).explanation
    )


def test_a_difference_is_the_paired_t_test():
    found, theirs = verdict(claim(greater=("b", "a"))), stats.ttest_rel(HIGH, BASE)
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.effect == pytest.approx(np.mean(HIGH - BASE))
    assert found.confidence == 0.95
    assert (found.n, found.unit, found.method) == (5, "seeds", "t")
    assert found.sign_flip_p == 0.0625


def test_equality_is_two_one_sided_tests_of_half_the_level_each():
    found, d = verdict(claim(equal={"levels": ("a", "n"), "margin": 0.02})), BASE - NEAR
    above = stats.ttest_1samp(d, -0.02, alternative="greater").pvalue
    below = stats.ttest_1samp(d, 0.02, alternative="less").pvalue
    assert found.p == pytest.approx(2 * max(above, below))
    assert -0.02 < found.low < found.high < 0.02


def test_order_is_holm_over_adjacent_pairs():
    found = verdict(claim(order=("a", "b", "c")))
    p = sorted([stats.ttest_rel(HIGH, BASE).pvalue, stats.ttest_rel(HIGHER, HIGH).pvalue])
    assert found.p == pytest.approx(max(2 * p[0], p[1]))
    assert [(c.first, c.second) for c in found.comparisons] == [("b", "a"), ("c", "b")]


def test_claims_of_a_study_share_its_five_percent():
    alone = verdict(claim(greater=("b", "a")))
    both = judged(VALUES, claim(greater=("b", "a")), claim(greater=("n", "a"))).verdicts
    assert both[0].p == pytest.approx(2 * alone.p)
    assert both[0].confidence == pytest.approx(0.975)
    assert both[1].confidence == pytest.approx(0.95)


def test_a_claim_that_cannot_be_tested_takes_no_share():
    alone = verdict(claim(greater=("b", "a")))
    with_unknown = judged(VALUES, claim(greater=("b", "a")), claim("val_los", greater=("b", "a"))).verdicts
    assert with_unknown[0].p == alone.p
    assert with_unknown[1].verdict == "not established"
    assert with_unknown[1].p is None
    assert "there is no measurement `val_los`; did you mean `val_loss`?" in with_unknown[1].explanation


def test_levels_that_the_study_does_not_have():
    found = verdict(claim(greater=("z", "a")))
    assert found.verdict == "not established"
    assert found.explanation == "nothing can be established: the study trains nothing with z"


def test_a_study_without_factors_can_hold_a_mean_within_bounds():
    made = study(None, claim(within={"low": 0.1, "high": 0.9}), seeds=5)
    found = [trial("base", s, {"val_loss": [v]}, coordinates={}) for s, v in enumerate(BASE)]
    (out,) = assess(made, found, validation_rows=None).verdicts
    assert out.verdict == "supported"
    theirs = stats.ttest_1samp(BASE, 0).confidence_interval(0.95)
    assert (out.low, out.high) == pytest.approx(tuple(theirs))


def cell(lr, width, seed, value):
    return trial(
        f"lr={lr}, width={width}", seed, {"val_loss": [value]}, coordinates={"lr": lr, "width": width}
    )


TWO = {"lr": ["a", "b"], "width": ["s", "w"]}


def two_factors(effect_s, effect_w, noise=0.01):
    rng = np.random.default_rng(8)
    effects = {"s": effect_s, "w": effect_w}
    return [
        cell(lr, width, seed, 1.0 + effect * (lr == "b") + 0.3 * (width == "w") + rng.normal(0, noise))
        for seed in range(5)
        for lr in "ab"
        for width, effect in effects.items()
    ]


@pytest.mark.parametrize(
    ("sign", "expected"), [("positive", "contradicted"), ("negative", "supported"), ("any", "supported")]
)
def test_interaction(sign, expected):
    given = claim(interaction={"factors": {"lr": ("b", "a"), "width": ("s", "w")}, "sign": sign})
    found = two_factors(0.1, 0.3)
    (out,) = assess(study(TWO, given), found, validation_rows=None).verdicts
    assert out.verdict == expected
    at = {(t.coordinates["lr"], t.coordinates["width"], t.seed): t.curves["val_loss"][0] for t in found}
    d = [(at["b", "s", i] - at["a", "s", i]) - (at["b", "w", i] - at["a", "w", i]) for i in range(5)]
    assert out.effect == pytest.approx(np.mean(d))
    assert out.p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    assert "the difference in the validation loss, b minus a, is 0.198 smaller" in out.explanation
    assert "smaller with s than with w" in out.explanation


def test_an_interaction_with_a_diverged_trial_is_not_tested():
    given = claim(interaction={"factors": {"lr": ("b", "a"), "width": ("s", "w")}})
    found = two_factors(0.1, 0.3)
    found[0] = lost(found[0].level, 0, coordinates=found[0].coordinates)
    (out,) = assess(study(TWO, given), found, validation_rows=None).verdicts
    assert out.verdict == "not established"
    assert out.p is None
    assert "an interaction needs a finite number from every trial" in out.explanation
    assert "1 of 5 with a, s diverged" in out.explanation


def test_other_factors_are_averaged_within_a_seed():
    found = two_factors(0.1, 0.3)
    (out,) = assess(study(TWO, claim(factor="lr", greater=("b", "a"))), found, validation_rows=None).verdicts
    at = {(t.coordinates["lr"], t.coordinates["width"], t.seed): t.curves["val_loss"][0] for t in found}
    d = [np.mean([at["b", w, i] for w in "sw"]) - np.mean([at["a", w, i] for w in "sw"]) for i in range(5)]
    assert out.effect == pytest.approx(np.mean(d))
    assert out.p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    assert "averaged over the levels of width" in out.explanation


def test_where_holds_another_factor():
    given = claim(factor="lr", greater=("b", "a"), where={"width": "s"})
    (out,) = assess(study(TWO, given), two_factors(0.1, 0.3), validation_rows=None).verdicts
    assert out.effect == pytest.approx(0.1, abs=0.02)
    assert "only with width=s" in out.explanation


def test_zipped_factors_are_said_to_be_mixed():
    given = claim(factor="lr", greater=("b", "a"))
    found = [
        cell(x, w, seed, v + RNG.normal(0, 0.01))
        for x, w, v in [("a", "s", 1), ("b", "w", 2)]
        for seed in range(5)
    ]
    (out,) = assess(study(TWO, given, combine="zip"), found, validation_rows=None).verdicts
    assert out.verdict == "supported"
    assert "different levels of other factors, so their effects are mixed" in out.explanation


LISTED = ({"lr": "a", "width": "s"}, {"lr": "a", "width": "w"}, {"lr": "b", "width": "s"})


def test_of_listed_combinations_only_like_ones_are_compared():
    found = [
        cell(
            row["lr"],
            row["width"],
            seed,
            1.0 + 0.1 * (row["lr"] == "b") + (row["width"] == "w") + 0.001 * seed**2,
        )
        for row in LISTED
        for seed in range(5)
    ]
    claims = claim(factor="lr", greater=("b", "a")), claim(factor="lr", within={"high": 9.0})
    out = assess(study(TWO, *claims, combine=LISTED), found, validation_rows=None)
    assert out.verdicts[0].effect == pytest.approx(0.1)
    assert "only where all of these were combined with the same: width=s" in out.verdicts[0].explanation
    assert "averaged over" not in out.verdicts[0].explanation
    assert out.verdicts[1].effect == pytest.approx(1.506)  # bounds compare no levels: all combinations count


def test_listed_combinations_without_a_like_pair_are_not_compared():
    rows = (LISTED[1], LISTED[2])
    found = [cell(row["lr"], row["width"], seed, 1.0 + 0.01 * seed) for row in rows for seed in range(5)]
    given = claim(factor="lr", greater=("b", "a"))
    (out,) = assess(study(TWO, given, combine=rows), found, validation_rows=None).verdicts
    assert out.verdict == "not established"
    assert out.explanation == (
        "nothing can be established: b and a were never combined with the same levels of the other factors"
    )


def test_a_quantity_that_is_not_defined():
    found = verdict(claim(at="fluctuation", greater=("b", "a")))
    assert found.verdict == "not established"
    assert "fluctuation of the validation loss between epochs is not defined for b and a" in found.explanation


def test_a_part_of_the_curve_that_no_trial_has():
    found = verdict(claim(at="change", between=(2, 9), greater=("b", "a")))
    assert "the change of the validation loss from epoch 2 to epoch 9 is not defined" in found.explanation


def test_a_curve_that_falls_at_every_epoch_and_one_that_only_ends_lower():
    rng = np.random.default_rng(2)
    curves = {"steady": [3.0, 2.0, 1.5, 1.2], "jumping": [3.0, 1.5, 1.9, 1.2]}
    found = [
        trial(level, seed, {"val_loss": np.array(curve) + rng.normal(0, 0.02, 4)})
        for level, curve in curves.items()
        for seed in range(5)
    ]
    ends = [claim(at="change", within={"levels": (level,), "high": 0}) for level in curves]
    falls = [claim(at="largest_change", within={"levels": (level,), "high": 0}) for level in curves]
    flat = claim(at="change", between=(3, 4), less=("jumping", "steady"))
    out = assess(study({"lr": list(curves)}, *ends, *falls, flat), found, validation_rows=None).verdicts
    assert [v.verdict for v in out] == ["supported"] * 3 + ["contradicted", "supported"]
    assert "change of the validation loss from epoch 3 to epoch 4 is 0.399 lower" in out[4].explanation


@pytest.mark.parametrize("at", get_args(Take))
def test_all_points_of_a_curve(at):
    rng = np.random.default_rng(1)
    slow, fast = np.linspace(2, 1, 6), np.array([1.2, 0.9, 0.3, 0.7, 0.1, 0.4])
    found = [
        trial(level, seed, {"val_loss": curve + rng.normal(0, 0.01, 6)})
        for level, curve in (("slow", slow), ("fast", fast))
        for seed in range(6)
    ]
    reach = {"reach": 1.55} if at == "epochs_until" else {}
    steady_is_less = at in ("change", "largest_change", "fluctuation")
    relation = {"less": ("slow", "fast")} if steady_is_less else {"less": ("fast", "slow")}
    (out,) = assess(
        study({"lr": ["slow", "fast"]}, claim(at=at, **reach, **relation), seeds=6),
        found,
        validation_rows=None,
    ).verdicts
    assert out.verdict == "supported"
    assert out.method == "t"


def test_gaps_can_be_claimed():
    found = [
        trial(level, seed, {"val_loss": [1.0 + gap + 0.01 * seed], "train_loss": [1.0 + 0.001 * seed**2]})
        for level, gap in (("a", 0.1), ("b", 0.2))
        for seed in range(5)
    ]
    (out,) = assess(
        study({"lr": "ab"}, claim("gap_loss", greater=("b", "a"))), found, validation_rows=None
    ).verdicts
    assert out.verdict == "supported"
    assert out.effect == pytest.approx(0.1)
    assert "the validation minus training loss is 0.100 higher" in out.explanation


def test_trials_as_made_are_what_the_study_lays_out():
    assert {t.level for t in trials(VALUES)} == set(VALUES)


def test_epochs_until_a_falling_rate_need_to_know_which_way_it_comes():
    fall = [trial("a", seed, {"lr": [0.1] * (4 + seed % 2) + [0.05] * 3}) for seed in range(5)]
    bounds = {"low": 4, "high": 7}
    down = claim("lr", at="epochs_until", reach=0.06, coming="down", within=bounds)
    silent = claim("lr", at="epochs_until", reach=0.06, within=bounds)
    found, unsaid = assess(study({"lr": ["a"]}, down, silent), fall, validation_rows=None).verdicts
    assert (found.verdict, found.effect) == ("supported", pytest.approx(5.4))
    assert "whether a lower or a higher `lr` is better is not known" in unsaid.explanation


def test_seeds_are_told_where_ranks_decide_one_comparison_and_t_another():
    """Ranks tell no range: that is not more than can be told."""
    values = {
        "a": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        "b": [0.9, -0.5, 0.7, -0.3, 0.8, 0.2],
        "c": [1.9, 1.5, 1.7, 0.0, 1.8, None],
    }
    (found,) = judged(values, claim(order=("a", "b", "c"))).verdicts
    by_t, by_ranks = found.comparisons
    assert (found.method, by_t.method, by_ranks.method) == ("t", "t", "ranks")
    assert (found.seeds_low, found.seeds_high) == (None, None)
    assert found.seeds_needed == max(by_t.seeds.needed, by_ranks.seeds.needed)
    assert f"would take about {found.seeds_needed} seeds" in found.explanation
