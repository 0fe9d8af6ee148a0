"""What the parser of the command line refuses, in the house's sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, get_origin

from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from ceteris.errors import nearest, unknown_name

if TYPE_CHECKING:
    from cyclopts import App
    from cyclopts.argument import Argument
    from cyclopts.exceptions import CycloptsError

_NOUNS = {"int": "a whole number", "float": "a number", "bool": "true or false", "Path": "a path"}


def sentence(error: CycloptsError) -> str:
    """Say what is wrong with the command line, and where help is to be had."""
    where = " ".join(["ceteris", *(error.command_chain or ())])
    return f"{where}: {_what(error)} (`{where} --help` shows what there is)"


def _what(error: CycloptsError) -> str:
    match error:
        case UnknownOptionError():
            what = _unknown_option(error)
        case UnknownCommandError():
            what = _unknown_command(error)
        case UnusedCliTokensError():
            what = f"there is no place for `{' '.join(error.unused_tokens or ())}`"
        case MissingArgumentError():
            what = _missing(error)
        case RepeatArgumentError():
            what = f"`{error.token.keyword}` is given more than once"
        case CoercionError():
            what = _wrong_value(error)
        case _:
            what = " ".join(str(error).split())
    return what


def _unknown_option(error: UnknownOptionError) -> str:
    given = error.token.keyword or error.token.value
    known = [name for argument in error.argument_collection for name in argument.names if name[:2] == "--"]
    guess = nearest(given, known)
    return f"there is no option `{given}`" + (f"; did you mean `{guess}`?" if guess else "")


def _unknown_command(error: UnknownCommandError) -> str:
    given = next(iter(error.unused_tokens or ("",)))
    if given.startswith("-"):
        return f"there is no option `{given}`"
    return unknown_name("command", given, _commands(error.app))


def _commands(app: App | None) -> list[str]:
    return [] if app is None else [name for name in app if not name.startswith("-")]


def _missing(error: MissingArgumentError) -> str:
    if error.argument is None:
        return " ".join(str(error).split())
    name = _name(error.argument)
    return f"`{name}` needs a value" if name.startswith("-") else f"{name} is missing"


def _wrong_value(error: CoercionError) -> str:
    if error.argument is None or error.token is None:
        return " ".join(str(error).split())
    value = error.token.value
    if get_origin(error.target_type) is Literal:
        return unknown_name(f"choice for `{_name(error.argument)}`", value, get_args(error.target_type))
    kind = getattr(error.target_type, "__name__", str(error.target_type))
    return f"'{value}' is not {_NOUNS.get(kind, kind)}, which `{_name(error.argument)}` takes"


def _name(argument: Argument | None) -> str:
    """Return an option as it is typed, or a positional argument in capitals."""
    if argument is None:
        return "the argument"
    positional = next((name for name in argument.names if not name.startswith("-")), None)
    return positional or argument.names[0]
