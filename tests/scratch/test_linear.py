"""Linear regression, its Newton step, and the perceptron."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ceteris.scratch import functions, linear_regression, perceptron
from ceteris.scratch.training import train_epoch


def noisy_line() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 2, generator=generator, dtype=torch.float64)
    noise = 0.01 * torch.randn(1000, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([2.0, -3.4], dtype=torch.float64) + 4.2 + noise


def test_three_epochs_recover_the_coefficients() -> None:
    x, y = noisy_line()
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for _ in range(3):
        train_epoch(
            lambda r: functions.squared_loss(x[r] @ w + b, y[r]), (w, b), torch.arange(1000), 10, 0.03
        )
    np.testing.assert_allclose([*w.tolist(), b.item()], [2, -3.4, 4.2], atol=0.01)


def test_the_gradient_by_hand_is_that_of_autograd() -> None:
    x, y = noisy_line()
    w = torch.tensor([0.3, 0.1], dtype=torch.float64, requires_grad=True)
    b = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad(functions.squared_loss(x @ w + b, y), (w, b))
    torch.testing.assert_close(linear_regression.gradient(x, y, w, b), expected)


def test_one_newton_step_ends_at_the_least_squares_solution() -> None:
    x, y = noisy_line()
    start = torch.tensor([50.0, -9.0], dtype=torch.float64), torch.tensor(7.0, dtype=torch.float64)
    w, b = linear_regression.newton_step(x, y, *start)
    expected = np.linalg.lstsq(np.column_stack([x, np.ones(1000)]), y.numpy(), rcond=None)[0]
    np.testing.assert_allclose([*w.tolist(), b.item()], expected, rtol=1e-10)


def test_a_newton_step_with_two_equal_columns_still_fits_best() -> None:
    x, y = noisy_line()
    twice = torch.cat([x, x[:, :1]], dim=1)
    w, b = linear_regression.newton_step(twice, y, torch.zeros(3, dtype=torch.float64), b=y.new_zeros(()))
    by_w, by_b = linear_regression.gradient(twice, y, w, b)
    assert float(by_w.abs().max()) < 1e-10
    assert abs(float(by_b)) < 1e-10
    assert abs(float(w[0] - w[2])) < 1e-10


def two_clouds() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    signs = torch.where(torch.arange(60) % 2 == 0, 1.0, -1.0).double()
    x = torch.randn(60, 2, generator=generator, dtype=torch.float64) + 4 * signs[:, None]
    return x, signs


def test_the_perceptron_is_gradient_descent_with_batch_size_one() -> None:
    x, signs = two_clouds()
    w, b, _ = perceptron.perceptron_epoch(x, signs, torch.ones(2).double(), torch.ones(()).double())
    v = torch.ones(2, dtype=torch.float64, requires_grad=True)
    c = torch.ones((), dtype=torch.float64, requires_grad=True)
    train_epoch(lambda r: functions.perceptron_loss(x[r] @ v + c, signs[r]), (v, c), torch.arange(60), 1, 1.0)
    torch.testing.assert_close((w, b), (v.detach(), c.detach()))


@given(st.integers(0, 2**31 - 1), st.integers(1, 9))
def test_corrections_are_the_negative_gradient_of_the_perceptrons_loss(seed: int, rows: int) -> None:
    drawn = torch.Generator().manual_seed(seed)
    x, w, b = (torch.randn(size, generator=drawn, dtype=torch.float64) for size in ((rows, 3), (3,), ()))
    signs = torch.randint(0, 2, (rows,), generator=drawn).double() * 2 - 1
    w, b = w.requires_grad_(), b.requires_grad_()
    functions.perceptron_loss(x @ w + b, signs).backward()
    by_w, by_b = perceptron.corrections(x, signs, (x @ w + b).detach())
    torch.testing.assert_close(by_w, -w.grad)
    torch.testing.assert_close(by_b, -b.grad)


def test_corrections_of_one_row_are_the_rule_of_the_perceptron() -> None:
    x, signs = two_clouds()
    w, b = torch.ones(2).double(), torch.ones(()).double()
    expected = perceptron.perceptron_epoch(x.double(), signs, w, b)
    for row, sign in zip(x.double(), signs, strict=True):
        by_w, by_b = perceptron.corrections(row[None], sign[None].double(), (row @ w + b)[None])
        w, b = w + by_w, b + by_b
    assert torch.equal(w, expected[0])
    assert torch.equal(b, expected[1])


def test_the_perceptron_separates_two_clouds_and_never_xor() -> None:
    assert perceptron.train_perceptron(*two_clouds(), epochs=100)[2] == 0
    corners = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    signs = torch.tensor([-1.0, -1.0, 1.0, 1.0])
    assert perceptron.train_perceptron(corners, signs, epochs=200)[2] > 0
    assert not perceptron.separable(corners.double().numpy(), signs.numpy().astype(np.int64))


def test_linear_classifiers_shatter_one_point_more_than_there_are_dimensions() -> None:
    rng = np.random.default_rng(0)
    for dimension in (1, 2, 3):
        points = perceptron.simplex(dimension)
        assert perceptron.shatters(points)
        for _ in range(5):
            assert not perceptron.shatters(rng.normal(size=(dimension + 2, dimension)))
    assert not perceptron.shatters(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))


def test_a_perceptron_begins_from_weights_of_zero() -> None:
    score = torch.zeros(3, requires_grad=True)
    functions.perceptron_loss(score, torch.tensor([1.0, -1.0, 1.0])).backward()
    assert score.grad is not None
    assert torch.equal(score.grad, torch.tensor([-1.0, 1.0, -1.0]) / 3)
