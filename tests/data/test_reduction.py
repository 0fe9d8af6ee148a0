"""Rows made smaller or larger one by one, held to torch's pooling and interpolation."""

import numpy as np
import pytest
import torch
from scipy import stats

from ceteris.data import Preparation, arrays, load, load_test, prepare_rows
from ceteris.data.reduction import Reduction, split_reading
from ceteris.errors import CeterisError
from ceteris.spec import DataSpec

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 20), dtype=np.uint8)


@pytest.mark.parametrize("size", [(16, 8), (14, 10), (1, 1), (28, 20), (9, 7)])
def test_smaller_images_are_those_of_adaptive_average_pooling(size):
    found = Reduction(resize=size).rows(IMAGES, "own")
    theirs = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(IMAGES).double()[:, None], size)
    np.testing.assert_allclose(found, theirs[:, 0], rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("size", [(56, 40), (29, 33), (64, 64)])
def test_larger_images_are_those_of_bilinear_interpolation(size):
    found = Reduction(resize=size).rows(IMAGES, "own")
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(IMAGES).double()[:, None], size, mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(found, theirs[:, 0], rtol=1e-6, atol=1e-4)


def test_channels_stay_where_they_are():
    last = np.stack([IMAGES, IMAGES // 2, IMAGES // 3], axis=-1)
    first = np.moveaxis(last, -1, 1)
    a, b = (Reduction(resize=(14, 10)).rows(x, "own") for x in (last, first))
    assert (a.shape, b.shape) == ((5, 14, 10, 3), (5, 3, 14, 10))
    np.testing.assert_array_equal(np.moveaxis(a, -1, 1), b)


def test_a_projection_keeps_distances_about_as_they_are():
    x = np.random.default_rng(1).normal(size=(60, 500))
    found = Reduction(project=200).rows(x, "own")
    before, after = (np.linalg.norm(v[:, None] - v, axis=-1)[np.triu_indices(60, 1)] for v in (x, found))
    ratio = after / before
    assert abs(ratio.mean() - 1) < 0.03
    assert ratio.std() < 2 / np.sqrt(2 * 200)
    np.testing.assert_array_equal(Reduction(project=200).rows(x[:7], "own"), found[:7])
    weights = np.sqrt(200) * Reduction(project=200).rows(np.eye(500), "own")
    assert stats.kstest(weights.ravel(), "norm").pvalue > 0.001


def test_training_and_test_rows_are_reduced_alike_and_the_content_tells_it():
    spec = DataSpec(source="digits", resize=[4, 2])
    small, whole = load(spec.reading), load("digits")
    assert (small.shape, small.features) == ((4, 2), 8)
    np.testing.assert_allclose(small.x, whole.x.reshape(-1, 4, 2, 2, 4).mean(axis=(2, 4)))
    np.testing.assert_allclose(
        load_test(spec.reading)[0], load_test("digits")[0].reshape(-1, 4, 2, 2, 4).mean(axis=(2, 4))
    )
    other = load(DataSpec(source="digits", resize=[2, 4]).reading)
    assert len({small.content, whole.content, other.content}) == 3
    prepared = Preparation(small).prepare(spec, 0)
    np.testing.assert_allclose(prepared.x, small.x.reshape(-1, 8) / 16, rtol=1e-6)
    np.testing.assert_array_equal(prepare_rows(small.x, prepared.fitted), prepared.x)


def test_a_reading_comes_apart_again():
    spec = DataSpec(source="polynomial", parameters={"features": 9}, project=3)
    base, reduction = split_reading(spec.reading)
    assert base == 'polynomial?{"features": 9}'
    assert reduction == Reduction(project=3)
    assert split_reading("a#b/own.npz") == ("a#b/own.npz", Reduction())
    assert load(spec.reading).shape == (3,)


def test_rows_that_are_no_images_are_refused():
    with pytest.raises(CeterisError) as caught:
        load(DataSpec(source="wine", resize=[4, 4]).reading)
    assert str(caught.value) == (
        "experiment.data.resize: `wine` has rows of shape (13,), which are not images that could be resized; "
        "they need (height, width), with 1 or 3 channels first or last"
    )
    with pytest.raises(CeterisError, match=r"resize: \[4\] is not a size of images"):
        DataSpec(source="digits", resize=[4])


def test_own_arrays_can_be_reduced():
    own = arrays(IMAGES, np.array([0, 1, 0, 1, 0]))
    small = Reduction(resize=(7, 5)).of_dataset(own)
    assert small.before is own
    assert small.value_range == (0, 255)
    assert Reduction(project=4).of_dataset(own).value_range is None
