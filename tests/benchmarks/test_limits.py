"""What bounds a row: the layers and operations that are counted, and the table."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from benchmarks.contestants import torch_parts
from benchmarks.limits import Layer, layers_of, lines, product
from benchmarks.task import make_task
from benchmarks.workloads import CNN, WORKLOADS

from benchmarks import limits

DIGITS = next(workload for workload in WORKLOADS if workload.source == "digits")


def test_layers_and_their_weights_are_those_of_the_network_that_everybody_trains() -> None:
    task = replace(make_task(DIGITS, None), model=CNN | {"convolutions": [4, 6], "hidden": [12]})
    layers = layers_of(task)
    network = torch_parts.network(task)
    weights = [p.numel() for p in network.parameters() if p.dim() > 1]
    assert [layer.weights for layer in layers] == weights
    assert [layer.side for layer in layers] == [8, 4, 0, 0]


def test_multiplications_of_a_convolution_are_counted_at_every_place() -> None:
    assert Layer(3, 5, 8).multiplications == 3 * 5 * 9 * 64
    assert Layer(3, 5).multiplications == 15


def test_more_products_take_longer() -> None:
    threads = torch.get_num_threads()
    layer = Layer(200, 300)
    forward = product(layer, 64, False, False, "float32")
    everything = product(layer, 64, True, True, "float32")
    assert 0 < forward < everything
    assert torch.get_num_threads() == threads


def test_a_row_is_set_against_what_the_machine_could_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "on_all_cores", lambda *_: limits.Limits(0.5, 0.5, 4e9, 8e9, shared=False))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    row = {
        "workload": DIGITS.name,
        "stack": "10 x 10 members",
        "members": 100,
        "contestants": {"ceteris_study": {"model_epochs_per_second": 1.0}},
    }
    (cells,) = lines({"rows": [row]}, None)
    assert cells[1:] == ["1", "4 (25%)", "2 (50%)", "2 of 8"]
