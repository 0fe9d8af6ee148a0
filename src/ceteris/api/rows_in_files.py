"""Rows to predict that lie in a file: a table, or an array `x`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord

ARRAYS = ".npz"


def rows_in(path: Path, run: RunRecord, where: str = "x") -> Any:
    """Return the rows in a file: a frame of a table (.csv, .tsv, .parquet), or the array `x` of an .npz file.

    ``where`` is what messages call the rows. Raises ``CeterisError`` for a file of another kind, or none.
    """
    from ceteris.data.npz import read_npz
    from ceteris.data.sources import find_file
    from ceteris.data.tables import read_table
    from ceteris.spec.data import TABLE_FILES, is_table_file

    if not is_table_file(path.name) and path.suffix != ARRAYS:
        known = ", ".join((*TABLE_FILES, ARRAYS))
        raise CeterisError(Problem(f"`{path}` is no file with rows; use {known}, or `test`", where=where))
    found = find_file(str(path), None, where)
    if is_table_file(path.name):
        return read_table(found, _ids(run))
    arrays, names = read_npz(found)
    if "x" not in arrays:
        raise CeterisError(f"{path} has no array `x`; it has {', '.join(names) or 'none at all'}")
    return arrays["x"]


def _ids(run: RunRecord) -> tuple[str, ...]:
    """Return the columns that are read as text because they name rows."""
    from ceteris.data.house_prices import HOUSE_PRICES

    data = run.study["experiment"]["data"]
    return HOUSE_PRICES.ids if data["source"] == HOUSE_PRICES.name else tuple(data.get("ids", ()))
