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


def test_1_a_schedule_acts_and_one_that_never_did_is_told(run: Run) -> None:
    result = run(
        {
            "schedule": {
                "never": {"schedule": {"kind": "step", "step_size": 50}},
                "acts": {"schedule": {"kind": "step", "step_size": 1}},
            }
        }
    )
    np.testing.assert_allclose(result.trial("acts").curves["lr"], [0.1, 0.01, 0.001])
    assert "The schedule never changed the learning rate: never." in result.assessment.notes


def test_4_every_level_starts_from_the_weights_of_its_seed(run: Run) -> None:
    together = run({"optimizer.lr": [0.1, 0.01]})
    alone = run({"optimizer.lr": [0.01, 0.5]})
    starts = [trial.weights("initial") for trial in together.trials if trial.seed == 1]
    for name, tensor in starts[0].items():
        np.testing.assert_array_equal(tensor, starts[1][name])
    for name, tensor in together.trial(0.01, 1).weights().items():
        np.testing.assert_array_equal(tensor, alone.trial(0.01, 1).weights()[name])


@pytest.mark.parametrize(
    ("output", "loss", "words"),
    [
        (["softmax"], "cross_entropy", "The outputs are a softmax already"),
        (["relu", "softmax"], "mse", "A ReLU stands on the outputs"),
    ],
)
def test_6_outputs_are_logits_and_other_heads_are_told(
    output: list[str], loss: str, words: str, run: Run
) -> None:
    plain = run(seeds=1, epochs=1)
    assert list(plain.trials[0].network().output) == []
    odd = run(seeds=1, epochs=1, model={"kind": "mlp", "hidden": [8], "output": output}, loss=loss)
    assert any(note.startswith(words) for note in odd.assessment.notes)
    assert not any(note.startswith(words) for note in plain.assessment.notes)


def test_7_masks_drop_the_share_that_was_asked_for_and_keep_the_mean() -> None:
    from ceteris.draws import stream_key

    for p in (0.2, 0.5, 0.9):
        kept = mask(stream_key(0, "dropout", "hidden.0"), p, 2000, 100, Clock(), np.dtype(np.float64))
        assert (kept == 0).mean() == pytest.approx(p, abs=0.005)
        assert kept.mean() == pytest.approx(1, abs=0.02)


def test_9_every_batch_is_one_step_of_the_optimiser(run: Run) -> None:
    """Three epochs of 13 batches written out by hand from the recorded start end where the trial ends."""
    result = run(seeds=1, model="linear", data={"source": "digits", "rows": 400})
    x, y, train, _ = digits_of(result, "base", 0)
    network = result.trials[0].network("initial").train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(3):
        order = torch.from_numpy(epoch_order(0, 0, train, epoch))
        for batch in order.split(32):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    final = result.trials[0].weights()
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


@pytest.mark.parametrize("own", [None, FromThreeLibraries])
def test_22_no_library_s_own_seed_decides_anything(run: Run, own: type[torch.nn.Module] | None) -> None:
    def weights(seed: int) -> list[np.ndarray]:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        before = random.getstate()
        settings = {} if own else {"model": {"kind": "mlp", "hidden": [16], "dropout": 0.5}}
        trial = run(seeds=1, epochs=2, own_model=own, **settings).trials[0]
        assert random.getstate() == before, "what the user draws goes on undisturbed"
        return list(trial.weights().values())

    for one, other in zip(weights(1), weights(2), strict=True):
        np.testing.assert_array_equal(one, other)
