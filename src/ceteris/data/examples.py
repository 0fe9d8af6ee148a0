"""A picture of a data set: random examples of every class, as one self-contained SVG file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.png import png_bytes
from ceteris.draws import permutation, stream_key
from ceteris.errors import CeterisError, writing

FONTS = (
    "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Source Han Sans SC', 'WenQuanYi Micro Hei', sans-serif"
)
CELL, GAP, MARGIN, FONT_SIZE, TITLE = 56, 4, 16, 14, 28
WIDE_CHARACTER = 0x2E80
"""From here on (CJK) a character is about as wide as it is high."""


def example_grid(dataset: Dataset, path: str | Path, per_class: int = 10, seed: int = 0) -> Path:
    """Write a grid of ``per_class`` random training examples of each class to ``path``; return it.

    A row per class with its name, images embedded. Raises CeterisError where the rows are not
    images with classes.
    """
    if per_class < 1:
        raise CeterisError(f"a grid of {per_class} examples per class shows nothing; use at least 1")
    if dataset.task != "classification":
        raise CeterisError(f"`{dataset.name}` has numbers to predict; a grid of examples needs classes")
    images = as_images(dataset)
    chosen = choose_examples(dataset, per_class, seed)
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(_svg(dataset, images, chosen), encoding="utf-8")
        part.replace(target)
    return target


def as_images(dataset: Dataset) -> NDArray[Any]:
    """Return the inputs as (N, height, width) or (N, height, width, 3), without copying them.

    Colour channels may come first or last. Raises CeterisError for any other shape.
    """
    x, shape = dataset.x, dataset.shape
    if len(shape) == 2:
        return x
    if len(shape) == 3 and shape[2] in (1, 3):
        return x[..., 0] if shape[2] == 1 else x
    if len(shape) == 3 and shape[0] in (1, 3):
        return x[:, 0] if shape[0] == 1 else np.moveaxis(x, 1, -1)
    raise CeterisError(
        f"`{dataset.name}` has rows of shape {shape}, which are not images; a picture needs (height, width), "
        "with 1 or 3 channels first or last"
    )


def choose_examples(dataset: Dataset, per_class: int, seed: int) -> list[NDArray[np.int64]]:
    """Return up to ``per_class`` row numbers for each class, drawn by ``seed``."""
    order = permutation(stream_key(seed, "examples"), len(dataset.x))
    labels = dataset.y[order]
    return [order[labels == label][:per_class] for label in range(len(dataset.classes))]


@dataclass(frozen=True)
class _Layout:
    """Sizes of the grid in pixels, and its grey scale."""

    label: int
    cell_width: int
    columns: int
    rows: int
    limits: tuple[float, float]
    """Values that are shown black and white."""

    @property
    def width(self) -> int:
        return 2 * MARGIN + self.label + self.columns * (self.cell_width + GAP)

    @property
    def height(self) -> int:
        return 2 * MARGIN + TITLE + self.rows * (CELL + GAP)


def _svg(dataset: Dataset, images: NDArray[Any], chosen: list[NDArray[np.int64]]) -> str:
    height, width = images.shape[1:3]
    layout = _Layout(
        label=max(_text_width(name) for name in dataset.classes) + MARGIN,
        cell_width=min(4 * CELL, max(CELL // 4, round(CELL * width / height))),
        columns=max(len(rows) for rows in chosen),
        rows=len(chosen),
        limits=grey_limits(dataset),
    )
    tops = range(MARGIN + TITLE, layout.height, CELL + GAP)
    body = [
        _row(escape(name), images, rows, top, layout)
        for name, rows, top in zip(dataset.classes, chosen, tops, strict=False)
    ]
    title = escape(f"Random examples of {dataset.name}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{layout.height}" '
            f'viewBox="0 0 {layout.width} {layout.height}" role="img" aria-label="{title}" '
            f'font-family="{FONTS}" font-size="{FONT_SIZE}">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="{MARGIN}" y="{MARGIN + FONT_SIZE}" font-weight="600" fill="#111">{title}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _row(name: str, images: NDArray[Any], rows: NDArray[np.int64], top: int, layout: _Layout) -> str:
    parts = [f'<text x="{MARGIN}" y="{top + CELL // 2 + 5}" fill="#111">{name}</text>']
    for column, row in enumerate(rows):
        left = MARGIN + layout.label + column * (layout.cell_width + GAP)
        pixels = base64.b64encode(png_bytes(image_bytes(images[row], layout.limits))).decode("ascii")
        parts.append(
            f'<image x="{left}" y="{top}" width="{layout.cell_width}" height="{CELL}" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{pixels}">'
            f"<title>{name}, row {row}</title></image>"
        )
    return "\n".join(parts)


def grey_limits(dataset: Dataset) -> tuple[float, float]:
    """Return the values that are shown black and white: the documented range, else what occurs."""
    if dataset.value_range is not None:
        return dataset.value_range
    return float(dataset.x.min()), float(dataset.x.max())


def image_bytes(image: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return an image's pixels, 0 to 255, where ``limits`` are the values shown black and white."""
    low, high = limits
    share = (image.astype(np.float64) - low) / ((high - low) or 1.0)
    pixels: NDArray[np.float64] = np.rint(share.clip(0, 1) * 255)
    return pixels.astype(np.uint8)


def _text_width(text: str) -> int:
    """Estimate a text's width in pixels, generously."""
    return round(sum(FONT_SIZE if ord(c) >= WIDE_CHARACTER else 0.6 * FONT_SIZE for c in text))
