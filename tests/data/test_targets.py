"""Targets that are labels, numbers, or look like the other."""

import numpy as np
import pytest

from ceteris.data.targets import like_labels


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([0.0, 1.0] * 60), 2),
        (np.array([[0.0], [1.0]] * 60), 2),
        (np.array([0.0, 1.0] * 9), 0),
        (np.array([0.0, 0.5] * 60), 0),
        (np.arange(120.0), 0),
        (np.array([[0.0, 1.0]] * 60), 0),
    ],
)
def test_few_whole_numbers_look_like_labels(y, classes):
    assert like_labels(y) == classes
