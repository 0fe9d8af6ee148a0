"""Random changes of training images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ceteris.spec.base import Number, Spec, Switch, Whole


class Augment(Spec):
    """Training images are changed at random, anew in every epoch: mirrored, then scaled, rotated and shifted.

    Levels of a seed share the draws of an image and epoch. Pixels come from bilinear interpolation, with 0
    (of the source's scale) outside the image. Rows that are measured are never changed.
    """

    flip: Switch = False
    """Whether an image is mirrored left to right with probability 0.5."""

    shift: Annotated[Whole, Field(ge=0, le=4096, title="shift")] = 0
    """By how many pixels at most an image is shifted up or down, and left or right: whole numbers, all
    equally likely."""

    scale: Annotated[Number, Field(ge=0, lt=1, title="change of scale")] = 0.0
    """Images are scaled by a factor that is uniform in [1 - scale, 1 + scale]."""

    rotate: Annotated[Number, Field(ge=0, le=180, title="angle")] = 0.0
    """Images are rotated by an angle that is uniform in [-rotate, rotate], in degrees."""

    @property
    def changes(self) -> bool:
        """Whether anything is done at all."""
        return self.flip or self.shift > 0 or self.scale > 0 or self.rotate > 0
