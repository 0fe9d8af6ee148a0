"""Noise and drop-connect: what is drawn, from which keys, and that both engines draw the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from ceteris.data.preparation import Preparation
from ceteris.draws import normals, stream_key, words
from ceteris.nets.architecture import architecture, random_amounts, random_places
from ceteris.spec.model import CNN, MLP, LinearModel
from ceteris.train import training
from ceteris.train.cpu.layers import add_noise
from ceteris.train.cpu.quantile import normal_quantile
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine

from .runs import Train, plan, run_plans


@given(st.integers(0, 2**24 - 1))
def test_the_quantile_is_that_of_scipy(cell: int) -> None:
    share = (cell + 0.5) / 2**24
    assert normal_quantile(share) == pytest.approx(ndtri(share), rel=1e-13, abs=1e-15)


def test_quantiles_far_out() -> None:
    for share in (1e-300, 1e-20, 1e-9, 0.075, 0.925, 1 - 1e-12):
        assert normal_quantile(share) == pytest.approx(ndtri(share), rel=1e-12)


def noise(deviation: float, drawn: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    out = np.empty(drawn.size, dtype)
    add_noise(deviation, drawn.reshape(-1), np.zeros(drawn.size, dtype), out)
    return out


def test_noise_is_the_shared_normal_numbers_times_the_deviation() -> None:
    key = stream_key(3, "noise", "hidden.0")
    drawn = words(key, 20, 7, epoch=2)
    expected = normals(key, 20, 7, epoch=2).reshape(-1)
    for deviation in (0.0, 0.1, 3.0):
        np.testing.assert_allclose(noise(deviation, drawn), deviation * expected, rtol=1e-12, atol=1e-15)


@given(deviation=st.floats(0.01, 5), seed=st.integers(0, 2**31))
@settings(max_examples=25)
def test_noise_has_mean_zero_and_the_deviation_asked_for(deviation: float, seed: int) -> None:
    out = noise(deviation, words(stream_key(seed, "noise", "input"), 200, 500), np.float32)
    assert abs(out.mean()) < 5 * deviation / np.sqrt(out.size)
    assert out.std() == pytest.approx(deviation, rel=5 / np.sqrt(2 * out.size))


def test_places_and_amounts_go_together() -> None:
    spec = MLP(
        hidden=(4, 3),
        dropout=(0.1, 0.2),
        input_dropout=0.3,
        noise=(0.4, 0.5),
        input_noise=0.6,
        drop_connect=0.7,
    )
    amounts = dict(zip(random_places(architecture(spec, 5, 2)), random_amounts(spec), strict=True))
    assert amounts == {
        ("dropout", "input"): 0.3,
        ("dropout", "hidden.0"): 0.1,
        ("dropout", "hidden.1"): 0.2,
        ("noise", "input"): 0.6,
        ("noise", "hidden.0"): 0.4,
        ("noise", "hidden.1"): 0.5,
        ("drop_connect", "hidden.0"): 0.7,
        ("drop_connect", "hidden.1"): 0.7,
    }
    assert random_places(architecture(LinearModel(), 5, 2)) == random_amounts(LinearModel()) == ()
    cnn = CNN(convolutions=(2,), hidden=(4,), dropout=0.5)
    assert random_places(architecture(cnn, 64, 2, (8, 8))) == (("dropout", "hidden.0"),)
    assert random_amounts(cnn) == (0.5,)


def first_gradient(train: Train, **model: Any) -> np.ndarray:
    """The gradient of the first hidden layer's weights at the first step, up to its length."""
    own = plan("t", batch_size=1150, epochs=1, model={"kind": "mlp", "hidden": [16]} | model)
    ended = train(own).ended["t"]
    name = "hidden.0.linear.weight"
    change: np.ndarray = ended.final[name] - ended.initial[name]
    return change


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drop_connect_keeps_the_weights_whose_shared_uniform_reaches_the_rate(
    train: Train, rate: float
) -> None:
    """So masks of two rates are nested. A dropped weight gets no gradient, which shows in what moved."""
    kept = words(stream_key(0, "drop_connect", "hidden.0"), 16, 64) / 2.0**32 >= rate
    moved = first_gradient(train, drop_connect=rate) != 0
    could = first_gradient(train) != 0
    assert not (moved & ~kept).any()
    assert (moved & could).sum() > 0.7 * (kept & could).sum()


