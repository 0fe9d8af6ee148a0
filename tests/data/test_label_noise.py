from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.data.label_noise import noisy_rows, with_label_noise
from ceteris.data.preparation import Preparation
from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec

DIGITS = Preparation(load("digits"))


@given(st.floats(0, 1), st.integers(0, 100), st.sampled_from([None, 50, 500]))
def test_exactly_the_share_of_the_training_labels_is_wrong(share, seed, rows):
    prepared = DIGITS.prepare(DataSpec(source="digits", label_noise=share, rows=rows), seed)
    wrong = np.flatnonzero(prepared.y != DIGITS.dataset.y)
    assert len(wrong) == round(share * len(prepared.split.train)) == prepared.fitted["noisy_labels"]
    assert set(wrong) <= set(prepared.split.train)
    assert prepared.y.min() >= 0
    assert prepared.y.max() <= 9


def test_less_noise_is_part_of_more_noise():
    """The levels of a factor differ in how many labels are wrong, not in which and how."""
    little, much = (DIGITS.prepare(DataSpec(source="digits", label_noise=share), 0).y for share in (0.1, 0.4))
    wrong = little != DIGITS.dataset.y
    np.testing.assert_array_equal(little[wrong], much[wrong])


def test_every_other_class_is_drawn_equally_often():
    """12,000 draws among 3 classes: 4,000 each expected, with a spread of 52."""
    dataset = arrays(np.zeros((16_000, 1)), np.arange(16_000) % 4)
    rows = np.flatnonzero(dataset.y == 2)
    found = np.concatenate([with_label_noise(dataset, rows, seed)[rows] for seed in range(3)])
    counts = np.bincount(found, minlength=4)
    assert counts[2] == 0
    assert abs(counts[[0, 1, 3]] - 4000).max() < 250


def test_the_data_set_keeps_its_labels():
    before = DIGITS.dataset.y.copy()
    DIGITS.prepare(DataSpec(source="digits", label_noise=0.5), 0)
    np.testing.assert_array_equal(DIGITS.dataset.y, before)


def test_seeds_draw_other_rows():
    train = np.arange(1000)
    assert not np.array_equal(
        noisy_rows(DIGITS.dataset, train, 0.1, 0), noisy_rows(DIGITS.dataset, train, 0.1, 1)
    )


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (load("diabetes"), "`diabetes` has numbers to predict; label noise needs classes"),
        (arrays(np.zeros((9, 1)), [0] * 9, name="one"), "`one` has one class; label noise needs at least 2"),
    ],
)
def test_noise_without_classes_to_confuse_is_refused(dataset, message):
    with pytest.raises(CeterisError) as caught:
        Preparation(dataset).prepare(DataSpec(source="x", label_noise=0.1), 0)
    assert str(caught.value) == f"experiment.data.label_noise: {message}"
