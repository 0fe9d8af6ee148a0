"""Claims that average over another factor: what they come to within its levels, and when that decides."""

import numpy as np
import pytest
from scipy import stats

from ceteris.evidence.assessment import assess
from ceteris.evidence.multiplicity import holm_adjust

from .made import claim, judgements, lost, study, trial

RATES = ("0.01", "0.1", "10")
WIDE_IS_LESS = {"factor": "width", "less": ("w", "n")}


def made(means, *, spread=0.01, seeds=5, seed=0):
    """Trials of rates x widths with normal losses; ``means``: rate -> (mean with n, mean with w, spread)."""
    rng = np.random.default_rng(seed)
    found = []
    for rate, (narrow, wide, *own) in means.items():
        for width, mean in (("n", narrow), ("w", wide)):
            values = rng.normal(mean, *(own or [spread]), seeds)
            place = {"lr": rate, "width": width}
            found += [
                trial(f"lr={rate}, width={width}", s, {"val_loss": [v]}, coordinates=place)
                for s, v in enumerate(values)
            ]
    return found


def verdict(means, given=None, **options):
    trials = made(means, **options)
    asked = claim(**(given or WIDE_IS_LESS))
    factors = {"lr": tuple(means), "width": "nw"}
    (found,) = assess(
        study(factors, asked, seeds=options.get("seeds", 5)), trials, validation_rows=None
    ).verdicts
    return found


def rulings(found):
    return {each.level: each.verdict for each in found.within}


def test_a_level_that_failed_hides_the_others_in_the_average_and_not_within_them():
    found = verdict({"0.01": (0.5, 0.45), "0.1": (0.5, 0.45), "10": (1e5, 1e5, 1e5)})
    assert found.verdict == "not established"
    assert rulings(found) == {"lr=0.01": "supported", "lr=0.1": "supported", "lr=10": "not established"}
    assert "averaged over the levels of lr, where nearly all the spread is that of lr=10" in found.explanation
    assert "within them it is supported with lr=0.01 (0.0" in found.explanation
    assert found.depends_on == ()


def test_a_level_that_failed_does_not_decide_alone():
    found = verdict({"0.01": (0.45, 0.5), "0.1": (0.5, 0.5), "10": (1e5, 5e4, 1e3)})
    assert (found.verdict, found.p, found.seeds_needed) == ("not established", None, None)
    assert found.depends_on == ("lr",)
    assert found.effect == pytest.approx(-5e4 / 3, rel=0.1)
    assert "not established, because it depends on lr" in found.explanation
    assert rulings(found) == {"lr=0.01": "contradicted", "lr=0.1": "not established", "lr=10": "supported"}


def test_an_effect_that_is_larger_with_one_level_and_there_with_all_is_supported():
    found = verdict({"0.01": (0.5, 0.45), "0.1": (0.5, 0.45), "10": (1e5, 5e4, 1e3)})
    assert (found.verdict, found.depends_on) == ("supported", ())
    assert found.explanation.endswith(
        "averaged over the levels of lr; within each of them it is supported too"
    )


def test_effects_that_cancel_are_not_equality():
    given = {"factor": "width", "equal": {"levels": ("n", "w"), "margin": 0.03}}
    found = verdict({"a": (0.5, 0.6), "b": (0.6, 0.5), "c": (0.5, 0.5)}, given)
    assert found.verdict == "not established"
    assert rulings(found) == {"lr=a": "contradicted", "lr=b": "contradicted", "lr=c": "supported"}


def test_bounds_that_only_the_average_keeps():
    found = verdict({"a": (0.5, 0.5), "b": (1.5, 1.5)}, {"factor": "width", "within": {"high": 1.2}})
    assert found.verdict == "not established"
    assert rulings(found) == {"lr=a": "supported", "lr=b": "contradicted"}


def test_the_average_decides_where_it_is_asked_for():
    means = {"0.01": (0.5, 0.5), "10": (1.0, 0.5)}
    assert verdict(means).verdict == "not established"
    found = verdict(means, WIDE_IS_LESS | {"over": "average"})
    assert (found.verdict, found.depends_on) == ("supported", ())
    assert rulings(found)["lr=0.01"] == "not established"


