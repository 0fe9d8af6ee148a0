"""A small real data set, and a way to train on it."""

from __future__ import annotations

from typing import Any

import pytest

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.train.plan import TrialPlan

from .runs import Outcome, Train, run_plans


@pytest.fixture(scope="session")
def digits() -> Preparation:
    return Preparation(load("digits"))


@pytest.fixture(scope="session")
def train(digits: Preparation) -> Train:
    def run(*plans: TrialPlan, preparation: Preparation = digits, **options: Any) -> Outcome:
        return run_plans(plans, preparation, **options)

    return run
