"""Rich's console, for results; imported only where something is printed with it."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class ResultConsole(Console):
    """A console that leaves a reader who went away to ``main``; Rich's own would exit with code 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on."""
        raise BrokenPipeError
