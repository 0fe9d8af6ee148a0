"""Composed networks against torch: shapes by hooks, ties; and what is told where layers do not fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ceteris.errors import CeterisError
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import initial_stack
from ceteris.spec.layers import MAIN_SETTINGS
from ceteris.spec.model import SequentialModel
from ceteris.spec.taken_names import TAKEN


def built(layers: list[Any], shape: tuple[int, ...] = (8, 8)) -> nn.Module:
    spec = SequentialModel(layers=layers)
    size = int(torch.tensor(shape).prod())
    return initial_stack(architecture(spec, size, 10, shape), [spec], [0]).member(0)


def refusal(layers: list[Any], shape: tuple[int, ...] = (8, 8)) -> tuple[str, str]:
    with pytest.raises(CeterisError) as caught:
        built(layers, shape)
    (problem,) = caught.value.problems
    return problem.where, problem.message


def test_widths_are_those_that_torch_finds() -> None:
    layers = [{"conv": {"channels": 3, "stride": 2}}, "batch_norm", {"avg_pool": 2}, "flatten", {"linear": 5}]
    module = built([*layers, {"block": [{"block": [{"linear": 7}, "relu"]}, {"linear": 4}]}], (3, 12, 10))
    outputs = module(torch.rand(2, 360))
    assert outputs.shape == (2, 10)
    assert module.get_submodule("layers.4").in_features == 3 * 3 * 2
    assert module.get_submodule("layers.5.0.0").out_features == 7
    assert module.get_submodule("head").in_features == 4


def test_without_layers_it_is_a_linear_network() -> None:
    assert [name for name, _ in built([]).named_parameters()] == ["head.weight", "head.bias"]


def test_images_whose_first_layer_is_linear_come_as_rows() -> None:
    assert built([{"linear": 6}, "relu"])(torch.rand(2, 8, 8)).shape == (2, 10)


def test_tied_layers_are_one_module_counted_once() -> None:
    module = built([{"linear": 64, "name": "shared"}, "tanh", {"use": "shared"}])
    assert module.get_submodule("layers.2") is module.get_submodule("layers.shared")
    assert sum(p.numel() for p in module.parameters()) == 64 * 65 + 65 * 10


@pytest.mark.parametrize(
    ("layers", "where", "words"),
    [
        (
            [{"linear": 64}, {"residual": [{"linear": 32}, "relu"]}],
            ".1",
            "64 numbers go in and 32 numbers come out, which cannot be added; let the layers inside end with "
            "`linear: 64`",
        ),
        (
            [{"conv": 4}, {"block": [{"residual": [{"conv": 8}]}]}],
            ".1.layers.0",
            "4 x 8 x 8 go in and 8 x 8 x 8 come out, which cannot be added; let the layers inside keep "
            "height and width and end with `conv: 4`",
        ),
        (
            [{"conv": 4}, {"linear": 3}],
            ".1",
            "`linear` reads a row of numbers, and here is an image of 4 x 8 x 8: put `flatten` before it",
        ),
        (
            [{"conv": 4}],
            "",
            "the layers end with an image of 4 x 8 x 8, and outputs need a row: add `flatten`",
        ),
        (
            [{"linear": 4}, {"conv": 4}],
            ".1",
            "`conv` reads images, and here is a row of 4 numbers: put it before `flatten` and `linear`",
        ),
        (
            [{"linear": 8, "name": "a"}, {"use": "a"}],
            ".1",
            "`a` reads 64 numbers, and here it gets 8 numbers; tied layers need the same shape",
        ),
        (
            [{"max_pool": 4}, {"max_pool": 4}],
            ".1",
            "squares of 4 do not fit into an image of 1 x 2 x 2; give a smaller size",
        ),
        (
            [{"conv": {"channels": 2, "kernel": 11, "padding": 0}}],
            ".0",
            "a kernel of 11 does not fit into an image of 1 x 8 x 8 with padding 0; give a smaller kernel or "
            "more padding",
        ),
        (
            [{"conv": 2}, "layer_norm"],
            ".1",
            "`layer_norm` reads a row of numbers, and here is an image of 2 x 8 x 8: put `flatten` before "
            "it, or use `batch_norm`",
        ),
    ],
)
def test_layers_that_do_not_fit_are_told_with_their_path(layers: list[Any], where: str, words: str) -> None:
    assert refusal(layers) == (f"experiment.model.layers{where}", words)


def test_rows_that_are_no_images_are_told() -> None:
    words = "`conv` reads images, and a row of the data is 10 numbers in one axis; begin with `linear`"
    assert refusal(["relu", {"conv": 4}], (10,)) == ("experiment.model.layers", words)


@pytest.mark.parametrize(
    ("layers", "where", "words"),
    [
        (["rellu"], "0", "there is no layer `rellu`; did you mean `relu`?"),
        ([{"liner": 3}], "0", "there is no layer `liner`; did you mean `linear`?"),
        ([{"residual": [{"linear": 0}]}], "0.layers.0.width", "0 is not a valid width"),
        (
            [{"linear": {"widht": 3}}],
            "0.widht",
            "there is no such setting for `linear`; did you mean `width`?",
        ),
        ([{"linear": 3}, {"use": "a"}], "1", "there is no earlier layer named `a`; give one before it"),
        ([{"linear": 3, "name": "first"}, {"use": "frist"}], "1", "did you mean `first`?"),
        (
            [{"linear": 3, "name": "a"}, {"block": [{"linear": 3, "name": "a"}]}],
            "1.layers.0",
            "are named `a`",
        ),
        ([{"block": []}], "0", "there is no layer in this block; give at least one"),
        (
            [{"linear": 3, "name": "train"}],
            "0.name",
            "'train' cannot name a layer: a torch.nn.Sequential has",
        ),
        ([{"linear": 3, "name": "a.b"}], "0.name", "'a.b' cannot name a layer: give letters, digits and _"),
        ([7], "0", "7 is not a layer; give one such as `relu` or `{linear: 64}`"),
    ],
)
def test_what_is_no_layer_is_told_when_it_is_read(layers: list[Any], where: str, words: str) -> None:
    with pytest.raises(CeterisError) as caught:
        SequentialModel(layers=layers)
    (problem,) = caught.value.problems
    assert problem.where == f"SequentialModel.layers.{where}"
    assert words in problem.message


def test_short_and_long_forms_are_the_same() -> None:
    short = SequentialModel(layers=["tanh", {"conv": 4}, {"dropout": 0.1, "name": "d"}, {"use": "d"}])
    long = SequentialModel(
        layers=[
            {"kind": "activation", "function": "tanh"},
            {"kind": "conv", "channels": 4},
            {"dropout": {"p": 0.1}, "name": "d"},
            {"kind": "use", "of": "d"},
        ]
    )
    assert short == long == SequentialModel.model_validate(short.model_dump())


def test_the_names_that_are_refused_are_those_that_torch_has() -> None:
    taken = {name for name in dir(nn.Sequential()) if not name.startswith("_")}
    assert taken <= TAKEN
    assert not TAKEN & set(MAIN_SETTINGS)
