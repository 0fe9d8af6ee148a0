"""What a study names as ``package.module:Name``: imported where it is used, in a worker."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ceteris.errors import CeterisError, Problem, exception_in_line, unknown_name


def import_reference(reference: str, kind: str, where: str, purpose: str = "") -> Callable[..., Any]:
    """Return the function or class of the user's that a reference names.

    Args:
        kind: what it has to be, such as ``function``; ``purpose`` may say what for.
        where: the setting that names it.

    Raises:
        CeterisError: where the module cannot be imported, or has no such name that can be called.
    """
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        message = f"the module of `{reference}` cannot be imported ({exception_in_line(error)})"
        if isinstance(error, ModuleNotFoundError) and error.name == module_name.partition(".")[0]:
            message += "; it must lie beside the study's file, or in a folder on PYTHONPATH"
        raise CeterisError(Problem(message, where)) from error
    found: Callable[..., Any] | None = getattr(module, name, None)
    if found is None:
        known = [known for known, value in vars(module).items() if callable(value) and known[0] != "_"]
        raise CeterisError(Problem(unknown_name(f"{kind} in {module_name}", name, known), where))
    if not callable(found):
        message = f"`{reference}` is a {type(found).__name__}, not a {kind}{purpose}"
        raise CeterisError(Problem(message, where))
    return found
