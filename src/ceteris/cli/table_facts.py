"""What ``ceteris data show`` tells of a table: what its columns became, and what its folds lack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ceteris.cli import screen
from ceteris.cli.screen import plain_table

if TYPE_CHECKING:
    from ceteris.data.folded_features import FoldedFeatures

SHOWN = 15
"""Categories that are listed one by one; ``--json`` has them all."""


def show_table(columns: Sequence[dict[str, Any]], by_fold: FoldedFeatures) -> None:
    """Print the columns of a table, then the features of each fold and the categories that some lack."""
    screen.show("", _columns_table(columns))
    screen.show("", *_sentences(by_fold))
    if by_fold.rare:
        screen.show("", _rare_table(by_fold))
        if len(by_fold.rare) > SHOWN:
            screen.show(f"and {len(by_fold.rare) - SHOWN} more: --json lists all")


def _columns_table(columns: Sequence[dict[str, Any]]) -> Any:
    """Return the columns of a table with what they became."""
    rows = [
        (
            column["name"],
            column["kind"],
            f"{column['missing']:.1%}" if column["missing"] else "-",
            f"{column['categories']}" if column["categories"] else "-",
            f"{column['features']}",
        )
        for column in columns
    ]
    return plain_table(("column", "kind", "missing", "categories", "features"), rows, right=(2, 3, 4))


def _sentences(found: FoldedFeatures) -> list[str]:
    """Say how wide the rows are, and why the training rows of a fold have fewer features."""
    counts = ", ".join(map(str, found.features))
    told = [
        f"features: {found.width}; in the training rows of {len(found.features)} {found.kind} folds: {counts}"
    ]
    if found.empty:
        told.append(
            f"{found.empty} of the {found.width} mark missing values in columns where none is missing: "
            "0 in every row."
        )
    if found.rare:
        told.append(
            f"{len(found.rare)} are of categories in so few rows that some fold trains on none. There the "
            "feature is 0 and its weight stays 0; all folds keep the same width."
        )
    return told


def _rare_table(found: FoldedFeatures) -> Any:
    rows = [(one.feature, str(one.rows), ", ".join(map(str, one.lacking))) for one in found.rare[:SHOWN]]
    return plain_table(("feature", "rows", "lacking in fold"), rows, right=(1,))
