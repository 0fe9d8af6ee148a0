"""How the columns of a table became features, as an array of the `.npz` file that keeps such rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.table_layout import Column, Layout
from ceteris.errors import CeterisError

LAYOUT = "x.layout"
"""The name of that array: no column can have it, and no array that users name."""


def layout_array(layout: Layout) -> NDArray[np.str_]:
    """Return a layout as an array of one text, JSON."""
    return np.array([json.dumps(asdict(layout), ensure_ascii=False, sort_keys=True)])


def layout_of(array: NDArray[Any]) -> Layout:
    """Return the layout in such an array. Raises ``CeterisError`` where it is none (law 10)."""
    try:
        given = json.loads(str(array.reshape(-1)[0]))
        columns = tuple(
            Column(
                str(one["name"]),
                bool(one["numeric"]),
                int(one["missing"]),
                tuple(map(str, one["categories"])),
            )
            for one in given["columns"]
        )
        return Layout(str(given["name"]), columns, str(given["target"]), tuple(map(str, given["ids"])))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CeterisError(f"`{LAYOUT}` does not say what the columns of a table are: {error}") from error
