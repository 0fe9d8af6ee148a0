"""Maxima over windows of two by two pixels, of images whose channels stand together: kernels.

``x`` and ``dx`` are (images, height, width, channels); ``y``, ``dy`` and ``chosen`` have half the height and
width, rounded down. ``chosen`` (uint8) tells which of a window's pixels was taken, counted row by row.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.bfloat16 import narrowed, widened
from ceteris.train.cpu.decorators import kernel


@kernel
def pool_forward(x, y, chosen):
    """Take the first largest pixel of every window; NaN counts as the largest, as in torch."""
    images, height, width, channels = y.shape
    for image in range(images):
        for i in range(height):
            above, below = x[image, 2 * i], x[image, 2 * i + 1]
            for j in range(width):
                a, b, d, e = above[2 * j], above[2 * j + 1], below[2 * j], below[2 * j + 1]
                out, place = y[image, i, j], chosen[image, i, j]
                for c in range(channels):
                    best, nth = widened(a[c]), 0
                    second, third, fourth = widened(b[c]), widened(d[c]), widened(e[c])
                    if second > best or np.isnan(second):
                        best, nth = second, 1
                    if third > best or np.isnan(third):
                        best, nth = third, 2
                    if fourth > best or np.isnan(fourth):
                        best, nth = fourth, 3
                    out[c] = narrowed(best, out[c])
                    place[c] = nth


@kernel
def pool_backward(dy, chosen, dx):
    """Hand every gradient to the pixel that was taken; pixels outside of all windows get none."""
    images, height, width, channels = dy.shape
    zero = dy.dtype.type(0)
    for image in range(images):
        for i in range(height):
            above, below = dx[image, 2 * i], dx[image, 2 * i + 1]
            for j in range(width):
                gradient, place = dy[image, i, j], chosen[image, i, j]
                hand_back(gradient, place, 0, above[2 * j])
                hand_back(gradient, place, 1, above[2 * j + 1])
                hand_back(gradient, place, 2, below[2 * j])
                hand_back(gradient, place, 3, below[2 * j + 1])
            for j in range(2 * width, dx.shape[2]):
                for c in range(channels):
                    above[j, c] = zero
                    below[j, c] = zero
        for i in range(2 * height, dx.shape[1]):
            for j in range(dx.shape[2]):
                for c in range(channels):
                    dx[image, i, j, c] = zero


@kernel
def hand_back(gradient, place, nth, pixel):
    """Fill the gradient of the ``nth`` pixel of a window; all vectors (channels,)."""
    # A loop of its own for every pixel: LLVM does not vectorise one that writes four.
    zero = gradient.dtype.type(0)
    for c in range(gradient.size):
        pixel[c] = gradient[c] if place[c] == nth else zero
