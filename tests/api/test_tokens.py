"""Tokens: whole numbers that reach a network of the user's own as they are, for an embedding to look up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ceteris
from ceteris.errors import CeterisError

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 20, (60, 7))
LABELS = ((TOKENS < 5).sum(axis=1) > 1).astype(int)


class Reader(nn.Module):
    def __init__(self, words: int = 20) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 6, padding_idx=0)
        self.read = nn.GRU(6, 8, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.read(self.words(x))[0].mean(dim=1))
        return outputs


def experiment(x: Any = TOKENS, scale: str = "none", **settings: Any) -> ceteris.Experiment:
    data = {"source": (x, LABELS), "scale": scale, "validation": 0}
    given = {"model": {"name": Reader, "input": "integers"}, "batch_size": 60, "epochs": 2} | settings
    return ceteris.Experiment(data=data, optimizer={"kind": "sgd", "lr": 0.5}, **given)


def test_an_embedding_trains_as_in_a_plain_loop(tmp_path: Path) -> None:
    result = ceteris.run(experiment(), seeds=1, runs_dir=tmp_path, progress=False)
    (trial,) = result.trials
    network, x, y = trial.network("initial").train(), torch.from_numpy(TOKENS), torch.from_numpy(LABELS)
    optimizer = torch.optim.SGD(network.parameters(), 0.5)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    trained = trial.network()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(trained.get_parameter(name), parameter, rtol=1e-5, atol=1e-6)
    probabilities = network.eval()(x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(result.predict(TOKENS).values, probabilities, atol=1e-5)
    torch.testing.assert_close(trained(trial.prepare(TOKENS)), trained(x))
    assert "unit scale" not in repr(result)
    exported = trial.export(tmp_path / "reader.pt2")
    program = torch.export.load(exported.path).module()
    torch.testing.assert_close(program(x.float()), trained(x))
    with pytest.raises(CeterisError, match=r"the network fails on these rows: "):
        result.predict(TOKENS + 1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            experiment(scale="unit"),
            "data.scale: `unit` leaves no whole numbers, which `model.input: ",
        ),
        (experiment(TOKENS + 0.5), "model.input: the inputs of `arrays` are not whole numbers"),
        (experiment(TOKENS + 1), "with whole numbers from 1 to 20, as the data has them: IndexError"),
        (
            experiment(scale="unit", model=Reader),
            "with `model.input: integers` and `data.scale: none` it takes them",
        ),
    ],
)
def test_what_no_embedding_can_look_up_is_refused(wrong: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(CeterisError) as refused:
        ceteris.run(wrong, seeds=1, runs_dir=tmp_path, progress=False)
    assert told in str(refused.value)
