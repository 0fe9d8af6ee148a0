"""What a row of a data set is as an image: channels, height, width, and their order in memory."""

from __future__ import annotations

from dataclasses import dataclass

from ceteris.errors import CeterisError, Problem

CHANNELS = (1, 3, 4)
"""Grey, colour, colour with transparency: the lengths by which a channel axis is recognised."""


@dataclass(frozen=True, slots=True)
class ImageShape:
    """Size of an image, and whether a row holds the channels of a pixel together (``channels_last``)."""

    channels: int
    height: int
    width: int
    channels_last: bool = False


def image_shape(shape: tuple[int, ...]) -> ImageShape:
    """Read a row's shape as an image: (height, width), (channels, h, w) or (h, w, channels).

    Raises:
        CeterisError: where a row is no image.
    """
    match shape:
        case (height, width):
            return ImageShape(1, height, width)
        case (channels, height, width) if channels in CHANNELS:
            return ImageShape(channels, height, width)
        case (height, width, channels) if channels in CHANNELS:
            return ImageShape(channels, height, width, channels_last=True)
        case (channels, height, width):
            return ImageShape(channels, height, width)
    told = " x ".join(map(str, shape)) or "1"
    kind = f"{told} numbers in one axis" if len(shape) < 2 else f"of shape {told}"
    message = (
        f"a cnn reads images, and a row of the data is {kind}; give rows of height x width, "
        "channels x height x width or height x width x channels, or use an mlp"
    )
    raise CeterisError(Problem(message, where="experiment.model.kind"))


def pooled(shape: ImageShape, pools: int, size: int) -> tuple[int, int]:
    """Return height and width after ``pools`` poolings.

    Raises:
        CeterisError: where nothing is left.
    """
    height, width = shape.height, shape.width
    for done in range(1, pools + 1):
        height, width = height // size, width // size
        if min(height, width) == 0:
            message = (
                f"an image of {shape.height} x {shape.width} has nothing left after {done} times pooling by "
                f"{size}; give fewer convolutions, or a smaller pool (1 leaves it out)"
            )
            raise CeterisError(Problem(message, where="experiment.model.pool"))
    return height, width
