"""Batch norm and pooling of built-in networks on the processor are torch's, forwards and backwards."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ceteris.train.cpu.channel_norm import normalise
from ceteris.train.modules.norms import RowNorm, replace_norms
from ceteris.train.modules.pooling import HalvingPool, replace_pools

SEEDS = st.integers(0, 2**31)
ROWS, CHANNELS, SIDES = st.integers(2, 9), st.integers(1, 70), st.integers(2, 9)


def numbers(seed: int, *shape: int) -> Tensor:
    """Return images with the channels of a pixel together, or rows; far from zero and of unequal spread."""
    draw = torch.Generator().manual_seed(seed)
    x = 3 + torch.randn(shape, generator=draw, dtype=torch.float64) * torch.rand(
        (1, shape[1], *(1 for _ in shape[2:])), generator=draw, dtype=torch.float64
    )
    return x.to(memory_format=torch.channels_last) if len(shape) == 4 else x


def both(norm: nn.Module, *, relu: bool) -> tuple[nn.Sequential, nn.Sequential]:
    """Return a norm with random parameters, and the same with the kernels in its place."""
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64))
    plain = nn.Sequential(norm, nn.ReLU() if relu else nn.Tanh()).double()
    own = copy.deepcopy(plain)
    replace_norms(own, ())
    assert isinstance(own[0], RowNorm)
    return plain, own


def gradients(module: nn.Module, x: Tensor, pull: Tensor) -> list[Tensor]:
    own = x.clone(memory_format=torch.preserve_format).requires_grad_()
    y = module(own)
    found = torch.autograd.grad((y * pull).sum(), [own, *module.parameters()])
    return [y.detach(), *found]


def assert_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-9, atol=1e-9)


@settings(max_examples=30)
@given(SEEDS, ROWS, CHANNELS, SIDES, SIDES, st.booleans(), st.booleans())
def test_batch_norm_is_torchs(
    seed: int, rows: int, channels: int, height: int, width: int, images: bool, relu: bool
) -> None:
    norm = nn.BatchNorm2d(channels, momentum=0.3) if images else nn.BatchNorm1d(channels, eps=1e-3)
    plain, own = both(norm, relu=relu)
    shape = (rows, channels, height, width) if images else (rows, channels)
    for step in range(2):
        x, pull = numbers(seed + step, *shape), numbers(seed + 7, *shape)
        assert_same(gradients(own, x, pull), gradients(plain, x, pull))
    assert_same(list(own.buffers()), list(plain.buffers()))
    plain.eval(), own.eval()
    with torch.no_grad():
        torch.testing.assert_close(own(x), plain(x), rtol=1e-9, atol=1e-9)
    assert_same(gradients(own, x, pull), gradients(plain, x, pull))


def test_many_rows_far_from_zero_keep_their_variance_in_single_precision() -> None:
    # E[x^2] - E[x]^2 in single precision would have no digit left.
    x = (1e4 + torch.randn(64, 32, 28, 28)).to(memory_format=torch.channels_last)
    norm = RowNorm(nn.BatchNorm2d(32, momentum=1.0), cuts=False)
    y = norm(x)
    exact = x.double()
    torch.testing.assert_close(norm.running_var.double(), exact.var(dim=(0, 2, 3)), rtol=1e-4, atol=0)
    assert float(y.detach().std()) == pytest.approx(1.0, abs=1e-3)


def test_what_is_not_a_number_stays_so_behind_the_relu() -> None:
    x = numbers(0, 4, 3)
    x[2, 1] = float("nan")
    plain, own = both(nn.BatchNorm1d(3), relu=True)
    np.testing.assert_array_equal(own(x).detach().isnan(), plain(x).detach().isnan())
    assert own(x).detach()[:, 1].isnan().all()


def test_other_layouts_and_float16_go_through_torch() -> None:
    plain, own = both(nn.BatchNorm2d(5), relu=True)
    x = numbers(3, 4, 5, 6, 7).contiguous()
    assert not x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(own(x), plain(x))
    few, same = copy.deepcopy(own).float(), copy.deepcopy(plain).float()
    with torch.autocast("cpu", dtype=torch.float16):
        assert torch.equal(few(x.half()), same(x.half()))
    with pytest.raises(ValueError, match="more than 1 value"):
        own(x[:1, :, :1, :1])


@settings(max_examples=20)
@given(SEEDS, ROWS, CHANNELS, SIDES)
def test_bfloat16_is_rounded_once_from_single_precision(
    seed: int, rows: int, channels: int, side: int
) -> None:
    x = numbers(seed, rows, channels, side, side).bfloat16()
    pull = numbers(seed + 1, rows, channels, side // 2, side // 2).bfloat16()
    exact = nn.Sequential(nn.BatchNorm2d(channels), nn.MaxPool2d(2))
    few = copy.deepcopy(exact)
    replace_norms(few, ())
    replace_pools(few)
    ours, theirs = gradients(few, x, pull), gradients(exact, x.float(), pull.float())
    assert ours[0].dtype == ours[1].dtype == torch.bfloat16
    assert ours[2].dtype == torch.float32
    torch.testing.assert_close(ours[0].float(), theirs[0], rtol=2**-8, atol=1e-3)
    for own, other in zip(few.buffers(), exact.buffers(), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)


@given(st.floats(width=32))
def test_bits_of_bfloat16_are_torchs(value: float) -> None:
    expected = torch.tensor(value).bfloat16()
    out = np.zeros((1, 1), np.uint16)
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    normalise(np.array([[value]], np.float32), zero, one, zero, False, out)
    found = torch.from_numpy(out.view(np.int16))[0, 0].view(torch.bfloat16)
    # x + 0 loses the sign of a zero; a number that is none has many bits.
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


def test_what_stands_in_several_places_or_is_watched_stays_as_it_is() -> None:
    norm = nn.BatchNorm1d(4)
    twice = nn.Sequential(norm, nn.ReLU(), norm, nn.ReLU())
    replace_norms(twice, ())
    assert [type(layer) for layer in twice] == [nn.BatchNorm1d, nn.ReLU] * 2
    watched = nn.Sequential(nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()))
    replace_norms(watched, ["0.0"])
    inner = watched[0]
    assert isinstance(inner, nn.Sequential)
    assert isinstance(inner[1], nn.ReLU)
    assert isinstance(inner[0], RowNorm)
    assert not inner[0].cuts


@settings(max_examples=30)
@given(SEEDS, ROWS, CHANNELS, SIDES, SIDES, st.booleans())
def test_pooling_by_halves_is_torchs(
    seed: int, rows: int, channels: int, height: int, width: int, coarse: bool
) -> None:
    module = nn.Sequential(nn.MaxPool2d(2))
    own = copy.deepcopy(module)
    replace_pools(own)
    assert isinstance(own[0], HalvingPool)
    x = numbers(seed, rows, channels, height, width)
    if coarse:  # equal pixels: the first is taken
        x = x.round()
    if seed % 3 == 0:
        x[0, 0, 0, 1] = float("nan")
    pull = numbers(seed + 1, rows, channels, height // 2, width // 2)
    for ours, theirs in zip(gradients(own, x, pull), gradients(module, x, pull), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_pools_stay_as_they_are() -> None:
    pools = nn.Sequential(nn.MaxPool2d(3), nn.MaxPool2d(2, stride=1), nn.MaxPool2d(2, padding=1))
    replace_pools(pools)
    assert all(type(pool) is nn.MaxPool2d for pool in pools)
