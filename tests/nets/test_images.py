"""Rows as images, and the convolutional network that is laid out for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ceteris.errors import CeterisError
from ceteris.nets.architecture import Architecture, architecture
from ceteris.nets.images import ImageShape, image_shape
from ceteris.nets.module import as_images
from ceteris.nets.stacked import initial_stack
from ceteris.spec.model import CNN, MLP

CATALOGUE = CNN(convolutions=(32, 64, 128), hidden=(512, 512), batch_norm=True, dropout=0.4)


def laid_out(spec: CNN, shape: tuple[int, ...], n_out: int = 10) -> Architecture:
    return architecture(spec, int(np.prod(shape)), n_out, shape)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((28, 28), ImageShape(1, 28, 28)),
        ((3, 32, 32), ImageShape(3, 32, 32)),
        ((32, 32, 3), ImageShape(3, 32, 32, channels_last=True)),
        ((8, 12, 12), ImageShape(8, 12, 12)),
    ],
)
def test_shapes_are_read_as_images(shape: tuple[int, ...], expected: ImageShape) -> None:
    assert image_shape(shape) == expected


@pytest.mark.parametrize(
    ("shape", "told"), [((13,), "13 numbers in one axis"), ((2, 3, 4, 5), "2 x 3 x 4 x 5")]
)
def test_rows_that_are_no_images_are_refused_in_one_sentence(shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(CeterisError) as caught:
        laid_out(CATALOGUE, shape)
    (problem,) = caught.value.problems
    assert "a cnn reads images, and a row of the data is" in problem.message
    assert told in problem.message
    assert "use an mlp" in problem.message


def test_an_image_that_is_pooled_away_is_refused() -> None:
    with pytest.raises(CeterisError, match="8 x 8 has nothing left after 4 times pooling by 2"):
        laid_out(CNN(convolutions=(4, 4, 4, 4)), (8, 8))
    assert laid_out(CNN(convolutions=(4, 4, 4, 4), pool=1), (8, 8)).parameters[-2].shape == (10, 256)


def test_the_network_of_the_catalogue_has_its_layers_and_parameters() -> None:
    net = laid_out(CATALOGUE, (28, 28))
    shapes = {tensor.name: tensor.shape for tensor in net.parameters}
    assert shapes["convolutions.0.convolution.weight"] == (32, 1, 3, 3)
    assert shapes["convolutions.2.convolution.weight"] == (128, 64, 3, 3)
    assert shapes["hidden.0.linear.weight"] == (512, 1152)
    assert shapes["head.weight"] == (10, 512)
    convolutions = 32 * 9 + 32 + 64 * 32 * 9 + 64 + 128 * 64 * 9 + 128
    linear = 1152 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10
    norms = 2 * (32 + 64 + 128 + 512 + 512)
    assert net.n_parameters == convolutions + linear + norms == 953_290
    products = 784 * 32 * 9 + 196 * 64 * 32 * 9 + 49 * 128 * 64 * 9
    assert net.n_multiplications == products + 1152 * 512 + 512 * 512 + 512 * 10


def test_colour_images_give_the_same_outputs_channels_first_and_last() -> None:
    spec = CNN(convolutions=(4,), hidden=())
    first, last = laid_out(spec, (3, 6, 6)), laid_out(spec, (6, 6, 3))
    pictures = torch.rand(5, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    outputs = initial_stack(first, [spec], [0]).member(0)(pictures)
    turned = initial_stack(last, [spec], [0]).member(0)(pictures.permute(0, 2, 3, 1))
    torch.testing.assert_close(outputs, turned)


def test_grey_images_are_viewed_without_copying_and_channels_last() -> None:
    rows = torch.arange(2 * 12.0).reshape(2, 12)
    images = as_images(rows, ImageShape(1, 3, 4))
    assert images.shape == (2, 1, 3, 4)
    assert images.data_ptr() == rows.data_ptr()
    assert images.stride() == (12, 1, 4, 1)


def test_layers_of_one_role_start_alike_in_an_mlp_and_a_cnn() -> None:
    cnn = CNN(convolutions=(2,), hidden=(16, 12))
    mlp = MLP(hidden=(16, 12))
    net = laid_out(cnn, (8, 8))
    ours = initial_stack(net, [cnn], [3]).member(0)
    theirs = initial_stack(architecture(mlp, 64, 10), [mlp], [3]).member(0)
    assert torch.equal(ours.head.weight, theirs.head.weight)
    assert torch.equal(ours.hidden[1].linear.weight, theirs.hidden[1].linear.weight)


def test_convolutions_start_by_torchs_own_bound() -> None:
    net = laid_out(CNN(convolutions=(64, 64)), (28, 28))
    member = initial_stack(net, [CNN(convolutions=(64, 64))], [0]).member(0)
    weight, bound = member.convolutions[1].convolution.weight, 1 / (64 * 9) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
