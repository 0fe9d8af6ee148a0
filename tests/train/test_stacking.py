"""The table of what stacks and what separates, held against the cohorts that are really made."""

from __future__ import annotations

import pytest

from ceteris.data import load
from ceteris.data.dataset import Dataset
from ceteris.lab.shards import make_cohorts
from ceteris.lab.sizes import sizes_of
from ceteris.nets.architecture import Architecture, UserModule
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.spec.stacking import BY_STEPS, SEPARATES, leaves, mark
from ceteris.train.plan import TrialPlan, module_key

from .varied_settings import VARIED, Patch, mlp, optimizer

OWN = {
    "model.name": {"name": "mine:other"},
    "model.arguments": {"arguments": {"width": 9}},
    "model.input": {"input": "flat"},
}
"""Of a network of the user's own: whatever changes its layout, which a worker has to look at."""
OTHER_ROWS = {
    *("data.source", "data.checksum", "data.target", "data.test"),
    *("data.ids", "data.drop", "data.parameters"),
}
"""They name other rows: a cohort reads one source."""
FILLED_IN = {"data.content", "model.source", "model.init.content", "model.init.source"}
"""Hashes that a record is checked by: what they are of decides, and one run has one of each."""


def plan(identity: str, patch: Patch) -> TrialPlan:
    base = {"data": "digits", **mlp(), "optimizer": "adam", "batch_size": 32, "epochs": 5}
    experiment = Experiment.model_validate({**base, **patch})
    return TrialPlan(identity, identity, {}, 0, 0, experiment)


def cohorts(*patches: Patch) -> int:
    """Return how many cohorts the trials of some experiments make."""
    plans = [plan(str(place), patch) for place, patch in enumerate(patches)]
    digits = load("digits")
    rows = {p.identity: sizes_of(digits, p.experiment.data, (0,), None).training for p in plans}
    return len(make_cohorts(plans, {p.experiment.data.reading: digits for p in plans}, rows))


@pytest.mark.parametrize("path", [path for path in VARIED if path not in OTHER_ROWS])
def test_a_setting_stacks_or_separates_as_the_table_says(path: str) -> None:
    first, second = VARIED[path]
    assert plan("a", first).experiment != plan("b", second).experiment
    assert cohorts(first, second) == (1 if mark(path) == "stacks" else 2)


@pytest.mark.parametrize("path", sorted(OTHER_ROWS))
def test_a_setting_that_names_other_rows_separates(path: str) -> None:
    first, second = (plan("a", patch).experiment.data.reading for patch in VARIED[path])
    assert first != second
    assert mark(path) == "separates"


@pytest.mark.parametrize("path", OWN)
def test_a_setting_of_the_user_s_own_network_separates(path: str) -> None:
    """Even where its parameters are laid out alike: what it does with them is its own."""
    own = {"kind": "module", "name": "mine:net", "arguments": {"width": 8}}
    models = [own, own | OWN[path], own | {"init": {"kind": "own", "name": "mine:start"}}]
    plans = [plan(str(place), {"model": model}) for place, model in enumerate(models)]
    digits = load("digits")
    laid_out = {module_key(p.experiment, digits): module_layout(p.experiment, digits) for p in plans}
    rows = {p.identity: 1150 for p in plans}
    found = make_cohorts(plans, {"digits": digits}, rows, laid_out)
    assert sorted(sorted(trial.identity for trial in cohort.trials) for cohort in found) == [
        ["0", "2"],
        ["1"],
    ]
    assert mark(path) == "separates"


def module_layout(experiment: Experiment, dataset: Dataset) -> Architecture:
    """A user's network as a worker would lay it out, one that keeps no parameters."""
    model = experiment.model
    assert isinstance(model, ModuleModel)
    shape = (64,) if model.input == "flat" else dataset.shape
    arguments = module_key(experiment, dataset).arguments
    whole = UserModule("module", model.name, arguments, shape, False, False, 1)
    return Architecture(64, 10, (whole,), (), ())


def test_other_rows_of_one_source_stack_where_an_epoch_has_the_same_steps() -> None:
    few, more = ({"data": {"source": "digits", "validation": rows}} for rows in (352, 353))
    assert mark("data.validation") == "by steps"
    assert cohorts(few, more) == 1


def test_adam_and_adamw_are_one_family_and_seeds_stack() -> None:
    assert cohorts(optimizer("adam"), optimizer("adamw")) == 1


def test_every_setting_was_tried() -> None:
    """A new setting has to be entered among the varied ones, and then is what the engine makes of it."""
    assert set(leaves()) == set(VARIED) | set(OWN) | FILLED_IN
    assert set(leaves()) >= SEPARATES | BY_STEPS