def test_drop_connect_equals_a_plain_step(train: Train, digits: Preparation) -> None:
    rate, seed = 0.4, 0
    own = plan("t", batch_size=1150, epochs=1, model={"kind": "mlp", "hidden": [16], "drop_connect": rate})
    ended = train(own).ended["t"]
    prepared = digits.prepare(own.experiment.data, seed)
    rows = epoch_order(seed, 0, prepared.split.train, 0)
    tensors = {n: torch.tensor(t, dtype=torch.float64, requires_grad=True) for n, t in ended.initial.items()}
    drawn = words(stream_key(seed, "drop_connect", "hidden.0"), 16, 64) >> 8
    mask = torch.from_numpy((drawn >= np.ceil(rate * 2**24 - 0.5)) / (1 - rate))
    x = torch.from_numpy(prepared.x[rows]).double()
    weight = tensors["hidden.0.linear.weight"] * mask
    hidden = torch.relu(x @ weight.T + tensors["hidden.0.linear.bias"])
    outputs = hidden @ tensors["head.weight"].T + tensors["head.bias"]
    torch.nn.functional.cross_entropy(outputs, torch.from_numpy(prepared.y[rows])).backward()
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        expected = (tensor - 0.1 * tensor.grad).detach().numpy()
        np.testing.assert_allclose(ended.final[name], expected, rtol=1e-4, atol=1e-6)


def test_drop_connect_masks_anew_at_every_step(train: Train) -> None:
    """With one batch an epoch, both epochs' masks differ: more weights have moved than one mask lets."""
    own = plan("t", batch_size=1150, epochs=2, model={"kind": "mlp", "hidden": [64], "drop_connect": 0.8})
    ended = train(own).ended["t"]
    name = "hidden.0.linear.weight"
    moved = (ended.final[name] != ended.initial[name])[:, 20:24].mean()
    assert moved > 0.3


MODELS: list[dict[str, Any]] = [
    {"noise": 0.3, "input_noise": 0.1},
    {"drop_connect": 0.4, "dropout": 0.2, "noise": [0.2, 0.0]},
    {"layer_norm": True, "activation": "gelu", "drop_connect": [0.0, 0.5]},
]


@pytest.mark.parametrize("model", MODELS)
def test_both_engines_draw_the_same(
    digits: Preparation, train: Train, monkeypatch: pytest.MonkeyPatch, model: dict[str, Any]
) -> None:
    plans = [plan(f"t{seed}", seed=seed, model={"kind": "mlp", "hidden": [16, 8]} | model) for seed in (2, 5)]
    compiled = train(*plans)
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, _: TensorEngine(spec, stack, "cpu"))
    tensors = run_plans(plans, digits)
    for name in ("t2", "t5"):
        np.testing.assert_allclose(tensors.final(name), compiled.final(name), rtol=1e-3, atol=1e-4)
        for curve in ("train_loss", "val_loss", "train_loss_running"):
            np.testing.assert_allclose(tensors.curve(name, curve), compiled.curve(name, curve), rtol=1e-3)


def test_evaluation_draws_nothing(train: Train) -> None:
    still = {"optimizer": {"kind": "sgd", "lr": 1e-12}, "epochs": 1}
    model = {"kind": "mlp", "hidden": [16]}
    noisy = model | {"noise": 1.0, "input_noise": 1.0, "drop_connect": 0.5}
    outcome = train(plan("plain", model=model, **still), plan("noisy", model=noisy, **still))
    assert outcome.curve("noisy", "val_loss") == pytest.approx(outcome.curve("plain", "val_loss"))
    running, plain = (outcome.curve(n, "train_loss_running")[0] for n in ("noisy", "plain"))
    assert running > plain
