"""What a module counts in Python is noticed: a recorded step would not repeat it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.train.modules.host_state import changes, host_state


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
