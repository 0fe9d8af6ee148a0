"""The worked examples of the notes, with their numbers, and logits at which naive formulas overflow."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from ceteris.scratch import functions, regularisation
from ceteris.scratch.batch_norm import BatchNorm

LOGITS = torch.tensor(
    [
        [-1.4925, -1.4033, 0.8390, -1.6440, 1.5562],
        [2.0672, -0.3932, -1.2632, 0.6108, 1.3722],
        [-1.5822, -0.0761, 0.3674, -1.7704, 0.1582],
    ]
)


def test_cross_entropy_of_three_rows() -> None:
    labels = torch.tensor([0, 3, 4])
    assert functions.cross_entropy(LOGITS, labels).item() == pytest.approx(2.27229, abs=5e-6)
    by_hand = functions.negative_log_likelihood(functions.log_softmax(LOGITS), labels)
    assert by_hand.item() == functions.cross_entropy(LOGITS, labels).item()


def test_likelihoods_of_given_probabilities() -> None:
    one = functions.negative_log_likelihood(torch.tensor([[0.7, 0.3]]).log(), torch.tensor([0]))
    assert one.item() == pytest.approx(0.3567, abs=5e-5)
    two = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
    found = functions.negative_log_likelihood(two.log(), torch.tensor([0, 2])).item()
    assert found == pytest.approx(-(math.log(0.1) + math.log(0.5)) / 2, rel=1e-6)


def test_binary_cross_entropy_from_logits_and_from_probabilities() -> None:
    logits, targets = torch.tensor([1.70, -0.38, 2.14]), torch.tensor([0.0, 1.0, 0.0])
    assert functions.binary_cross_entropy(logits, targets).item() == pytest.approx(1.67337, abs=5e-6)
    p = functions.sigmoid(logits)
    by_hand = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    assert by_hand.item() == pytest.approx(1.67337, abs=5e-6)


def test_losses_of_numbers() -> None:
    y, found = torch.tensor([2.0, 3.2, 1.9]), torch.tensor([2.1, 3.1, 1.8])
    assert functions.absolute_loss(found, y).item() == pytest.approx(0.1, rel=1e-5)
    smooth = functions.smooth_l1_loss(torch.tensor([0.4, 0.6]), torch.tensor([1.0, 0.0]))
    assert smooth.item() == pytest.approx(0.18, rel=1e-6)
    assert functions.smooth_l1_loss(torch.tensor([3.0]), torch.zeros(1), beta=2.0).item() == 2.0
    assert 2 * functions.squared_loss(found, y).item() == pytest.approx(0.01, rel=1e-4)


def test_the_gradient_of_cross_entropy_is_softmax_minus_the_label() -> None:
    logits, labels = LOGITS.clone().requires_grad_(), torch.tensor([0, 3, 4])
    (found,) = torch.autograd.grad(functions.cross_entropy(logits, labels), logits)
    expected = (functions.softmax(LOGITS) - functional.one_hot(labels, 5)) / 3
    torch.testing.assert_close(found, expected)


def test_a_sigmoid_is_a_softmax_over_zero_and_z() -> None:
    z = torch.linspace(-9, 9, 37)
    pair = functions.softmax(torch.stack([torch.zeros_like(z), z], dim=1))
    torch.testing.assert_close(functions.sigmoid(z), pair[:, 1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_logits_of_ten_thousand_stay_finite(dtype: torch.dtype) -> None:
    logits = torch.tensor([[1e4, -1e4, 0.0]], dtype=dtype)
    assert functions.softmax(logits).tolist() == [[1, 0, 0]]
    assert functions.cross_entropy(logits, torch.tensor([1])).item() == pytest.approx(2e4, rel=1e-3)
    pair = functions.binary_cross_entropy(logits[0, :2], torch.tensor([0, 1], dtype=dtype))
    assert pair.item() == pytest.approx(1e4, rel=1e-3)
    assert functions.sigmoid(logits).tolist() == [[1, 0, 0.5]]


def test_smooth_functions_keep_their_slope_at_0() -> None:
    x = torch.tensor([-1e4, -2.0, -1e-6, 0.0, 1e-6, 2.0, 1e4], requires_grad=True)
    targets = torch.ones(7)
    pairs = [
        (functions.sigmoid(x), torch.sigmoid(x)),
        (functions.tanh(x), torch.tanh(x)),
        (functions.binary_cross_entropy(x, targets), functional.binary_cross_entropy_with_logits(x, targets)),
    ]
    for own, expected in pairs:
        torch.testing.assert_close(own, expected, rtol=1e-6, atol=0)
        slopes = [torch.autograd.grad(y.sum(), x)[0] for y in (own, expected)]
        torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-7)


def test_dropout_of_sixteen_numbers() -> None:
    x, uniform = (
        torch.arange(16.0).reshape(2, 8),
        torch.rand(2, 8, generator=torch.Generator().manual_seed(1)),
    )
    assert torch.equal(regularisation.dropout(x, 0, uniform), x)
    assert torch.equal(regularisation.dropout(x, 1, uniform), torch.zeros(2, 8))
    half = regularisation.dropout(x, 0.5, uniform)
    assert torch.equal(half, torch.where(uniform >= 0.5, 2 * x, 0))


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float) -> None:
    ones = torch.ones(1000, 400)
    dropped = regularisation.dropout(
        ones, p, torch.rand(1000, 400, generator=torch.Generator().manual_seed(0))
    )
    deviation = math.sqrt(p * (1 - p) / ones.numel())
    assert (dropped == 0).double().mean().item() == pytest.approx(p, abs=5 * deviation)
    assert dropped.double().mean().item() == pytest.approx(1, abs=5 * deviation / (1 - p))


def test_penalty_steps_are_gradient_steps_on_the_penalised_loss() -> None:
    weight = torch.tensor([[0.5, -2.0], [1e-3, 3.0]], requires_grad=True)
    gradient, lr, strength = torch.full((2, 2), 0.25), 0.1, 3.0
    for penalty, step in (
        (regularisation.l1_penalty, regularisation.l1_step),
        (regularisation.l2_penalty, regularisation.l2_step),
    ):
        (found,) = torch.autograd.grad((gradient * weight).sum() + strength * penalty(weight), weight)
        torch.testing.assert_close(step(weight, gradient, lr, strength), weight - lr * found)


def test_batch_norm_equals_torch() -> None:
    own, theirs = BatchNorm(6), torch.nn.BatchNorm1d(6)
    generator = torch.Generator().manual_seed(2)
    for _ in range(5):
        x = 3 * torch.randn(10, 6, generator=generator) + 1
        torch.testing.assert_close(own(x, training=True), theirs(x))
    torch.testing.assert_close(own.running_var, theirs.running_var)
    torch.testing.assert_close(own(x, training=False), theirs.eval()(x))
