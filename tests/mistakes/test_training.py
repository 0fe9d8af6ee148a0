"""Mistakes 1, 4, 6, 7, 9, 17 and 22 of the catalogue: in the training itself."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from ceteris.api.result import Result
from ceteris.data import Preparation, load
from ceteris.spec.data import DataSpec
from ceteris.train.modules.dropout import Clock, mask
from ceteris.train.streams import epoch_order

from .conftest import Run


def digits_of(
    result: Result, level: str, seed: int
) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]:
    """The prepared rows of a trial, its labels, and its training and validation row numbers."""
    spec = DataSpec.model_validate(result.trial(level, seed).experiment["data"])
    own = Preparation(load("digits")).prepare(spec, seed)
    return torch.from_numpy(own.x), torch.from_numpy(own.y), own.split.train, own.split.validation


def measured_rows(result: Result, level: str, seed: int) -> dict[str, np.ndarray]:
    """The rows of each split that metrics are measured on, by the split's name in a metric."""
    spec = DataSpec.model_validate(result.trial(level, seed).experiment["data"])
    own = Preparation(load("digits")).prepare(spec, seed)
    return {"train": own.train_slice, "val": own.split.validation}


def test_1_a_schedule_acts_and_one_that_never_did_is_told(ways: Result) -> None:
    np.testing.assert_allclose(ways.trial("acts").curves["lr"], [0.1, 0.01, 0.001])
    assert "The schedule never changed the learning rate: never." in ways.assessment.notes


def test_4_every_level_starts_from_the_weights_of_its_seed(run: Run, rates: Result) -> None:
    alone = run({"optimizer.lr": [0.01, 0.5]})
    starts = [trial.weights("initial") for trial in rates.trials if trial.seed == 1]
    for name, tensor in starts[0].items():
        np.testing.assert_array_equal(tensor, starts[1][name])
    for name, tensor in rates.trial(0.01, 1).weights().items():
        np.testing.assert_array_equal(tensor, alone.trial(0.01, 1).weights()[name])


def test_6_outputs_are_logits_and_other_heads_are_told(ways: Result) -> None:
    assert list(ways.trial("plain").network().output) == []
    for words in (
        "The outputs are a softmax already, and cross-entropy takes another (softmax): gradients are small",
        "A ReLU stands on the outputs (cut): where it cuts an output to 0",
    ):
        assert any(note.startswith(words) for note in ways.assessment.notes)


def test_7_masks_drop_the_share_that_was_asked_for_and_keep_the_mean() -> None:
    from ceteris.draws import stream_key

    for p in (0.2, 0.5, 0.9):
        kept = mask(stream_key(0, "dropout", "hidden.0"), p, 2000, 100, Clock(), np.dtype(np.float64))
        assert (kept == 0).mean() == pytest.approx(p, abs=0.005)
        assert kept.mean() == pytest.approx(1, abs=0.02)


def test_9_every_batch_is_one_step_of_the_optimiser(ways: Result) -> None:
    """Three epochs of 13 batches written out by hand from the recorded start end where the trial ends."""
    x, y, train, _ = digits_of(ways, "linear", 0)
    network = ways.trial("linear").network("initial").train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(3):
        order = torch.from_numpy(epoch_order(0, 0, train, epoch))
        for batch in order.split(32):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    final = ways.trial("linear").weights()
    for name, parameter in network.named_parameters():
        np.testing.assert_allclose(final[name], parameter.detach().numpy(), atol=1e-5)


class Watchful(torch.nn.Module):
    """Gives no number where it is evaluated while gradients are recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.head(x.flatten(1))
        recorded = torch.is_grad_enabled() and not self.training
        return outputs * torch.nan if recorded else outputs


def test_17_evaluation_builds_no_graph(run: Run) -> None:
    trial = run(seeds=1, epochs=1, own_model=Watchful).trials[0]
    assert np.isfinite(trial.metrics["val_loss"])
    assert np.isfinite(trial.metrics["train_loss"])


class FromThreeLibraries(torch.nn.Module):
    """Draws its first weights, and noise at every step, from torch, NumPy and Python."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(64, 10)
        with torch.no_grad():
            self.linear.bias.copy_(torch.from_numpy(np.random.normal(size=10)))
            self.linear.bias[0] = random.random()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            x = x * (1 + 0.1 * random.random()) + 0.1 * float(np.random.rand()) + 0.1 * torch.rand(1)
        out: torch.Tensor = self.linear(x.flatten(1))
        return out


def test_22_no_library_s_own_seed_decides_anything(run: Run) -> None:
    levels = {"own": {}, "built in": {"model": {"kind": "mlp", "hidden": [16], "dropout": 0.5}}}

    def weights(seed: int) -> list[np.ndarray]:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        result = run({"network": levels}, seeds=1, epochs=1, own_model=FromThreeLibraries)
        after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        assert after == before, "what the user draws goes on undisturbed"
        assert [trial.level for trial in result.trials] == list(levels)
        return [tensor for trial in result.trials for tensor in trial.weights().values()]

    for one, other in zip(weights(1), weights(2), strict=True):
        np.testing.assert_array_equal(one, other)
