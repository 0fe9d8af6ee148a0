"""The why pages: every one is tied to a study that exists, and their numbers are right."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ceteris.errors import CeterisError
from ceteris.nets.architecture import architecture
from ceteris.spec.model import MLP
from ceteris.spec.named import named_paths
from ceteris.why import answer, questions

DOCS = Path(__file__).parents[2] / "docs" / "why"


@pytest.mark.parametrize("name", questions())
def test_every_page_is_short_and_names_a_study_that_exists(name: str) -> None:
    page = answer(name)
    assert page.title.endswith("?")
    assert page.study in named_paths()
    assert 60 < len(page.text.split()) < 300
    assert (DOCS / f"{name}.md").is_file()


def test_a_misspelt_question_is_told_with_the_nearest() -> None:
    with pytest.raises(CeterisError, match="did you mean `small-weights`"):
        answer("smal-weights")


def test_the_size_of_the_hessian_is_as_told() -> None:
    count = architecture(MLP(hidden=(256,)), 784, 10).n_parameters
    assert f"{count:,}" in answer("first-order-or-newton").text
    assert f"{round(count**2 * 4 / 1e9)} GB" in answer("first-order-or-newton").text


def test_the_entropy_of_smoothed_labels_is_as_told() -> None:
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1 / 9))
    assert f"H(p) = {entropy:.3f}" in answer("cross-entropy-or-kl").text


def test_products_of_many_factors_and_the_range_of_half_precision_are_as_told() -> None:
    text = " ".join(answer("vanishing-gradients").text.split())
    for factor, layers in ((0.8, 100), (1.5, 100), (0.25, 30)):
        assert f"{factor}^{layers} = {short(factor**layers)}" in text
    half = np.finfo(np.float16)
    assert f"from {short(half.tiny)} to {half.max:,.0f}" in text
    assert f"nothing below {short(half.smallest_subnormal)}" in text
    assert f"down to {short(np.finfo(np.float32).tiny)}" in text


def short(value: float) -> str:
    """One digit and the power of ten: 2e-10."""
    digit, power = f"{value:.0e}".split("e")
    return f"{digit}e{int(power)}"


def test_the_best_of_equal_candidates_reads_better_by_as_much_as_is_told() -> None:
    text = answer("many-trials").text
    for count in (10, 40, 1000):
        lucky = stats.norm.expect(lambda z, n=count: z * n * stats.norm.cdf(z) ** (n - 1), lb=-9, ub=9)
        assert f"{lucky:.2f} s" in text
