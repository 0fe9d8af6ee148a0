"""What docs/python.md says of saving and loading, run as it stands there, and what checkpoints hold."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from ceteris.api.result import Result

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def example(heading: str) -> str:
    """The first Python block below a heading of the page."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")
    found = re.search(r"```python\n(.*?)```", rest, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_example_of_the_page_runs(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    names = {"result": result, "x": digits.images[:20], "y": digits.target[:20], "torch": torch}
    exec(example("Parameters, gradients, saving and loading"), names)
    saved = torch.load(tmp_path / "net.pt", weights_only=True)
    weights = result.trials[0].weights()
    assert weights.keys() <= saved.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(saved[name].numpy(), value)


def test_a_whole_network_and_containers_of_tensors_are_saved_as_always(
    result: Result, tmp_path: Path
) -> None:
    network = result.trials[0].network()
    rows = torch.rand(5, 64)
    torch.save(network, tmp_path / "net.pt")
    again = torch.load(tmp_path / "net.pt", weights_only=False)  # our own file of a moment ago
    torch.testing.assert_close(again(rows), network(rows), atol=0, rtol=0)
    tensors = list(network.parameters())
    torch.save({"list": tensors, "dictionary": dict(network.named_parameters())}, tmp_path / "all.pt")
    read = torch.load(tmp_path / "all.pt", weights_only=True)
    assert all(torch.equal(a, b) for a, b in zip(read["list"], tensors, strict=True))
    assert read["dictionary"].keys() == dict(network.named_parameters()).keys()
