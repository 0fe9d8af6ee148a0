"""What the command says when it cannot go on."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ceteris.errors import CeterisError

DEBUG_VARIABLE = "CETERIS_DEBUG"


def summary_lines(error: CeterisError) -> list[str]:
    """Return one line per problem, and a last line that counts them where they come from a file."""
    lines = [str(problem) for problem in error.problems]
    files = [file for file in dict.fromkeys(problem.file for problem in error.problems) if file]
    if files:
        count = sum(problem.file is not None for problem in error.problems)
        noun = "problem" if count == 1 else "problems"
        lines.append(f"{count} {noun} in {', '.join(files)}; nothing was run.")
    return lines


def keep_traceback(error: Exception) -> Sequence[str]:
    """Write the traceback to a file and return what to tell the user; with CETERIS_DEBUG=1 show it."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    sentence = f"something went wrong inside Ceteris ({cause[:200].rstrip(': ')})"
    if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        return [text.rstrip(), sentence]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="ceteris-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        return [f"{sentence}; {DEBUG_VARIABLE}=1 shows the traceback"]
    return [f"{sentence}; the traceback is in {file.name} ({DEBUG_VARIABLE}=1 shows it)"]
