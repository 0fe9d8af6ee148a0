"""Reads YAML 1.2 into plain data that remembers on which line everything stands."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ceteris.errors import CeterisError, Problem
from ceteris.spec.plain import MAX_DEPTH, MAX_ITEMS, MAX_WHOLE, plain_data

MAX_BYTES = 256 * 1024
SMALL, SMALL_BRACKETS = 20_000, 200
"""Texts of no more letters and brackets are composed without a look at their size first."""
TOO_DEEP = f"this is nested more than {MAX_DEPTH} deep, which no study is"
TOO_MUCH = f"the file holds more than {MAX_ITEMS:,} values, which no study does"
TAG = "tag:yaml.org,2002:"
KINDS = {
    "null": "null",
    "bool": "true or false",
    "int": "a whole number of 64 bits",
    "float": "a number",
    "str": "text",
    "timestamp": "text",
    "value": "text",
    "merge": "text",
}


@dataclass(frozen=True)
class Document:
    """Plain data, and the line (from 1) of every key and item by its dotted path."""

    data: Any
    lines: dict[str, int]
    file: str | None = None


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        CeterisError: with one line for a file that cannot be read or is not YAML, and one for
            every key that is given twice.
    """
    file = str(path)
    return parse_document(_read_text(path, file), file)


def _read_text(path: Path, file: str) -> str:
    try:
        if path.is_dir():
            _refuse("this is a folder; give a YAML file", file)
        if not path.exists():
            _refuse("there is no such file", file)
        if not path.is_file():
            _refuse("this is not an ordinary file", file)
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        _refuse(f"the file cannot be read: {getattr(error, 'strerror', None) or error}", file)
    if len(content) > MAX_BYTES:
        _refuse(f"the file is larger than {MAX_BYTES // 1024} KiB, which no study is", file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        _refuse("the file is not text in UTF-8; save it in that encoding", file, line)


def parse_document(text: str, file: str | None = None) -> Document:
    """Parse the text of a YAML file; ``file`` is only named in messages.

    Raises:
        CeterisError: as `read_document` does.
    """
    if len(text) > MAX_BYTES:
        _refuse(f"the text is longer than {MAX_BYTES // 1024} Ki characters, which no study is", file)
    node = _compose(text, file)
    if node is None:
        _refuse("the file is empty; a study needs at least `experiment`", file)
    builder = _Builder(file)
    data = builder.build(node, "", MAX_DEPTH)
    if builder.problems:
        raise CeterisError(builder.problems)
    return Document(data, builder.lines, file)


def parse_value(text: str) -> Any:
    """Parse one YAML value, as `--set` gives it; the empty text is null.

    Raises:
        CeterisError: where it is not YAML.
    """
    return plain_data(parse_document(text).data) if text.strip() else None


def _refuse(message: str, file: str | None, line: int | None = None) -> NoReturn:
    raise CeterisError(Problem(message, file=file, line=line))


def _compose(text: str, file: str | None) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if len(text) > SMALL or text.count("[") + text.count("{") > SMALL_BRACKETS:
                _refuse_excess(YAML(typ="safe", pure=True).parse(text), file)
            return YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        _refuse(_syntax_message(error, text, line), file, line)
    except RecursionError:
        _refuse(TOO_DEEP, file)
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError) as error:
        position = getattr(error, "position", None)
        line = text[:position].count("\n") + 1 if isinstance(position, int) else None
        reason = getattr(error, "reason", None) or "it cannot be read"
        _refuse(f"this is not YAML: {reason}", file, line)


def _refuse_excess(events: Iterable[Any], file: str | None) -> None:
    """Stop at what is too deep or too much before it is composed, which takes long for such files."""
    depth = 0
    for count, event in enumerate(events):
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        line = event.start_mark.line + 1
        if depth > MAX_DEPTH + 2:  # the stream and the document are events too
            _refuse(TOO_DEEP, file, line)
        if count > 2 * MAX_ITEMS:
            _refuse(TOO_MUCH, file, line)


def _syntax_message(error: Any, text: str, line: int | None) -> str:
    lines = text.splitlines()
    here = lines[line - 1] if line is not None and line <= len(lines) else ""
    indentation = here[: len(here) - len(here.lstrip())]
    if "\t" in indentation or "'\\t'" in str(error.problem):
        return "a tab stands where YAML wants spaces; indent with spaces"
    if "single document" in str(error.context):
        return "the file holds more than one document; write one study per file, without a line `---` between"
    parts = [str(part) for part in (error.context, error.problem) if part]
    return "this is not YAML: " + " ".join(", ".join(parts).split())


def _short(tag: object) -> str:
    return str(tag).replace(TAG, "!!")[:60]


@dataclass
class _Builder:
    """Turns composed nodes into plain data; collects lines and problems on the way."""

    file: str | None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    budget: Iterator[int] = field(default_factory=lambda: iter(range(MAX_ITEMS)))

    def build(self, node: Any, path: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if depth == 0:
            _refuse(TOO_DEEP, self.file, line)
        if next(self.budget, None) is None:
            _refuse(TOO_MUCH, self.file, line)
        if node.id != "scalar" and str(node.tag) not in (TAG + "map", TAG + "seq"):
            self._wrong(f"the tag `{_short(node.tag)}` is not known; a study is plain data", path, line)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        if node.id == "sequence":
            return [
                self.build(item, f"{path}.{i}".strip("."), depth - 1) for i, item in enumerate(node.value)
            ]
        return self._scalar(node, path)

    def _mapping(self, node: Any, path: str, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = self._key(key, path)
            below = f"{path}.{name}".strip(".")
            if name in built:
                first = self.lines[below]
                self._wrong(f"`{name}` is given twice, first on line {first}", below, line)
                continue
            self.lines[below] = line
            built[name] = self.build(value, below, depth - 1)
        return built

    def _key(self, key: Any, path: str) -> str:
        from ceteris.spec.labels import format_label

        if key.id != "scalar":
            self._wrong(
                "a name must be text or a number, not a list or a mapping", path, key.start_mark.line + 1
            )
            return ""
        if key.tag == TAG + "merge":
            message = "merging with `<<` is not part of YAML 1.2; write the settings out"
            self._wrong(message, path, key.start_mark.line + 1)
        return format_label(self._scalar(key, path))

    def _scalar(self, node: Any, path: str) -> Any:
        kind, text = str(node.tag).removeprefix(TAG), str(node.value)
        line = node.start_mark.line + 1
        if kind not in KINDS:
            self._wrong(f"the tag `{_short(node.tag)}` is not known; a study is plain data", path, line)
            return None
        try:
            return _scalar_value(kind, text)
        except (ValueError, OverflowError):
            self._wrong(f"'{text[:40]}' cannot be read as {KINDS[kind]}", path, line)
            return None

    def _wrong(self, message: str, path: str, line: int) -> None:
        self.problems.append(Problem(message, where=path, file=self.file, line=line))


def _scalar_value(kind: str, text: str) -> Any:
    """Return the value of a scalar; text that merely looks like a date stays text.

    Raises:
        ValueError: for a text that is not of the kind, and for whole numbers of more than 64 bits.
    """
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() in ("true", "yes", "on", "y")
        case "int":
            return _whole(text.replace("_", ""))
        case "float":
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _whole(text: str) -> int:
    prefixed = text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b")
    number = int(text, 0) if prefixed else int(text)
    if abs(number) >= MAX_WHOLE:
        raise ValueError(text)
    return number
