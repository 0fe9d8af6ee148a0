"""A study written out: as plain data for records, and as YAML for people."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ceteris.errors import CeterisError
from ceteris.spec.labels import format_label
from ceteris.spec.patch import path_problem
from ceteris.spec.study import Factor, Study
from ceteris.spec.wording import problems_of

PLAIN = re.compile(r"(?!.*\s\s)[\w.][^:#\n]*")
"""Text that may stand in YAML without quotes, unless it reads as a number or the like.

Where a line is broken between two spaces, YAML reads one: such text stands in quotes.
"""

ORDER = (
    *("title", "source", "note", "experiment", "vary", "combine", "search"),
    *("seeds", "folds", "quick", "claims"),
)
"""Of the parts of a study in a file."""


def study_to_dict(study: Study) -> dict[str, Any]:
    """Return every setting of a study as plain data that JSON can hold; `study_from_dict` reverses it."""
    return study.model_dump(mode="json")


def study_from_dict(data: Mapping[str, Any]) -> Study:
    """Return the study that `study_to_dict` wrote.

    Raises:
        CeterisError: where the data is not that of a study.
    """
    try:
        return Study.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, Study, data)
    raise CeterisError(problems)


def study_to_yaml(study: Study) -> str:
    """Return a study as a YAML file that `parse_study` reads back to an equal study.

    Settings at their defaults are left out; what a level changes is in the shortest form.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Quoting(SafeRepresenter):
        """Puts text in quotes wherever ruamel would write it bare and then not read it back."""

    Quoting.add_representer(str, _represent_text)
    writer: Any = YAML(typ="safe", pure=True)
    writer.Representer = Quoting
    writer.default_flow_style = None
    writer.allow_unicode = True
    fields = compact(study)
    # ruamel may break a line behind a tab, and a reader then takes the tab for indentation.
    writer.width = 2**20 if "\\t" in repr(fields) else 100
    writer.sort_base_mapping_type_on_output = False
    stream = io.StringIO()
    writer.dump(fields, stream)
    return stream.getvalue()


def _represent_text(representer: Any, text: str) -> Any:
    bare = PLAIN.fullmatch(text) is not None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=None if bare else '"')


def compact(study: Study) -> dict[str, Any]:
    """Return a study in the short forms of a file; of a search, without the levels that it found."""
    fields = _differing(study)
    if study.search is not None:
        fields = {name: value for name, value in fields.items() if name not in ("vary", "combine")}
    elif study.vary:
        fields["vary"] = {factor.name: _compact_factor(factor) for factor in study.vary}
    return {name: fields[name] for name in ORDER if name in fields}


def _compact_factor(factor: Factor) -> list[Any] | dict[str, Any]:
    is_path = path_problem(factor.name) is None
    values = [level.patch.get(factor.name) for level in factor.levels]
    plain = all(
        set(level.patch) == {factor.name} and level.label == format_label(value)
        for level, value in zip(factor.levels, values, strict=True)
    )
    if is_path and plain:
        return values
    return {level.label: dict(level.patch) for level in factor.levels}


def _differing(part: BaseModel) -> dict[str, Any]:
    """Return the settings of a part that differ from their defaults, and its ``kind``, as plain data."""
    settings: dict[str, Any] = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        tells = name == "kind" and value is not None
        if tells or value != field.get_default(call_default_factory=True):
            settings[name] = _plain(value)
    return settings


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        settings = _differing(value)
        short = set(settings) in ({"kind"}, {"source"}, {"k"}, {"choices"}, {"factor"})
        return next(iter(settings.values())) if short else settings
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
