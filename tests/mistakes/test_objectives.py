"""Mistakes 12 and 15 of the catalogue: the scale of inputs, and penalties and losses by their formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ceteris.api.result import Result
from ceteris.data import Preparation, facts, load
from ceteris.evidence.input_scale import input_scale_notes
from ceteris.evidence.objective_notes import objective_notes
from ceteris.records.views import TrialRecord
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from tests.evidence.made import trial
from tests.pages import text_of
from tests.train.runs import plan, run_plans

from .conftest import Run

SGD = {"kind": "sgd", "lr": 0.1}


def recorded(level: str, curves: dict[str, list[float]] | None = None, **settings: Any) -> TrialRecord:
    experiment = Experiment(**{"data": "digits", "model": "linear", "optimizer": SGD} | settings)
    made = trial(level, 0, curves or {"val_accuracy": [0.5]})
    return replace(made, experiment=experiment.model_dump(mode="json"))


def test_12_images_come_scaled_unless_asked_otherwise() -> None:
    digits = load("digits")
    assert digits.x.max() == 16
    assert Preparation(digits).prepare(DataSpec(source="digits"), 0).x.max() == 1


L1 = {"kind": "l1", "weight": 0.01, "on": "all"}
L2 = {"kind": "l2", "weight": 0.01}
LEVELS: dict[str, dict[str, Any]] = {
    "plain": {},
    "raw": {"data.scale": "none"},
    "by 16": {"data.scale": 16},
    "l1": {"penalty": L1},
    "l2": {"penalty": L2},
    "whole": {"loss": "mse"},
    "half": {"loss": "mse_half"},
    "aligned": {"loss": "mse_half", "optimizer.lr": 0.2},
}


@pytest.fixture(scope="module")
def result(run: Run) -> Result:
    """One study that makes both mistakes at once."""
    return run({"way": LEVELS}, seeds=1, epochs=2, model="linear")


def the_note(result: Result, words: str) -> str:
    """The note that has these words; it stands in the report too."""
    (found,) = [note for note in result.assessment.notes if words in note]
    assert found.removesuffix(".") in text_of(result.report())
    return found


def test_12_raw_images_at_a_rate_for_unit_scale_are_told(result: Result) -> None:
    told = the_note(result, "unit scale")
    assert told.startswith("The inputs are far from unit scale (raw): their root mean square is 7.75,")
    assert "as a rate 60 times as large would at 1; see `data.scale`" in told


def test_12_full_batch_descent_on_an_unscaled_number_is_told() -> None:
    source = {"source": "sine", "parameters": {"seed": 42, "n": 100, "noise": 0.1}}
    spec = DataSpec(**source, scale="none")
    known = facts(load(spec.reading)) | {"source": spec.reading}
    raw = recorded("raw", data=spec.model_dump(mode="json"))
    fine = recorded("fine", data=DataSpec(**source, scale="standardize").model_dump(mode="json"))
    (told,) = input_scale_notes(known, [raw, fine])
    x = load(spec.reading).x.astype(np.float64)
    assert f"(raw): their root mean square is {np.sqrt((x**2).mean()):.3g}," in told


@pytest.mark.parametrize(
    ("scale", "noted"), [("none", True), (255, False), (2.55e6, True), ("symmetric", False)]
)
def test_12_other_levels_of_other_data_are_judged_by_their_own(scale: Any, noted: bool) -> None:
    known = {"source": "digits", "rms": 7.8, "other_data": {"wine": {"rms": 130.0}}}
    own = recorded("w", data=DataSpec(source="wine", scale=scale).model_dump(mode="json"))
    assert bool(input_scale_notes(known, [own])) == noted
    assert input_scale_notes({"source": "digits"}, [own]) == (), "a record from before it was measured"


@pytest.fixture(scope="module")
def digits() -> Preparation:
    return Preparation(load("digits"))


FORMS = {
    "sum": lambda w: np.square(w).sum(),
    "norm": lambda w: np.sqrt(np.square(w).sum()),
    "mean": lambda w: np.square(w).mean(),
}


@pytest.mark.parametrize("on", ["weights", "all"])
def test_15_a_penalty_is_the_formula_that_its_name_says_and_spares_biases(
    on: str, digits: Preparation
) -> None:
    penalties = {form: {"kind": "l2", "weight": 0.01, "form": form, "on": on} for form in FORMS}
    outcome = run_plans([plan(form, penalty=own) for form, own in penalties.items()], digits)
    for form, total in FORMS.items():
        tensors = {name: t.astype(np.float64) for name, t in outcome.ended[form].final.items()}
        own = [t for name, t in tensors.items() if on == "all" or name.endswith("weight")]
        assert outcome.curve(form, "penalty")[-1] == pytest.approx(0.01 * sum(map(total, own)), rel=1e-4)


def test_15_a_bias_moves_by_the_loss_alone_unless_all_parameters_are_penalised(digits: Preparation) -> None:
    """At the first step, before weights differ, a penalty changes what it acts on and nothing else."""
    once = {
        "batch_size": 1150,
        "epochs": 1,
        "model": {"kind": "linear", "init": {"kind": "normal", "std": 1}},
    }
    plans = [
        plan("none", **once),
        plan("weights", penalty={"kind": "l2", "weight": 0.1}, **once),
        plan("all", penalty={"kind": "l1", "weight": 0.1, "on": "all"}, **once),
    ]
    ended = run_plans(plans, digits).ended
    plain, weights = ended["none"].final, ended["weights"].final
    np.testing.assert_array_equal(weights["head.bias"], plain["head.bias"])
    np.testing.assert_allclose(  # minus lr times the gradient 2 lambda w
        weights["head.weight"],
        plain["head.weight"] - 0.1 * 0.2 * ended["none"].initial["head.weight"],
        atol=1e-6,
    )
    np.testing.assert_array_equal(ended["all"].final["head.bias"], plain["head.bias"])  # it starts at 0
    twice = [plan(p.identity, **once | {"epochs": 2, "penalty": p.experiment.penalty}) for p in plans]
    later = run_plans(twice, digits).ended
    assert not np.array_equal(later["all"].final["head.bias"], later["none"].final["head.bias"])


def test_15_a_penalty_with_twice_the_weight_is_the_optimiser_s_decay_of_weights(digits: Preparation) -> None:
    decayed = {**SGD, "weight_decay": 0.2, "biases": {"weight_decay": 0}}
    plans = [plan("penalty", penalty={"kind": "l2", "weight": 0.1}), plan("decay", optimizer=decayed)]
    outcome = run_plans(plans, digits)
    np.testing.assert_allclose(outcome.final("penalty"), outcome.final("decay"), rtol=1e-4, atol=1e-6)


def test_15_the_half_of_a_loss_is_half_a_step_and_is_told(result: Result) -> None:
    whole, half, aligned = (result.trial(level) for level in ("whole", "half", "aligned"))
    for name, tensor in whole.weights().items():
        np.testing.assert_array_equal(aligned.weights()[name], tensor)
        assert not np.array_equal(half.weights()[name], tensor)
    assert aligned.metrics["val_loss"] == pytest.approx(whole.metrics["val_loss"] / 2, rel=1e-6)
    told = the_note(result, "is half that of")
    assert told.startswith(
        "The loss of half is half that of whole at the same learning rate (0.1): the gradient"
    )
    assert any("losses are different functions" in note for note in result.assessment.notes)


def told(*trials: TrialRecord) -> str:
    return " ".join(objective_notes({one.level: [one] for one in trials}))


def test_15_penalties_of_different_functions_are_told_with_their_values() -> None:
    found = told(
        recorded("none"),
        recorded("l1", {"penalty": [1.5, 1.2]}, penalty=L1),
        recorded("l2", {"penalty": [0.02, 0.01]}, penalty=L2),
        recorded("norm", penalty=L2 | {"form": "norm"}),
        recorded("both", penalty=[L1, L2]),
        recorded("decay", optimizer=SGD | {"weight_decay": 0.01}),
        recorded("spared", optimizer=SGD | {"weight_decay": 0.01, "biases": {"weight_decay": 0}}),
    )
    assert found == (
        "The levels' penalties are different functions, so equal weights are not equal strength: "
        "l1 has 0.01 x sum |w|, of all parameters (1.50 after the first epoch); "
        "l2 has 0.01 x sum w^2, of weights alone (0.0200 after the first epoch); "
        "norm has 0.01 x sqrt(sum w^2), of weights alone; "
        "both has 0.01 x sum |w|, of all parameters and 0.01 x sum w^2, of weights alone; "
        "decay has 0.01 x 1/2 sum w^2, of all parameters; "
        "spared has 0.01 x 1/2 sum w^2, of all but biases."
    )


def test_15_strengths_of_one_penalty_and_adaptive_steps_are_not_mentioned() -> None:
    strengths = [recorded(str(w), penalty=L2 | {"weight": w}) for w in (0.1, 0.01, 0)]
    assert told(*strengths) == ""
    adam = {"kind": "adam", "lr": 0.1}
    halves = [recorded(loss, loss=loss, optimizer=adam) for loss in ("mse", "mse_half")]
    assert told(*halves) == ""
    assert told(recorded("a", loss="mse"), recorded("b", loss="mse_half", optimizer=SGD | {"lr": 0.2})) == ""
    # Of classes without validation rows, `auto` is cross-entropy.
    classes = recorded("a", {"train_accuracy": [0.5]}, loss="auto")
    assert told(classes, recorded("b", loss="mse_half")) == ""
    assert "is half that of" in told(
        recorded("a", {"val_loss": [0.5]}, loss="auto"), recorded("b", {"val_loss": [0.5]}, loss="mse_half")
    )


def test_15_penalties_are_told_in_a_study(result: Result) -> None:
    value = result.trial("l1").curves["penalty"][0]
    told = the_note(result, "not equal strength")
    assert f"l1 has 0.01 x sum |w|, of all parameters ({value:#.3g} after the first epoch)" in told
