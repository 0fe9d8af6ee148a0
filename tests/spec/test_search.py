"""The search of a study: what it may say, what it refuses and in which words, and values on its axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ceteris.errors import CeterisError
from ceteris.spec.dump import study_from_dict, study_to_dict, study_to_yaml
from ceteris.spec.parse import parse_study
from ceteris.spec.search import Dimension, Halving, Search
from ceteris.spec.space import grid_size, grid_values, value_at

BASE: dict[str, Any] = {"experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [4]}}}
RATE = {"optimizer.lr": {"log": [1e-4, 0.1]}}


def lines(search: Any, **beside: Any) -> list[str]:
    """Return what is refused."""
    with pytest.raises(CeterisError) as caught:
        parse_study(BASE | {"search": search} | beside, metrics_follow=True)
    return [str(problem) for problem in caught.value.problems]


def test_a_search_is_written_out_and_read_back_without_the_levels_that_it_found(tmp_path: Path):
    space = RATE | {"model.hidden": [[4], [8]], "batch_size": {"int": [16, 64], "log": True}}
    study = parse_study(BASE | {"search": {"space": space, "halving": 2}}).study
    assert study.search is not None
    assert study.search.space["model.hidden"].choices == ([4], [8])
    assert study.search.halving == Halving(factor=2)
    assert study_from_dict(study_to_dict(study)) == study
    found = study.model_copy(update={"combine": ({"optimizer.lr": "0.1"},)})
    file = tmp_path / "study.yaml"
    file.write_text(study_to_yaml(found))
    assert parse_study(file).study == study


def test_everything_that_is_wrong_is_told_at_once():
    search = {
        "space": {
            "optimizer.lr": {"log": [0, 0.1]},
            "batch_size": {"int": [64, 16]},
            "model.hiden": [[4], [8]],
            "optimizer.weight_decay": {"uniform": [-1, 0.1]},
            "model.activation": ["relu", "relu"],
            "epochs": {"log": True},
            "data.source": ["digits", "wine"],
        },
        "trials": 1,
        "metric": "val_los",
    }
    assert lines(search) == [
        "search.space.optimizer.lr.log: a logarithmic range lies above 0, and 0 does not",
        "search.space.batch_size.int: the range from 64 to 16 is empty; did you mean [16, 64]?",
        "search.space.model.activation.choices: the choice relu is listed twice",
        "search.space.epochs: a setting is searched in one of `uniform`, `log`, `int` and `choices`; "
        "none is given",
        "search.trials: 1 is not a number of candidates; it must be a whole number from 2 to 1,000",
        "search.space.model.hiden: there is no setting `model.hiden` in an experiment; "
        "did you mean `model.hidden`?",
        "search.space.data.source: candidates are compared on the same rows, and `data.source` changes them; "
        "compare its values in a study of their own, with `vary` and without a `search`",
        "search.metric: there is no validation metric `val_los`; did you mean `val_loss`? "
        "(known: val_loss, val_accuracy)",
        "search.space.optimizer.weight_decay.uniform.0: -1 is not a weight decay; it must be at least 0",
    ]


@pytest.mark.parametrize(
    ("search", "beside", "line"),
    [
        (
            {"space": RATE},
            {"vary": {"optimizer.lr": [0.1, 0.01]}},
            "vary.optimizer.lr: `optimizer.lr` is searched and varied; leave one of them out",
        ),
        (
            {"space": RATE},
            {"vary": {"batch_size": [16, 32]}},
            "vary: a study with a `search` trains its candidates and no other levels; leave `vary` out, or "
            "give its values as `choices` of the search",
        ),
        (
            {"space": {"optimizer": ["sgd", "adam"]} | RATE},
            {},
            "search.space.optimizer.lr: `optimizer` is searched too and replaces this; leave one of them out",
        ),
        (
            {"space": {}},
            {},
            "search.space: the space is empty; name a setting, such as `optimizer.lr: {log: [1e-4, 0.1]}`",
        ),
        (
            {"space": {"batch_size": {"log": [1, 64]}}},
            {},
            "search.space.batch_size.log: 6.5 is not a batch size; it must be a whole number of at least 1",
        ),
        (
            {"space": RATE, "method": "bayesian", "halving": 3},
            {},
            "search.halving: halving needs all candidates at once, and `bayesian` proposes them one batch "
            "after another; use `method: random`, or leave `halving` out",
        ),
        (
            {"space": {"epochs": {"int": [1, 9]}}, "halving": 3},
            {},
            "search.space.epochs: halving sets `epochs` itself; leave one of them out",
        ),
        (
            {"space": RATE | {"batch_size": {"int": [1, 500]}}, "method": "grid", "points": 50},
            {},
            "search.method: the grid has 2,500 candidates; at most 1,000 can be run: use fewer `points`, or "
            "`method: random`",
        ),
        (
            {"space": {"loss": ["mse", "l1"]}},
            {},
            "search.space.loss: losses of different kinds are no measure of each other; "
            "rank by another `metric`",
        ),
        (
            {"space": RATE, "metric": "val_oddity"},
            {"experiment": BASE["experiment"] | {"metrics": ["oddity"]}},
            "search.metric: whether a lower or a higher `val_oddity` is better is not known; "
            "say it in the experiment: `better: {oddity: lower}` or `better: {oddity: higher}`",
        ),
        (
            {"space": {"model": [{"kind": "module", "name": "os:system"}, {"kind": "linear"}]}},
            {},
            "search.space.model.choices.0.name: `os:system` is code of your own; it is used only "
            "from Python or with --allow-code",
        ),
    ],
)
def test_what_a_search_cannot_be_is_told_in_one_sentence(
    search: Any, beside: dict[str, Any], line: str
) -> None:
    with pytest.raises(CeterisError) as caught:
        parse_study(BASE | {"search": search} | beside)
    assert [str(problem) for problem in caught.value.problems] == [line]


def test_options_make_any_study_a_search_and_are_named_in_what_is_wrong() -> None:
    parsed = parse_study(
        "digits/learning-rate", spaces=["optimizer.lr={log: [1e-3, 1]}"], search={"trials": 4}
    )
    assert parsed.study.search == Search(space={"optimizer.lr": {"log": [1e-3, 1]}}, trials=4)
    assert parsed.study.vary == ()
    assert parsed.study.claims == ()
    assert "the study's own levels and claims are left out: a search trains candidates" in parsed.notes
    with pytest.raises(CeterisError) as caught:
        parse_study(
            "digits/learning-rate", spaces=["optimizer.lr={log: [1, 0.1]}", "x"], search={"trials": 0}
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "--space x: this is not `path=range`, such as optimizer.lr='{log: [1e-4, 0.1]}'",
        "--space optimizer.lr={log: [1, 0.1]}: the range from 1 to 0.1 is empty; did you mean [0.1, 1]?",
        "--trials 0: 0 is not a number of candidates; it must be a whole number from 2 to 1,000",
    ]
    with pytest.raises(CeterisError) as caught:
        parse_study(BASE, search={"space": {"optimizer.lr": {"log": [1, 0.1]}}})
    assert [str(problem) for problem in caught.value.problems] == [
        "search.space.optimizer.lr.log: the range from 1 to 0.1 is empty; did you mean [0.1, 1]?"
    ]
    with pytest.raises(CeterisError, match="the study has no `search`; say where to search, such as --space"):
        parse_study("digits/learning-rate", search={})
    hidden = parse_study(BASE | {"search": {"space": RATE}}, sets=["optimizer.lr=0.5"])
    assert any("--set optimizer.lr=0.5 has no effect" in note for note in hidden.notes)


def test_shares_of_a_range_are_equally_likely_on_its_axis() -> None:
    shares = (np.arange(4000) + 0.5) / 4000
    log = np.array([value_at(Dimension(log=(1e-4, 1.0)), share) for share in shares])
    assert log.min() >= 1e-4
    assert log.max() <= 1.0
    decades = np.histogram(np.log10(log), bins=[-4.001, -3, -2, -1, 0.001])[0]
    np.testing.assert_allclose(decades, 1000, atol=15)
    assert all(float(f"{value:.3g}") == value for value in log)
    whole = [value_at(Dimension(int=(3, 6)), share) for share in shares]
    assert [whole.count(value) for value in (3, 4, 5, 6)] == [1000] * 4
    doubling = [value_at(Dimension(int=(1, 100), log=True), share) for share in shares]
    assert set(map(type, doubling)) == {int}
    below_ten = sum(value <= 10 for value in doubling) / 4000
    assert below_ten == pytest.approx(math.log(10.5 / 0.5) / math.log(100.5 / 0.5), abs=0.01)
    picked = [value_at(Dimension(choices=("a", "b", "c")), share) for share in shares]
    assert picked.count("b") == pytest.approx(4000 / 3, abs=1)


def test_a_grid_has_both_ends_of_every_range() -> None:
    assert grid_values(Dimension(log=(1e-4, 1.0)), 5) == pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1.0])
    assert grid_values(Dimension(int=(1, 3)), 9) == [1, 2, 3]
    search = Search(space={"optimizer.lr": {"uniform": [0.1, 0.5]}, "epochs": [1, 2, 3]}, points=4)
    assert grid_size(search) == 12
