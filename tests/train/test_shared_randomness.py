"""Law 2: variants of a seed share the rows, the weights and the masks' uniforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.data.preparation import Preparation
from ceteris.draws import stream_key, words
from ceteris.train import training
from ceteris.train.cpu.layers import drop_forward
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.tensor.masks import keep_masks
from ceteris.train.tensor.masks import words as device_words

from .runs import Train, plan, run_plans


def drop(rate: float, drawn: np.ndarray) -> np.ndarray:
    ones = np.ones(drawn.size, np.float32)
    out = np.empty_like(ones)
    drop_forward(rate, drawn.reshape(-1), ones, out)
    return out


@given(rate=st.floats(0, 0.95), seed=st.integers(0, 2**31))
@settings(max_examples=25)
def test_dropout_drops_the_share_asked_for_and_keeps_the_mean(rate: float, seed: int) -> None:
    drawn = words(stream_key(seed, "dropout", "hidden.0"), 200, 500)
    out = drop(rate, drawn)
    n = out.size
    share = np.mean(out == 0)
    assert abs(share - rate) < 5 * np.sqrt(rate * (1 - rate) / n) + 1e-6
    assert abs(out.mean() - 1) < 5 * np.sqrt(rate / (1 - rate) / n) + 1e-6


@given(low=st.floats(0, 0.9), high=st.floats(0, 0.9), seed=st.integers(0, 1000))
@settings(max_examples=25)
def test_masks_of_two_rates_are_nested(low: float, high: float, seed: int) -> None:
    low, high = sorted((low, high))
    drawn = words(stream_key(seed, "dropout", "hidden.0"), 20, 33)
    kept_low, kept_high = drop(low, drawn) > 0, drop(high, drawn) > 0
    assert not (kept_high & ~kept_low).any()


def test_edges_of_dropout() -> None:
    drawn = words(stream_key(0, "dropout", "x"), 8, 8)
    assert (drop(0.0, drawn) == 1).all()
    assert set(np.unique(drop(0.5, drawn))) == {0.0, 2.0}


@given(
    columns=st.integers(1, 70), rows=st.integers(1, 5), epoch=st.integers(0, 9), first=st.integers(0, 10**6)
)
@settings(max_examples=30)
def test_masks_on_a_device_are_those_of_the_compiled_kernels(
    columns: int, rows: int, epoch: int, first: int
) -> None:
    key = stream_key(7, "dropout", "hidden.1")
    here = words(key, rows, columns, epoch=epoch, first_row=first)
    there = device_words(torch.tensor([[key.k0, key.k1]]), rows, columns, epoch, first)
    assert np.array_equal(here, there[0].numpy())
    mask = keep_masks(there, torch.tensor([0.3], dtype=torch.float64)).float().numpy()
    np.testing.assert_array_equal(drop(0.3, here), mask.reshape(-1))


def test_masks_do_not_depend_on_the_batch_size() -> None:
    key = stream_key(1, "dropout", "hidden.0")
    whole = words(key, 64, 10, epoch=2)
    halves = [words(key, 32, 10, epoch=2, first_row=start) for start in (0, 32)]
    assert np.array_equal(whole, np.concatenate(halves))


def test_every_row_is_read_once_an_epoch_in_an_order_of_its_own(digits: Preparation) -> None:
    rows = digits.prepare(plan("t").experiment.data, 0).split.train
    first, second = epoch_order(0, 0, rows, 0), epoch_order(0, 0, rows, 1)
    assert np.array_equal(np.sort(first), rows)
    assert np.array_equal(np.sort(second), rows)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, epoch_order(1, 0, rows, 0))


def test_variants_of_a_seed_start_from_the_same_weights(train: Train) -> None:
    outcome = train(
        plan("slow", seed=4, optimizer={"kind": "sgd", "lr": 0.001}),
        plan("fast", seed=4, optimizer={"kind": "adam", "lr": 0.1}),
        plan("other", seed=5),
        plan("wide", seed=4, model={"kind": "mlp", "hidden": [32]}),
    )
    start = {name: ended.initial for name, ended in outcome.ended.items()}
    weight = "hidden.0.linear.weight"
    assert np.array_equal(start["slow"][weight], start["fast"][weight])
    assert not np.array_equal(start["slow"][weight], start["other"][weight])
    assert np.array_equal(start["slow"][weight], start["wide"][weight][:16]), "shared where shapes overlap"


def test_tensor_engine_draws_the_same_masks(
    digits: Preparation, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained on torch tensors, a network with dropout ends where the compiled engine ends, to rounding."""
    model = {"kind": "mlp", "hidden": [16], "dropout": 0.4, "input_dropout": 0.1}
    plans = [plan(f"t{seed}", seed=seed, model=model) for seed in (2, 5)]
    compiled = train(*plans)
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, _: TensorEngine(spec, stack, "cpu"))
    tensors = run_plans(plans, digits)
    for name in ("t2", "t5"):
        np.testing.assert_allclose(tensors.final(name), compiled.final(name), rtol=1e-4, atol=1e-5)
        for curve in ("train_loss", "val_accuracy", "grad_norm", "train_loss_running"):
            np.testing.assert_allclose(tensors.curve(name, curve), compiled.curve(name, curve), rtol=1e-3)
