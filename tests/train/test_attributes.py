"""Mistake 8 of the catalogue: tensors and layers that a module keeps where torch does not see them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ceteris.spec.model import ModuleModel
from ceteris.train.modules.attributes import attribute_notes
from ceteris.train.modules.user import inspect_module, notes_on_module, remade_module
from ceteris.train.plan import ModuleRequest


class Forgetful(nn.Module):
    def __init__(self, where: str = "attribute") -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        value = torch.arange(10.0)
        if where == "buffer":
            self.register_buffer("offset", value)
        else:
            self.offset = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.offset


class Lists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.known = nn.ModuleList([nn.Linear(2, 2)])
        self.layers = [nn.Linear(2, 2)]
        self.weights = {"a": nn.Parameter(torch.ones(2))}
        self.tables = (torch.ones(2), 3)
        self.numbers = [1, 2]
        self.recurrent = nn.GRU(2, 2)  # keeps a plain list of its own parameters
        self.again = [self.known[0]]


def test_a_tensor_as_a_plain_attribute_is_told_and_a_buffer_is_not() -> None:
    model = ModuleModel(name="Forgetful")
    (note,) = notes_on_module(ModuleRequest(model, (8, 8), 10, True), Forgetful)
    assert "`Forgetful` keeps the tensor `offset` as a plain attribute: it is neither saved" in note
    assert 'write `self.register_buffer("offset", ...)`' in note
    buffered = ModuleModel(name="F", arguments={"where": "buffer"})
    assert notes_on_module(ModuleRequest(buffered, (8, 8), 10, True), Forgetful) == ()


def test_layers_parameters_and_tensors_in_plain_containers_are_told() -> None:
    notes = attribute_notes("Net", nn.Sequential(Lists()))
    assert len(notes) == 3
    assert "parameters in `0.layers`, a plain list: they are neither trained nor saved" in notes[0]
    assert "use `nn.ModuleList`" in notes[0]
    assert "`0.weights`, a plain dict" in notes[1]
    assert "use `nn.ParameterDict`" in notes[1]
    assert "tensors in `0.tables`, a plain tuple" in notes[2]


def test_a_constant_in_a_buffer_is_saved_set_again_and_moved(tmp_path: Path) -> None:
    model = ModuleModel(name="F", arguments={"where": "buffer"})
    net = inspect_module(ModuleRequest(model, (8, 8), 10, True), Forgetful)
    assert [tensor.name for tensor in net.buffers] == ["offset"]
    saved = {n: t.numpy() for n, t in Forgetful("buffer").state_dict().items()}
    saved["offset"] = saved["offset"] * 2
    module = remade_module(model, Forgetful, (8, 8), 0, saved)
    assert (module.offset == 2 * torch.arange(10)).all()
    assert module.to("meta").offset.device.type == "meta"
    assert Forgetful().to("meta").offset.device.type == "cpu"
