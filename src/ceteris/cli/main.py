"""Where the command starts, and where every way that it can end becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from ceteris.cli.encoding import take_every_character
from ceteris.cli.exits import BROKEN_PIPE, INTERRUPTED, UNEXPECTED, WRONG_INPUT
from ceteris.cli.failures import keep_traceback, summary_lines
from ceteris.errors import CeterisError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no traceback reaches the user."""
    take_every_character()
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except CeterisError as error:
        _tell(summary_lines(error))
        return WRONG_INPUT
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except KeyboardInterrupt as error:
        _tell([str(error) or "interrupted"])
        return INTERRUPTED
    except Exception as error:
        _tell(keep_traceback(error))
        return UNEXPECTED
    return code


def _dispatch(arguments: list[str]) -> int:
    from cyclopts.exceptions import CycloptsError

    from ceteris.cli.app import build_app
    from ceteris.cli.parsing_errors import sentence

    try:
        code = build_app()(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise CeterisError(sentence(error)) from error
    return code if isinstance(code, int) else 0


def _tell(lines: Sequence[str]) -> None:
    with suppress(OSError):
        print(*lines, sep="\n", file=sys.stderr, flush=True)


def _forget_output() -> None:
    """Send what is left to nowhere, so that the interpreter's last flush is silent too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
