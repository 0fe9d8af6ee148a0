"""Augmented training images: geometry held to torch, draws to their keys, training to a plain loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.draws import stream_key, uniforms
from ceteris.spec.augment import Augment
from ceteris.train.augmented import inverse_maps, uniforms_at
from ceteris.train.engine import Engine
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.warp import warp

from .runs import Train, plan, run_plans

ALL = {"flip": True, "shift": 2, "scale": 0.2, "rotate": 30}
CNN = {"kind": "cnn", "convolutions": [4], "hidden": [8]}


def by_torch(images: torch.Tensor, settings: dict[str, Any], drawn: np.ndarray) -> torch.Tensor:
    """Warp (n, channels, h, w) by affine_grid and grid_sample; theta is the inverse of a forward matrix."""
    height, width = images.shape[-2:]
    size = 1 + settings.get("scale", 0) * (2 * drawn[:, 3] - 1)
    angle = math.radians(settings.get("rotate", 0)) * (2 * drawn[:, 4] - 1)
    most = settings.get("shift", 0)
    down, right = (np.floor(drawn[:, c] * (2 * most + 1)) - most for c in (1, 2))
    mirror = np.where(settings.get("flip", False) & (drawn[:, 0] < 0.5), -1.0, 1.0)
    zero, one = np.zeros_like(size), np.ones_like(size)

    def stack(*rows: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.moveaxis(np.array(rows), -1, 0)

    turn = stack(
        (size * np.cos(angle), -size * np.sin(angle), right),
        (size * np.sin(angle), size * np.cos(angle), down),
        (zero, zero, one),
    )
    flip = stack((mirror, zero, zero), (zero, one, zero), (zero, zero, one))
    inverse = np.linalg.inv(turn @ flip)
    to_pixels = np.diag([width / 2, height / 2, 1])
    theta = np.linalg.inv(to_pixels) @ inverse @ to_pixels
    grid = nn.functional.affine_grid(torch.from_numpy(theta[:, :2]), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images.double(), grid, padding_mode="zeros", align_corners=False)


@pytest.mark.parametrize(
    "settings", [{"flip": True}, {"shift": 3}, {"scale": 0.3}, {"rotate": 45}, ALL], ids=str
)
@pytest.mark.parametrize(("channels", "first"), [(1, False), (3, True), (3, False)])
def test_images_are_changed_as_torch_changes_them(
    settings: dict[str, Any], channels: int, first: bool
) -> None:
    height, width, n = 9, 12, 20
    random = np.random.default_rng(0)
    images = random.uniform(size=(n, channels, height, width)).astype(np.float32)
    drawn = random.uniform(size=(n, 8))
    rows = images if first else np.moveaxis(images, 1, -1)
    x = np.concatenate([rows.reshape(n, -1), np.full((n, channels * height * width), 7, np.float32)])
    maps = inverse_maps(Augment(**settings), drawn)
    warp(x, np.arange(n), n + np.arange(n), maps, height, width, channels, first, np.float32(0))
    found = x[n:].reshape(rows.shape)
    found = found if first else np.moveaxis(found, -1, 1)
    theirs = by_torch(torch.from_numpy(images), settings, drawn)
    np.testing.assert_allclose(found, theirs, atol=2e-6)
    np.testing.assert_array_equal(x[:n], rows.reshape(n, -1))


def test_flips_and_shifts_copy_pixels_to_the_bit_and_fill_with_the_background() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5) + 1
    x = np.stack([image.ravel(), np.zeros(20, np.float32)])
    drawn = np.array([[0.1, 0.99, 0.01, 0.5, 0.5]])  # mirrored, one down, one to the left
    maps = inverse_maps(Augment(flip=True, shift=1), drawn)
    warp(x, np.array([0]), np.array([1]), maps, 4, 5, 1, False, np.float32(-1))
    expected = np.full((4, 5), -1, np.float32)
    expected[1:, :4] = image[:, ::-1][:3, 1:]
    np.testing.assert_array_equal(x[1].reshape(4, 5), expected)


def test_draws_are_those_of_the_row_whatever_stands_beside_it() -> None:
    everyone = uniforms(stream_key(3, "augment"), 50, 8, epoch=2)
    rows = np.array([41, 7, 7, 0])
    np.testing.assert_array_equal(uniforms_at(3, 2, rows), everyone[rows])


def data(**augment: Any) -> dict[str, Any]:
    return {"source": "digits", "augment": augment}


@pytest.mark.parametrize("settings", [{}, {"model": CNN, "last_batch": "fill"}], ids=["compiled", "module"])
def test_members_do_not_depend_on_their_neighbours(train: Train, settings: dict[str, Any]) -> None:
    trials = [
        plan("plain", **settings),
        plan("all", data=data(**ALL), **settings),
        plan("again", data=data(**ALL), **settings),
        plan("flip", data=data(flip=True), **settings),
        plan("nothing", data=data(shift=0), **settings),
        plan("other", seed=1, data=data(**ALL), **settings),
    ]
    together = train(*trials)
    for one in trials:
        np.testing.assert_array_equal(train(one).final(one.identity), together.final(one.identity))
    np.testing.assert_array_equal(together.final("all"), together.final("again"))
    np.testing.assert_array_equal(together.final("plain"), together.final("nothing"))
    assert (together.final("all") != together.final("flip")).any()
    assert (together.final("plain") != together.final("flip")).any()
    np.testing.assert_array_equal(
        together.ended["plain"].initial["head.weight"], together.ended["all"].initial["head.weight"]
    )


@pytest.mark.parametrize("scale", ["unit", "symmetric"])
def test_training_equals_a_plain_loop_over_changed_images(scale: str) -> None:
    preparation = Preparation(load("digits"))
    one = plan("one", model={"kind": "linear"}, data=data(**ALL) | {"scale": scale}, batch_size=50, epochs=2)
    own = preparation.prepare(one.experiment.data, one.seed)
    outcome = run_plans([one], preparation)
    network = nn.Linear(64, 10)
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(outcome.ended["one"].initial["head.weight"]))
        network.bias.copy_(torch.from_numpy(outcome.ended["one"].initial["head.bias"]))
    raw = torch.from_numpy(preparation.dataset.x.astype(np.float64))[:, None] / 16
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(2):
        order = epoch_order(one.seed, one.fold, own.split.train, epoch)
        drawn = uniforms(stream_key(one.seed, "augment"), len(raw), 8, epoch=epoch)
        for start in range(0, len(order), 50):
            rows = order[start : start + 50]
            changed = by_torch(raw[rows], ALL, drawn[rows]).reshape(len(rows), 64)
            x = (changed if scale == "unit" else (changed - 0.5) / 0.5).float()
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x), torch.from_numpy(own.y[rows])).backward()
            optimizer.step()
    np.testing.assert_allclose(
        outcome.ended["one"].final["head.weight"], network.weight.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    x, y = torch.from_numpy(own.x[own.train_slice]), torch.from_numpy(own.y[own.train_slice])
    loss = nn.functional.cross_entropy(network(x), y).item()  # of the images as they are
    assert outcome.curve("one", "train_loss")[-1] == pytest.approx(loss, rel=1e-4)


def test_the_tensor_engine_reads_the_same_changed_images(
    train: Train, digits: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = [plan("all", data=data(**ALL)), plan("plain"), plan("other", seed=1, data=data(**ALL))]
    compiled = train(*trials)

    def engine(spec: Any, stack: Any, device: str) -> Engine:
        return TensorEngine(spec, stack, device)

    monkeypatch.setattr("ceteris.train.training.built_in_engine", engine)
    torched = run_plans(trials, digits)
    for one in trials:
        np.testing.assert_allclose(
            torched.final(one.identity), compiled.final(one.identity), rtol=2e-3, atol=2e-5
        )
