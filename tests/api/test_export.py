"""Exported programs against the networks that they were made of."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import ceteris
from ceteris.api.export.files import Format, check_libraries, write_program
from ceteris.api.export.program import Program, as_rows, program_for
from ceteris.api.result import Result
from ceteris.data import load
from ceteris.data.scaling import fit_scaling, scaled
from ceteris.nets.architecture import architecture, dropout_rates
from ceteris.nets.module import Network
from ceteris.spec.experiment import Experiment

IMAGES = load_digits().images


def built_in(**model: Any) -> nn.Module:
    spec = Experiment.model_validate({"data": "digits", "model": model}).model
    net = architecture(spec, 64, 10, (8, 8))  # type: ignore[arg-type]
    return Network(net, dropout_rates(spec))  # type: ignore[arg-type]


class Own(nn.Module):
    """Recurrent over the rows of an image, with a constant as a buffer; gives one number a row."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.GRU(8, 5, batch_first=True)
        self.last = nn.Linear(5, 1)
        self.register_buffer("offset", torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.read(x.squeeze(1))
        return self.last(states[:, -1]).squeeze(1) + self.offset


TIED = [{"linear": 16}, "batch_norm", "relu", {"block": [{"linear": 16}, "tanh"], "name": "twice"}]
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: built_in(kind="mlp", hidden=[12], batch_norm=True, dropout=0.4), (64,)),
    "cnn": (lambda: built_in(kind="cnn", convolutions=[4], hidden=[6], batch_norm=True, dropout=0.2), (64,)),
    "tied": (lambda: built_in(kind="sequential", layers=[*TIED, {"use": "twice"}]), (64,)),
    "own": (Own, (1, 8, 8)),
}


def trained(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A network whose running statistics are no longer those that it started with."""
    make, row_shape = NETWORKS[name]
    torch.manual_seed(1)
    network = make()
    for _ in range(3):
        network(torch.randn(20, *row_shape))
    return network.eval(), row_shape


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", ["pt2", pytest.param("onnx", marks=pytest.mark.slow)])
def test_the_file_computes_what_the_network_does(name: str, form: Format, tmp_path: Path) -> None:
    network, row_shape = trained(name)
    dataset = load("digits")
    train = np.arange(900)
    scaling = fit_scaling(dataset, "standardize", train)
    program = program_for(network, scaling, row_shape, dataset.x[:300])
    written = write_program(program, as_rows(dataset.x[:2], torch.float32), tmp_path / f"net.{form}", form)
    for rows in (1, 7, 300):
        inputs = torch.from_numpy(scaled(IMAGES[:rows], scaling)).reshape(-1, *row_shape)
        with torch.no_grad():
            wanted = network(inputs).reshape(rows, -1)
        found = written.outputs(torch.from_numpy(IMAGES[:rows]).float())
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=1e-5)


def test_rows_are_doubles_where_single_precision_would_scale_them_otherwise() -> None:
    rows = 1e6 + np.random.default_rng(0).normal(size=(40, 3))
    from ceteris.data.scaling import Scaling

    scaling = Scaling(rows.mean(axis=0), rows.std(axis=0), estimated=True)
    program = program_for(nn.Identity(), scaling, (3,), rows)
    assert program.shift.dtype == torch.float64
    np.testing.assert_array_equal(program(torch.from_numpy(rows)), scaled(rows, scaling))
    assert program_for(nn.Identity(), Scaling(0.0, 16.0), (64,), IMAGES).shift.dtype == torch.float32


def test_a_program_of_a_table_fills_what_is_missing_and_passes_over_unknown_categories() -> None:
    from ceteris.data.scaling import Scaling

    scaling = Scaling(np.array([10.0, 0, 0]), np.array([2.0, 1, 1]), estimated=True, absent=(2,))
    program = Program(nn.Identity(), scaling, (3,), torch.float64)
    rows = np.array([[14.0, 1, 0], [np.nan, 0, 1]])
    found = program(torch.from_numpy(rows))
    np.testing.assert_array_equal(found, [[2, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found, scaled(rows, scaling))


def test_a_trained_network_is_written_with_its_preparation(result: Result, tmp_path: Path) -> None:
    found = result.export(tmp_path / "net.pt2", level=0.5)
    assert found.difference < 1e-5
    assert found.rows == 256
    trial = result.trial(0.5, found.seed)
    scores = {t.seed: t.metrics["val_accuracy"] for t in result.trials if t.level == "0.5"}
    assert scores[found.seed] == max(scores.values())
    program = torch.export.load(found.path).module()
    with torch.no_grad():
        outputs = program(torch.from_numpy(IMAGES[:50]).float())
        wanted = trial.network()(trial.prepare(IMAGES[:50]))
    torch.testing.assert_close(outputs, wanted, atol=1e-5, rtol=1e-5)
    facts = json.loads(found.facts_path.read_text())
    assert facts["input"]["prepared"] == "inside"
    assert facts["input"]["row"] == [8, 8]
    assert facts["input"]["preparation"]["divisor"] == 16
    assert facts["output"]["probabilities"] == "softmax"
    assert facts["output"]["classes"] == [str(n) for n in range(10)]
    assert facts["agreement"] == {
        "rows": 256,
        "largest_difference": found.difference,
        "reader": f"torch {torch.__version__}",
    }


def test_parameters_are_written_by_name_with_what_has_to_be_known(result: Result, tmp_path: Path) -> None:
    from safetensors import safe_open

    trial = result.trial(0.001, 2)
    found = trial.export(tmp_path / "deep" / "net.safetensors")
    assert (found.level, found.seed, found.format) == ("0.001", 2, "safetensors")
    with safe_open(found.path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        metadata = file.metadata()
    for name, values in trial.weights().items():
        np.testing.assert_array_equal(tensors[name], values)
    assert json.loads(metadata["input"])["prepared"] == "before"
    assert json.loads(metadata["experiment"])["optimizer"]["lr"] == 0.001


def test_tied_parameters_are_written_once_and_named(tmp_path: Path) -> None:
    from ceteris.api.export.files import read_parameters, write_parameters

    network, _ = trained("tied")
    tied = write_parameters(network, {}, tmp_path / "net.safetensors")
    read = read_parameters(tmp_path / "net.safetensors")
    assert tied
    assert read.keys() | tied.keys() == network.state_dict().keys()
    assert not read.keys() & tied.keys()
    fresh = NETWORKS["tied"][0]()
    fresh.load_state_dict(read | {name: read[first] for name, first in tied.items()})
    rows = torch.rand(5, 64)
    torch.testing.assert_close(fresh.eval()(rows), network(rows), atol=0, rtol=0)


def test_what_cannot_be_exported_is_told_in_a_sentence(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ceteris.CeterisError, match=r"there is no format `onx`; did you mean `onnx`\?"):
        result.export(tmp_path / "net", "onx")
    with pytest.raises(
        ceteris.CeterisError, match=r"no finished trial with seed 7 \(there are: seed 0 fold 0"
    ):
        result.export(tmp_path / "net.pt2", seed=7)

    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if float(x.sum()) > 0 else x

    program = Program(Odd(), fit_scaling(load("digits"), "none", np.arange(9)), (64,), torch.float32)
    with pytest.raises(ceteris.CeterisError, match="cannot be exported as one program") as told:
        write_program(program, torch.ones(2, 8, 8), tmp_path / "odd.pt2", "pt2")
    assert "\n" not in str(told.value)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(ceteris.CeterisError, match=r'need onnxscript.*pip install "ceteris\[export\]"'):
        check_libraries("onnx")
