"""Data sets of torch and bunches of scikit-learn are the arrays that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_wine
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, random_split

import ceteris
from ceteris.errors import CeterisError

X = torch.arange(24, dtype=torch.float32).reshape(8, 3)
Y = torch.tensor([0, 1] * 4)


class Pairs(Dataset[Any]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> Any:
        return X[place].numpy(), int(Y[place])


class Triples(Pairs):
    def __getitem__(self, place: int) -> Any:
        return X[place], X[place], int(Y[place])


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(Pairs())


def content(data: Any, **more: Any) -> str | None:
    return ceteris.Experiment(data=data, model="linear", **more).data.content


def test_a_data_set_of_torch_is_its_arrays() -> None:
    arrays = content((X, Y))
    assert content(TensorDataset(X, Y)) == content(Pairs()) == content({"source": Pairs()}) == arrays
    part, _ = random_split(TensorDataset(X, Y), [5, 3])
    assert content(part) == content((X[part.indices], Y[part.indices]))
    assert content(Pairs(), test=TensorDataset(X, Y)) == content((X, Y), test=(X, Y)) != arrays


@pytest.mark.parametrize("load", [load_wine, load_diabetes])
@pytest.mark.parametrize("as_frame", [False, True])
def test_a_bunch_of_scikit_learn_is_its_rows_and_names(load: Any, as_frame: bool) -> None:
    bunch = load(as_frame=as_frame)
    experiment = ceteris.Experiment(data={"source": bunch, "scale": "standardize"}, model="linear")
    names = tuple(map(str, getattr(bunch, "target_names", ())))
    dataset = ceteris.Experiment(data=bunch, model="linear").dataset
    assert dataset is not None
    assert experiment.data.scale == "standardize"
    assert dataset.classes == names
    np.testing.assert_array_equal(dataset.x, np.asarray(bunch.data))
    np.testing.assert_array_equal(dataset.y, np.asarray(bunch.target))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (DataLoader(TensorDataset(X, Y)), "give its data set, `data=loader.dataset`, and its `batch_size`"),
        (Triples(), "the items of a Triples are to be pairs of one input and its target; give (X, y)"),
        (TensorDataset(X), "the items of a TensorDataset are to be pairs"),
        (Stream(), "a Stream has no length, so its rows cannot be split; give (X, y)"),
        (
            ([X[:, :1], X[:, 1:]], Y),
            "`x` is 2 arrays, and a network gets one: put several inputs side",
        ),
        ((X, X[:, None, None]), "(rows,) or (rows, outputs): give `y.reshape(len(y), -1)`"),
    ],
)
def test_what_holds_no_rows_with_targets_is_told(data: Any, told: str) -> None:
    with pytest.raises(CeterisError) as refused:
        content(data)
    assert told in str(refused.value)
