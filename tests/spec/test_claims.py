"""Claims: what each must say, and that what it names exists in its study."""

from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import Claim, known_metrics, parse_study

from .sources import refusal, small, with_claim


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"text": ""}, "claims.0.text: '' is not a sentence; it must be text"),
        (
            {"metric": "val_acuracy"},
            "claims.0.metric: there is no metric `val_acuracy`; did you mean "
            "`val_accuracy`? (like it: gap_accuracy,",
        ),
        ({"metric": "std/"}, "claims.0.metric: there is no metric `std/`"),
        (
            {"metric": "deat/hidden.0"},
            "claims.0.metric: there is no metric `deat/hidden.0`",
        ),
        ({"metric": "val_f1"}, "claims.0.metric: there is no metric `val_f1`"),
        (
            {"metric": "epochs", "at": "best"},
            "claims.0.at: `epochs` is one number of a trial, not a curve; leave `at` out",
        ),
        ({"less": None}, "claims.0: a claim has exactly one relation, and this one has none (known: order,"),
        (
            {"greater": [0.1, 0.01]},
            "claims.0: a claim has exactly one relation, and this one has 2: greater, less",
        ),
        (
            {"less": [0.1]},
            "claims.0.less: [0.1] is not a pair of levels; it must be a list of 2 items, each item the label "
            "or value of a level",
        ),
        ({"less": [1, 2, 3]}, "claims.0.less: [1, 2, 3] is not a pair of levels"),
        ({"less": 5}, "claims.0.less: 5 is not a pair of levels"),
        (
            {"less": None, "order": [0.1]},
            "claims.0.order: [0.1] is not a list of levels; it must be a list of 2 or more",
        ),
        (
            {"less": [0.1, 0.1]},
            "claims.0.less: the level `0.1` is named twice; a level is not compared with itself",
        ),
        (
            {"less": [0.1, 0.02]},
            "claims.0.less: `optimizer.lr` has no level `0.02`; did you mean `0.01`? (its levels: 0.1, 0.01)",
        ),
        ({"at": "epochs_until"}, "claims.0.reach: `at: epochs_until` needs the value to `reach`"),
        (
            {"coming": "up"},
            "claims.0.coming: `coming` belongs to `at: epochs_until`, and this claim is at `last`",
        ),
        ({"reach": 1}, "claims.0.reach: `reach` belongs to `at: epochs_until`, and this claim is at `last`"),
        (
            {"between": [1, 2]},
            "claims.0.between: `between` belongs to `best`, `change`, `largest_change`, `smallest_change`, "
            "`fluctuation`, and this claim is at `last`",
        ),
        (
            {"at": "change", "between": [3, 3]},
            "claims.0.between: epoch 3 does not come after epoch 3; name the earlier one first",
        ),
        (
            {"at": "change", "between": [0, 3]},
            "claims.0.between.0: 0 is not a valid item of between; it must be a whole number of at least 1",
        ),
        ({"at": "change", "between": [3]}, "claims.0.between: [3] is not a pair of epochs; it must be"),
        (
            {"at": "change", "between": [5, 50]},
            "claims.0.between: epoch 50 does not come; the levels train at most 10 epochs",
        ),
        ({"by": 0}, "claims.0.by: 0 is not a difference; it must be above 0"),
        (
            {"less": None, "differ": [0.1, 0.01], "by": 2},
            "claims.0.by: `by` belongs to `order`, `greater` or `less`, and this claim says `differ`",
        ),
        (
            {"by": 0.5, "scale": "log"},
            "claims.0.by: with `scale: log` it is a factor above 1 such as 2, and it is 0.5",
        ),
        ({"at": "largest_chang"}, "claims.0.at: there is no point of a curve `largest_chang`; did you mean"),
        (
            {"at": "smallest_change", "scale": "log"},
            "claims.0.scale: a change of `val_loss` may be negative or 0, which has no logarithm; leave",
        ),
        ({"at": "lst"}, "claims.0.at: there is no point of a curve `lst`; did you mean `last`?"),
        ({"factor": "lr"}, "claims.0.factor: there is no factor `lr` (known: optimizer.lr)"),
        ({"where": {"x": 1}}, "claims.0.where: there is no factor `x` (known: optimizer.lr)"),
        (
            {"factor": "optimizer.lr", "where": {"optimizer.lr": 0.1}},
            "claims.0.where: the levels of `optimizer.lr` are compared, so it cannot be held at one of them",
        ),
        ({"less": None, "equal": {"levels": [0.1, 0.01]}}, "claims.0.equal.margin: this setting is missing"),
        (
            {"less": None, "equal": {"levels": [0.1, 0.01], "margin": 0}},
            "claims.0.equal.margin: 0 is not a margin; it must be above 0",
        ),
        ({"less": None, "within": {}}, "claims.0.within: there is no bound; give `low`, `high` or both"),
        (
            {"less": None, "within": {"low": 2, "high": 1}},
            "claims.0.within.high: 1 is not above `low`, which is 2",
        ),
        (
            {"less": None, "within": {"low": 0, "levels": [3]}},
            "claims.0.within: `optimizer.lr` has no level `3`",
        ),
        (
            {"less": None, "interaction": {"factors": {"a": [1, 2]}}},
            "claims.0.interaction.factors: an interaction is between 2 factors, not 1",
        ),
        (
            {"less": None, "interaction": {"factors": {"optimizer.lr": [0.1, 0.01], "b": [1, 2]}}},
            "claims.0.interaction.factors: there is no factor `b`",
        ),
        (
            {"less": None, "interaction": {"factors": {"a": [1, 1], "b": [1, 2]}}},
            "claims.0.interaction.factors.a: the level `1` is named twice",
        ),
    ],
)
def test_wrong_claim_is_one_line(changes: dict[str, Any], line: str) -> None:
    lines = refusal(with_claim(**changes))
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_an_interaction_names_its_factors_itself() -> None:
    factors = {"a": [1, 3], "optimizer.lr": [0.1, 0.01]}
    assert refusal(with_claim(less=None, factor="a", interaction={"factors": factors})) == [
        "claims.0.factor: an interaction names its two factors itself; leave `factor` out",
        "claims.0.interaction.factors: there is no factor `a` (known: optimizer.lr)",
    ]


