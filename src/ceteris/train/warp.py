"""Compiled: images under affine maps, and words drawn for rows given by their numbers."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from ceteris.draws.compiled import _block
from ceteris.train.cpu.decorators import compiling

FLIP, DOWN, RIGHT, SCALE, ROTATE = range(5)
"""Columns of the draws of a row."""


@compiling()
def fill_words_at(out, rows, k0, k1, epoch):
    """Fill ``out`` (n, multiple of 4) with the words that ``draws.words`` gives for ``rows`` (n,)."""
    for place in range(len(rows)):
        for block in range(out.shape[1] // 4):
            drawn = _block(np.uint64(block), np.uint64(rows[place]), np.uint64(epoch), k0, k1)
            for offset in range(4):
                out[place, 4 * block + offset] = drawn[offset]


@compiling(error_model="numpy")
def fill_maps(maps, drawn, flip, shift, scale, rotate):
    """Fill ``maps`` (n, 6) by the uniform numbers (n, 5 or more): see ``inverse_maps``.

    One row after another, so that a map does not hang on its place: vectors of cosines may round otherwise.
    """
    choices = 2 * shift + 1
    for row in range(len(maps)):
        mirror = -1.0 if flip and drawn[row, FLIP] < 0.5 else 1.0
        down = math.floor(drawn[row, DOWN] * choices) - shift
        right = math.floor(drawn[row, RIGHT] * choices) - shift
        size = 1.0 + scale * (2.0 * drawn[row, SCALE] - 1.0)
        angle = rotate * (2.0 * drawn[row, ROTATE] - 1.0)
        along, across = math.cos(angle) / size, math.sin(angle) / size
        m = maps[row]
        m[0], m[1], m[3], m[4] = mirror * along, mirror * across, -across, along
        m[2] = -(m[0] * right + m[1] * down)
        m[5] = -(m[3] * right + m[4] * down)


@compiling(error_model="numpy")
def warp(x, rows, places, maps, height, width, channels, channels_first, outside):
    """Write the images ``rows`` of ``x`` (N, features), under their maps (n, 6), to its rows ``places``.

    Bilinear interpolation; pixels that are not there count as ``outside``.
    """
    middle_down, middle_right = (height - 1) / 2, (width - 1) / 2
    stride = 1 if channels_first else channels
    plane = height * width if channels_first else 1
    for place in range(len(rows)):
        source, target, m = x[rows[place]], x[places[place]], maps[place]
        for i in range(height):
            for j in range(width):
                down, right = i - middle_down, j - middle_right
                u = m[0] * right + m[1] * down + m[2] + middle_right
                v = m[3] * right + m[4] * down + m[5] + middle_down
                left, top = math.floor(u), math.floor(v)
                to_right, to_bottom = np.float32(u - left), np.float32(v - top)
                for channel in range(channels):
                    total = np.float32(0)
                    for below in range(2):
                        share = to_bottom if below else np.float32(1) - to_bottom
                        for beside in range(2):
                            weight = share * (to_right if beside else np.float32(1) - to_right)
                            if weight == 0:
                                continue
                            r, c = top + below, left + beside
                            value = outside
                            if 0 <= r < height and 0 <= c < width:
                                value = source[(int(r) * width + int(c)) * stride + channel * plane]
                            total += weight * value
                    target[(i * width + j) * stride + channel * plane] = total
