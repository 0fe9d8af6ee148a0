"""Names of runs: how they are made, and how a user's short form is resolved."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ceteris.errors import CeterisError, nearest

LAST = "last"
SLUG_LENGTH = 40
RECENT = 5


def slug(text: str, keep: str = "") -> str:
    """Return ``text`` as lower-case ASCII words joined by hyphens (with ``keep``'s signs left in)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(rf"[^a-z0-9{re.escape(keep)}]+", "-", plain)
    return words[:SLUG_LENGTH].strip("-.") or "study"


def new_run_id(study_name: str, title: str, moment: datetime) -> str:
    """Return such as ``20261122-084512-learning-rate-3f2a``: UTC time, name or title, four random digits."""
    name = Path(study_name).name.removesuffix(".yaml").removesuffix(".yml")
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S}-{slug(name or title)}-{secrets.token_hex(2)}"


def resolve_run(text: str, ids: Sequence[str], folder: Path) -> str:
    """Return the run that ``text`` names: an identifier, the only one that begins so, or ``last``.

    ``ids`` are all runs, newest first. Raises ``CeterisError`` with the nearest and the most recent.
    """
    if not ids:
        raise CeterisError(f"there are no runs in {folder} yet")
    if text == LAST:
        return ids[0]
    if text in ids:
        return text
    matches = [name for name in ids if name.startswith(text)] if text else []
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise CeterisError(
            f"{len(matches)} runs begin with `{text}`: {_listed(matches)}; give more of the name"
        )
    guess = nearest(text, ids) or next((name for name in ids if text and text in name), None)
    hint = f"; did you mean `{guess}`?" if guess else ""
    raise CeterisError(f"there is no run `{text}` in {folder}{hint} (most recent: {_listed(ids)})")


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - RECENT} more" if len(ids) > RECENT else ""
    return ", ".join(ids[:RECENT]) + more