def test_the_average_decides_where_it_is_asked_for_and_levels_turn_round():
    means = {"a": (0.5, 0.6), "b": (0.6, 0.5)}
    found = verdict(means, WIDE_IS_LESS | {"over": "average"})
    assert (found.verdict, found.depends_on) == ("not established", ())
    assert "depends" not in found.explanation
    assert rulings(found) == {"lr=a": "contradicted", "lr=b": "supported"}


def in_three_factors(effects, seeds=5):
    """Assess p x q x widths; ``effects``: (p, q) -> loss with w less that with n; None: w diverges."""
    rng = np.random.default_rng(0)
    found = []
    for (p, q), effect in effects.items():
        for width, own in (("n", 0.0), ("w", effect)):
            place = {"p": p, "q": q, "width": width}
            label = f"p={p}, q={q}, width={width}"
            values = rng.normal(0.5 + (own or 0.0), 0.01, seeds)
            found += [
                lost(label, s, coordinates=place)
                if own is None
                else trial(label, s, {"val_loss": [v]}, coordinates=place)
                for s, v in enumerate(values)
            ]
    made_study = study({"p": "12", "q": "12", "width": "nw"}, claim(**WIDE_IS_LESS), seeds=seeds)
    return assess(made_study, found, validation_rows=None).verdicts[0]


@pytest.mark.parametrize(
    ("effects", "depends_on", "words"),
    [
        ({"11": -0.5, "12": -0.5, "21": 0.1, "22": 0.1}, ("p",), "because it depends on p;"),
        ({"11": -0.5, "12": 0.1, "21": -0.5, "22": 0.1}, ("q",), "because it depends on q;"),
        ({"11": -0.9, "12": -0.4, "21": -0.4, "22": 0.1}, ("p", "q"), "because it depends on p and q;"),
        (
            {"11": -0.5, "12": 0.1, "21": 0.1, "22": -0.5},
            ("p", "q"),
            "because it differs between the combinations of p and q;",
        ),
    ],
)
def test_only_factors_that_the_effect_is_shown_to_change_with_are_named(effects, depends_on, words):
    found = in_three_factors({tuple(place): effect for place, effect in effects.items()})
    assert (found.verdict, found.depends_on) == ("not established", depends_on)
    assert words in found.explanation


def test_combinations_with_lost_trials_are_said_to_differ():
    found = in_three_factors({("1", "1"): -0.5, ("1", "2"): -0.5, ("2", "1"): 0.1, ("2", "2"): None})
    assert found.depends_on == ("p", "q")
    assert "differs between the combinations of p and q" in found.explanation


def shifted(effects):
    """Assess two rates whose paired differences, width w less n, are the given ones, to the last bit."""
    trials = [
        trial(
            f"lr={rate}, width={width}",
            seed,
            {"val_loss": [0.5 + (effect if width == "w" else 0.0)]},
            coordinates={"lr": rate, "width": width},
        )
        for rate, row in effects.items()
        for seed, effect in enumerate(row)
        for width in "nw"
    ]
    asked = study({"lr": tuple(effects), "width": "nw"}, claim(**WIDE_IS_LESS))
    return assess(asked, trials, validation_rows=None).verdicts[0]


NOISE = np.array([-1.0, -0.5, 0.0, 0.5, 1.0]) / np.std([-1.0, -0.5, 0.0, 0.5, 1.0], ddof=1) * 5**0.5
"""Of mean 0 and standard error 1."""


def effects_with(p, scale):
    """Return five differences below 0 that a paired t test gives this p value."""
    return scale * (NOISE + stats.t.ppf(p / 2, 4))


def test_where_levels_differ_each_alone_decides_at_the_level_of_the_claim():
    """Berger's intersection-union test: p of 0.044 and 0.027 do, though Holm needs one below 0.025."""
    found = shifted({"a": effects_with(0.044, 0.01), "b": effects_with(0.027, 0.1)})
    assert [each.p_unadjusted for own in found.within for each in own.comparisons] == pytest.approx(
        [0.044, 0.027]
    )
    assert (found.verdict, found.depends_on) == ("supported", ())
    assert set(rulings(found).values()) == {"not established"}
    assert (
        "between which its effect differs; tested alone, it is supported within each of them, as it has to "
        "be then; with the error budget shared between them (Holm) it is established within none: lr=a ("
    ) in found.explanation


