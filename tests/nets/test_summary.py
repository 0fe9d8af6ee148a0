"""Structure of networks against torch itself: sums over its parameters, shapes from forward hooks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import initial_stack
from ceteris.nets.summary import Summary, summarize
from ceteris.spec.model import CNN, MLP, LinearModel


class Scale(nn.Module):
    """A layer of the user's own, with a parameter and without parts."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


class Tied(nn.Module):
    """Blocks in blocks, a layer used twice, a weight used by two layers, a residual sum, a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(8, 8)
        self.block = nn.Sequential(nn.Sequential(nn.Linear(8, 8), nn.ReLU()), Scale(8))
        self.again = self.shared
        self.other = nn.Linear(8, 8, bias=False)
        self.other.weight = self.shared.weight
        self.offset = nn.Parameter(torch.zeros(8))
        self.head = nn.Linear(8, 3)
        self.head.bias.requires_grad_(False)
        self.register_buffer("constant", torch.ones(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.shared(x.flatten(1)))
        x = x + self.block(x)
        x = self.other(self.again(x)) + self.offset
        out: torch.Tensor = self.head(x)
        return out


BUILT_IN: dict[str, Any] = {
    "linear": (LinearModel(), (12,)),
    "mlp": (MLP(hidden=(9, 9, 4), batch_norm=True, residual=True), (12,)),
    "layer-norm": (MLP(hidden=(5,), layer_norm=True, bias=False), (12,)),
    "cnn": (CNN(convolutions=(3, 4), hidden=(7,), batch_norm=True), (1, 8, 8)),
}


def built_in(name: str) -> tuple[nn.Module, torch.Tensor]:
    spec, shape = BUILT_IN[name]
    size = int(torch.tensor(shape).prod())
    module = initial_stack(architecture(spec, size, 10, shape), [spec], [0]).member(0)
    return module, torch.rand(2, size)


def shapes_by_hooks(module: nn.Module, rows: torch.Tensor) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, own in module.named_modules():
        own.register_forward_hook(
            lambda own, inputs, output, name=name: found.update({name: tuple(output.shape[1:])})
        )
    module(rows)
    return {name: shape for name, shape in found.items() if name}


@pytest.mark.parametrize("name", [*BUILT_IN, "tied"])
def test_parameters_and_shapes_are_those_of_torch(name: str) -> None:
    module, rows = (Tied(), torch.rand(2, 2, 4)) if name == "tied" else built_in(name)
    found = summarize(module, rows)
    assert found.parameters == sum(p.numel() for p in module.parameters())
    assert found.trainable == sum(p.numel() for p in module.parameters() if p.requires_grad)
    assert found.buffers == sum(b.numel() for b in module.buffers())
    top = sum(part.parameters for part in found.parts if part.depth == 0)
    assert top + sum(torch.Size(shape).numel() for _, shape in found.own) == found.parameters
    hooked = shapes_by_hooks(module, rows)
    shown = {part.path: part.shape for part in found.parts if part.shape is not None}
    assert hooked == {path: shape for path, shape in shown.items() if path != "again"}


def test_three_units_on_three_inputs_have_twelve_parameters() -> None:
    spec = LinearModel()
    module = initial_stack(architecture(spec, 3, 3), [spec], [0]).member(0)
    found = summarize(module, torch.rand(2, 3))
    (head,) = (part for part in found.parts if part.path == "head")
    assert found.parameters == head.parameters == 12
    assert head.formula == "3 x 3 + 3"


def part(found: Summary, path: str) -> Any:
    return next(part for part in found.parts if part.path == path)


def test_what_is_shared_is_counted_once_and_said() -> None:
    found = summarize(Tied(), torch.rand(2, 2, 4))
    assert part(found, "shared").parameters == 72
    assert part(found, "again").parameters == 0
    assert part(found, "again").shared == ("shared",)
    assert part(found, "other").parameters == 0
    assert part(found, "other").shared == ("shared.weight",)
    assert part(found, "block").parameters == 72 + 8
    assert found.own == (("offset", (8,)),)
    calls = [(node.path, node.call) for node in found.trace.nodes if node.path == "shared"]
    assert calls == [("shared", 0), ("shared", 1)]


def test_the_graph_follows_the_tensors_through_code_of_the_users_own() -> None:
    nodes = summarize(Tied(), torch.rand(2, 2, 4)).trace.nodes
    told = [(node.label, node.sources) for node in nodes]
    assert told == [
        ("input", ()),
        ("reshape", (0,)),
        ("Linear", (1,)),
        ("relu", (2,)),
        ("Linear", (3,)),
        ("ReLU", (4,)),
        ("Scale", (5,)),
        ("add", (3, 6)),
        ("Linear", (7,)),
        ("Linear", (8,)),
        ("add", (9,)),
        ("Linear", (10,)),
    ]
    assert [frame.path for frame in nodes[4].frames] == ["block", "block.0"]
    assert [frame.path for frame in nodes[6].frames] == ["block"]


def test_activations_are_the_outputs_of_layers_and_operations() -> None:
    module, rows = built_in("cnn")
    found = summarize(module, rows).trace
    # Convolution, norm, pooling and activation at 8 x 8 and 4 x 4, then 7 + norm + relu + dropout and 10.
    expected = 3 * (64 * 2 + 16 * 2) + 4 * (16 * 2 + 4 * 2) + 4 * 7 + 10
    assert found.activations == expected


def test_a_residual_block_reads_what_stood_before_it() -> None:
    module, rows = built_in("mlp")
    nodes = summarize(module, rows).trace.nodes
    (sum_of,) = (node for node in nodes if node.label == "add")
    before, last = (nodes[source] for source in sum_of.sources)
    assert (before.path, last.path) == ("hidden.0.dropout", "hidden.1.dropout")


def test_a_module_that_is_one_layer_of_torch_is_shown() -> None:
    found = summarize(nn.Linear(3, 3), torch.rand(2, 3))
    assert [node.label for node in found.trace.nodes] == ["input", "Linear"]
    assert found.parameters == 12