def test_a_claim_about_epochs_that_an_option_takes_away_is_dropped() -> None:
    study = with_claim(at="change", between=[2, 3])
    kept, dropped = parse_study(study), parse_study(study, epochs=2)
    assert [claim.between for claim in kept.study.claims] == [(2, 3)]
    assert dropped.study.claims == ()
    assert dropped.notes == (
        "the claim 'a' is dropped: --epochs 2, and epoch 3 does not come; the levels train at most 2 epochs",
    )
    longer = parse_study(study, epochs=2, varies=["epochs=2,9"])
    assert len(longer.study.claims) == 1


def test_a_claim_about_epochs_that_an_option_has_nothing_to_do_with_is_refused() -> None:
    study = with_claim(at="change", between=[5, 50])
    for option in ("probes.sharpness.epochs=last", "probes.histograms=last"):
        with pytest.raises(CeterisError, match="epoch 50 does not come"):
            parse_study(study, sets=[option])


def test_levels_may_be_given_as_values() -> None:
    study = small(vary={"batch_size": [32, 1000], "data.scale": {"on": "unit", "off": "none"}})
    study["claims"] = [
        {
            "text": "a",
            "metric": "val_loss",
            "factor": "batch_size",
            "order": [32, 1e3],
            "where": {"data.scale": "on"},
        }
    ]
    (claim,) = parse_study(study).study.claims
    assert claim.order == ("32", "1000") == claim.levels
    assert claim.relation == "order"


def test_factor_is_needed_where_there_are_several() -> None:
    lines = refusal(small(vary={"optimizer.lr": [0.1, 0.01], "epochs": [1, 2]}))
    assert lines == [
        "claims.0: the study has several factors; name the `factor` that is meant: `optimizer.lr`, `epochs`"
    ]


def test_bounds_for_all_levels_need_no_factor() -> None:
    bounds = {"less": None, "within": {"low": 0}}
    claims = with_claim(**bounds)["claims"]
    assert parse_study(small(vary=None, claims=claims)).study.claims[0].levels == ()
    assert parse_study(small(vary={"epochs": [1, 2], "batch_size": [1, 2]}, claims=claims)).study.claims


def test_comparison_without_factors() -> None:
    assert refusal(small(vary=None)) == [
        "claims.0: the study varies nothing, so there are no levels to compare"
    ]
    lines = refusal(with_claim(factor="x") | {"vary": None})
    assert lines == ["claims.0.factor: there is no factor `x`; the study varies nothing"]


def test_own_metrics_are_known_by_their_names() -> None:
    study = with_claim(metric="val_f1")
    study["experiment"]["metrics"] = ["package.module:f1"]
    assert parse_study(study, allow_code=True).study.claims[0].metric == "val_f1"
    assert known_metrics(["m:f1"])[-2:] == ("train_f1", "val_f1")


@pytest.mark.parametrize(
    "metric",
    [
        "std/head.weight",
        "dead/hidden.0",
        "update_ratio/head.weight",
        "gap_loss",
        "gap_accuracy",
        "lr",
        "train_loss_running",
    ],
)
def test_metrics_of_every_family_are_known(metric: str) -> None:
    assert parse_study(with_claim(metric=metric)).study.claims[0].metric == metric


def test_claim_made_in_python() -> None:
    assert Claim(text="a", metric="val_loss", equal={"levels": [0.1, 1], "margin": 0.1}).levels == (
        "0.1",
        "1",
    )
    with pytest.raises(CeterisError, match=r"^Claim: a claim has exactly one relation"):
        Claim(text="a", metric="val_loss")
