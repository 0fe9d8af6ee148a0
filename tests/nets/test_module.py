"""Members handed out as ordinary modules, and taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ceteris.errors import CeterisError
from ceteris.nets.architecture import architecture, dropout_rates
from ceteris.nets.module import Network, load_tensors
from ceteris.nets.stacked import initial_stack
from ceteris.spec.model import MLP, LinearModel


@given(
    hidden=st.lists(st.integers(1, 7), max_size=3),
    batch_norm=st.booleans(),
    bias=st.booleans(),
    n_in=st.integers(1, 9),
    n_out=st.integers(1, 4),
)
@settings(max_examples=30)
def test_a_member_handed_out_and_taken_back_is_unchanged(
    hidden: list[int], batch_norm: bool, bias: bool, n_in: int, n_out: int
) -> None:
    spec = MLP(hidden=tuple(hidden), batch_norm=batch_norm, bias=bias)
    stack = initial_stack(architecture(spec, n_in, n_out), [spec] * 3, [0, 1, 2])
    before = stack.parameters.copy(), stack.buffers.copy()
    module = stack.member(1)
    stack.parameters[1] = 0
    stack.set_member(1, module)
    assert np.array_equal(stack.parameters, before[0])
    assert np.array_equal(stack.buffers, before[1])
    assert sum(p.numel() for p in module.parameters()) == stack.architecture.n_parameters


def test_names_are_those_of_ordinary_modules() -> None:
    spec = MLP(hidden=(5, 4), batch_norm=(True, False), dropout=0.2)
    module = initial_stack(architecture(spec, 3, 2), [spec], [0]).member(0)
    assert [name for name, _ in module.named_parameters()] == [
        "hidden.0.linear.weight",
        "hidden.0.linear.bias",
        "hidden.0.norm.weight",
        "hidden.0.norm.bias",
        "hidden.1.linear.weight",
        "hidden.1.linear.bias",
        "head.weight",
        "head.bias",
    ]
    assert isinstance(module.hidden[0].linear, nn.Linear)
    assert module.hidden[0].dropout.p == 0.2
    assert not module.training


def test_the_module_computes_what_its_layers_say() -> None:
    spec = MLP(hidden=(5,), activation="tanh")
    module = initial_stack(architecture(spec, 3, 2), [spec], [0]).member(0)
    x = torch.randn(4, 3)
    w0, b0, w1, b1 = (p.detach() for p in module.parameters())
    expected = torch.tanh(x @ w0.T + b0) @ w1.T + b1
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(module(x.reshape(4, 1, 3)), expected)


def test_a_module_of_another_kind_is_refused_by_tensor_name() -> None:
    spec = MLP(hidden=(5,))
    stack = initial_stack(architecture(spec, 3, 2), [spec], [0])
    with pytest.raises(CeterisError, match=r"the module has no tensor `hidden.0.linear.weight`"):
        stack.set_member(0, nn.Linear(3, 2))
    other = initial_stack(architecture(MLP(hidden=(6,)), 3, 2), [MLP(hidden=(6,))], [0]).member(0)
    with pytest.raises(CeterisError, match=r"has shape \(6, 3\); the network's is \(5, 3\)"):
        stack.set_member(0, other)


def test_loading_needs_every_name() -> None:
    module = Network(architecture(LinearModel(), 3, 2))
    with pytest.raises(CeterisError, match=r"but not in both: head.bias"):
        load_tensors(module, {"head.weight": np.zeros((2, 3), np.float32)})


@pytest.mark.parametrize(("dropout", "rates"), [(0.3, (0.1, 0.3, 0.3)), ((0.2, 0.5), (0.1, 0.2, 0.5))])
def test_dropout_places(dropout: Any, rates: tuple[float, ...]) -> None:
    assert dropout_rates(MLP(hidden=(4, 3), dropout=dropout, input_dropout=0.1)) == rates
    assert dropout_rates(LinearModel()) == ()


def test_rows_of_another_width_are_refused_in_one_sentence() -> None:
    spec = MLP(hidden=(4,))
    module = initial_stack(architecture(spec, 3, 2), [spec], [0]).member(0)
    with pytest.raises(CeterisError, match=r"^the network reads 3 numbers a row, and these have 4$"):
        module(torch.zeros(5, 2, 2))
