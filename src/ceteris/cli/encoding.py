"""What is written where standard output has no code for a character, as under an old locale or on Windows."""

from __future__ import annotations

import codecs
import io
import sys

NAME = "ceteris-plain"
PLAIN = {"−": "-", "–": "-", "…": "...", "×": "x"}
"""What stands for our own signs; others, as in names of the user's, are written by their numbers."""


def take_every_character() -> None:
    """Let standard output take what its encoding lacks: a result that is recorded is printed too."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        codecs.register_error(NAME, _plain)
        sys.stdout.reconfigure(errors=NAME)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    written = (PLAIN.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking)
    return "".join(written), error.end
