"""Paired differences between levels."""

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.assessment import assess

from .made import claim, judged, study, trial

RNG = np.random.default_rng(6)
SHARED = RNG.normal(size=6)
VALUES = {level: i + SHARED + RNG.normal(0, 0.3, 6) for i, level in enumerate("abc")}


def test_against_scipy_with_holm():
    pairs = judged(VALUES).pairs
    assert [(pair.first, pair.second) for pair in pairs] == [("b", "a"), ("c", "a"), ("c", "b")]
    theirs = [stats.ttest_rel(VALUES[pair.first], VALUES[pair.second]) for pair in pairs]
    p = np.array([found.pvalue for found in theirs])
    assert [pair.p_unadjusted for pair in pairs] == pytest.approx(p)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * [3, 2, 1])
    assert [pairs[i].p for i in order] == pytest.approx(np.minimum(1, adjusted))
    for pair, found in zip(pairs, theirs, strict=True):
        assert (pair.low, pair.high) == pytest.approx(tuple(found.confidence_interval(pair.confidence)))
        assert pair.effect == pytest.approx(np.mean(VALUES[pair.first] - VALUES[pair.second]))


def test_what_pairing_saved():
    pair = judged(VALUES).pairs[0]
    a, b = VALUES["a"], VALUES["b"]
    assert pair.correlation == pytest.approx(stats.pearsonr(b, a).statistic)
    expected = 6 * (np.var(a, ddof=1) + np.var(b, ddof=1)) / np.var(b - a, ddof=1)
    assert pair.seeds_unpaired == np.ceil(expected)
    assert pair.seeds_unpaired > 6


def test_without_spread_there_is_no_correlation():
    pair = judged({"a": [1.0] * 5, "b": [2.0, 2.1, 2.2, 2.3, 2.4]}).pairs[0]
    assert pair.correlation is None
    same = judged({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}).pairs[0]
    assert same.identical
    assert (same.p, same.effect) == (1, 0)
    assert same.correlation == pytest.approx(1)


def test_many_levels_are_compared_with_their_neighbours():
    values = {f"l{i}": VALUES["a"] + i for i in range(7)}
    pairs = judged(values).pairs
    assert [(p.first, p.second) for p in pairs] == [(f"l{i + 1}", f"l{i}") for i in range(6)]
    assert any("neighbours only" in note for note in judged(values).notes)
    six = judged(dict(list(values.items())[:6])).pairs
    assert len(six) == 15


def test_every_metric_but_the_learning_rate():
    curves = {"val_loss": [1.0], "train_loss": [0.5], "lr": [0.1]}
    found = [trial(level, seed, curves) for level in "ab" for seed in range(3)]
    pairs = assess(study({"lr": "ab"}, seeds=3), found, validation_rows=None).pairs
    assert [pair.metric for pair in pairs] == ["val_loss", "train_loss", "gap_loss"]


def test_one_seed_has_a_difference_and_no_test():
    pair = judged({"a": [0.5], "b": [0.75]}).pairs[0]
    assert (pair.effect, pair.low, pair.high, pair.p, pair.sign_flip_p) == (0.25, None, None, None, None)
    assert pair.method == "none"


def test_a_diverged_trial_moves_a_pair_to_ranks():
    values = {"a": [0.5] * 5, "b": [None] * 5, "c": [0.4, 0.41, 0.42, 0.43, 0.44]}
    against_b, a_and_c, _ = judged(values).pairs
    assert (against_b.method, a_and_c.method) == ("ranks", "t")
    assert against_b.p < 0.05
    assert (against_b.low, against_b.correlation, against_b.seeds_unpaired) == (None, None, None)


def test_looking_again_corrects_the_table_too():
    first, again = judged(VALUES).pairs, judged(VALUES, looks=1).pairs
    assert [p.p for p in again] == pytest.approx([min(1, 2 * p.p) for p in first])


def test_claims_do_not_change_the_table():
    assert judged(VALUES, claim(order=("a", "b", "c"))).pairs == judged(VALUES).pairs


def test_folds_of_the_only_seed():
    found = [
        trial(level, 0, {"val_loss": [i + 0.1 * fold + 0.03 * i * fold**2]}, fold=fold)
        for i, level in enumerate("ab")
        for fold in range(4)
    ]
    out = assess(study({"lr": "ab"}, claim(greater=("b", "a")), seeds=1), found, validation_rows=None)
    (pair,), (verdict,) = out.pairs, out.verdicts
    assert (pair.n, pair.unit) == (4, "folds")
    d = np.array([1 + 0.03 * fold**2 for fold in range(4)])
    t = np.mean(d) / np.sqrt((1 / 4 + 1 / 3) * np.var(d, ddof=1))
    assert pair.p == pytest.approx(2 * stats.t.sf(t, 3))
    assert pair.sign_flip_p is None
    assert "4 folds of one seed" in verdict.explanation
    assert "the variance is corrected for that (Nadeau and Bengio)" in verdict.explanation
    assert out.notes[0] == "Intervals speak of other rows for the one seed that was run, not of other seeds."


@pytest.mark.parametrize(("layers", "compared"), [(60, 61), (61, 1)])
def test_probes_of_too_many_layers_are_judged_by_claims_alone(layers, compared):
    names = ["val_loss", *(f"dead/hidden.{layer}" for layer in range(layers))]
    found = [
        trial(level, seed, {name: [value + 0.01 * seed] for name in names})
        for level, value in (("a", 1.0), ("b", 2.0))
        for seed in range(5)
    ]
    asked = claim("dead/hidden.7", less=("a", "b"))
    out = assess(study({"lr": ["a", "b"]}, asked), found, validation_rows=None)
    assert len(out.pairs) == compared
    assert out.verdicts[0].verdict == "supported"
    assert "dead/hidden.7" in out.levels[0].metrics