def test_where_levels_differ_one_that_does_not_decide_alone_leaves_the_claim_open():
    found = shifted({"a": effects_with(0.06, 0.01), "b": effects_with(0.027, 0.1)})
    assert (found.verdict, found.depends_on) == ("not established", ("lr",))


def test_levels_that_do_the_same_share_their_evidence():
    """None of them alone would do: what a factorial design is for."""
    found = verdict({"a": (0.5, 0.488), "b": (0.5, 0.488), "c": (0.5, 0.488)}, seed=2)
    assert found.verdict == "supported"
    assert set(rulings(found).values()) == {"not established"}
    assert "within none of them alone is it established: lr=a (" in found.explanation


def test_effects_that_turn_round_are_said_to_depend_even_where_the_average_is_nothing():
    found = verdict({"a": (0.5, 0.6), "b": (0.6, 0.5)})
    assert (found.verdict, found.depends_on, found.seeds_needed) == ("not established", ("lr",), None)
    assert found.p > 0.05


def test_that_something_differs_needs_one_level_only():
    given = {"factor": "width", "differ": ("n", "w")}
    assert verdict({"a": (0.5, 0.5), "b": (0.5, 1.0)}, given).verdict == "supported"


def test_a_level_in_which_one_width_diverges_does_not_decide_alone():
    trials = made({"a": (0.5, 0.5), "b": (0.5, 0.5)})
    gone = [
        lost(t.level, t.seed, coordinates=t.coordinates) if t.level == "lr=b, width=n" else t for t in trials
    ]
    factors = {"lr": "ab", "width": "nw"}
    (found,) = assess(study(factors, claim(**WIDE_IS_LESS)), gone, validation_rows=None).verdicts
    assert (found.verdict, found.depends_on) == ("not established", ("lr",))
    assert rulings(found) == {"lr=a": "not established", "lr=b": "supported"}


def test_a_level_in_which_everything_diverges_leaves_the_others_their_rulings():
    trials = made({"a": (0.5, 0.4), "b": (0.5, 0.4)})
    gone = [lost(t.level, t.seed, coordinates=t.coordinates) if "lr=b" in t.level else t for t in trials]
    factors = {"lr": "ab", "width": "nw"}
    (found,) = assess(study(factors, claim(**WIDE_IS_LESS)), gone, validation_rows=None).verdicts
    assert found.verdict == "not established"
    assert rulings(found) == {"lr=a": "supported", "lr=b": "not established"}


def test_levels_are_a_family_of_their_own_at_the_level_of_the_claim():
    means = {"a": (0.5, 0.47), "b": (0.5, 0.49), "c": (0.5, 0.5)}
    found, trials = verdict(means), made(means)
    at = {(t.level, t.seed): t.curves["val_loss"][0] for t in trials}
    theirs = [
        stats.ttest_rel(*([at[f"lr={rate}, width={w}", s] for s in range(5)] for w in "wn")).pvalue
        for rate in means
    ]
    assert [each.p for each in found.within] == pytest.approx(list(holm_adjust(theirs)))


@pytest.mark.slow
@pytest.mark.parametrize("last", [(1.0, 0.0), (1e5, 1e5), (0.0, 1e-3)])
def test_a_factor_that_does_nothing_is_given_a_ruling_at_most_five_times_in_a_hundred(last):
    """Whatever the other factor does: nothing, failing, or standing still."""
    rng, repetitions, alarms, inside = np.random.default_rng(1), 600, 0, 0
    means = {"a": (0.5, 0.5, 1.0), "b": (0.5, 0.5, 0.3), "c": (last[0], *last)}
    asked = claim(**WIDE_IS_LESS)
    assert asked.over == "each"
    for _ in range(repetitions):
        trials = made(means, seed=int(rng.integers(2**31)), seeds=4)
        (found,) = judgements(study({"lr": tuple(means), "width": "nw"}, asked, seeds=4), trials)
        alarms += found.ruling != "not established"
        inside += any(each.ruling != "not established" for _, each in found.within)
    most = 0.05 + 2 * (0.05 * 0.95 / repetitions) ** 0.5
    assert alarms / repetitions <= most
    assert inside / repetitions <= most
