"""What a module counts in Python is noticed: a recorded step would not repeat it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.train.modules.host_state import changes, drawn_from, host_state


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def count(self) -> None:
        self.calls += 1


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (np.zeros(1), lambda value: value.__iadd__(1)),
        ({1, 2}, lambda value: value.add(3)),
        (deque([1], maxlen=4), lambda value: value.append(2)),
        ([{"a": [1]}], lambda value: value[0]["a"].append(2)),
        (Counter(), lambda value: value.count()),
    ],
    ids=["array", "set", "deque", "nested", "object"],
)
def test_what_changes_inside_is_noticed(value: Any, change: Callable[[Any], Any]) -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].kept = value
    before = host_state(module)
    assert changes(before, host_state(module)) == []
    change(value)
    assert changes(before, host_state(module)) == ["the attribute `0.kept`"]


def test_what_is_written_into_a_tensor_is_no_change() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].kept = torch.zeros(2)  # type: ignore[assignment]
    before = host_state(module)
    module[0].kept += 1  # type: ignore[operator]
    assert changes(before, host_state(module)) == []


@pytest.mark.parametrize(
    ("value", "draw"),
    [
        (np.random.default_rng(0), lambda value: value.random()),
        (np.random.SFC64(0), lambda value: value.random_raw()),
        (np.random.RandomState(0), lambda value: value.rand()),
        (random.Random(0), lambda value: value.random()),
        (torch.Generator().manual_seed(0), lambda value: torch.rand(1, generator=value)),
    ],
    ids=["Generator", "BitGenerator", "RandomState", "Random", "torch"],
)
@pytest.mark.parametrize("nested", [False, True])
def test_what_is_drawn_from_a_generator_of_the_modules_own_is_noticed(
    value: Any, draw: Callable[[Any], Any], nested: bool
) -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].kept = [{"own": value}] if nested else value  # type: ignore[assignment]
    before = host_state(module)
    assert changes(before, host_state(module)) == []
    draw(value)
    changed = changes(before, host_state(module))
    assert changed == drawn_from(changed) == ["the generator in the attribute `0.kept`"]


def test_a_generator_without_a_state_counts_as_drawn_from() -> None:
    module = nn.Linear(2, 2)
    module.kept = random.SystemRandom()  # type: ignore[assignment]
    changed = changes(host_state(module), host_state(module))
    assert drawn_from(changed) == ["the generator in the attribute `kept`"]
