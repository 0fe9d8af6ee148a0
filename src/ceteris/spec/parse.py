"""From a YAML file or a Python mapping to a checked study, with all problems told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ceteris.errors import CeterisError, Problem
from ceteris.spec.check import checked_study, drop_claims
from ceteris.spec.combine import Combination
from ceteris.spec.document import read_document
from ceteris.spec.draft import Draft
from ceteris.spec.factors import Places, read_factors
from ceteris.spec.labels import shown
from ceteris.spec.level_check import at_level
from ceteris.spec.named import find_study
from ceteris.spec.overrides import (
    add_metrics,
    apply_counts,
    apply_sets,
    apply_varies,
    note_hidden_settings,
    note_replaced_parts,
)
from ceteris.spec.plain import explicit, plain_data
from ceteris.spec.search_options import apply_search
from ceteris.spec.space import corners
from ceteris.spec.study import Study


@dataclass(frozen=True)
class ParsedStudy:
    """A checked study that remembers where its parts stood, for problems that binding finds later."""

    study: Study
    file: str | None = None
    """The file that it was read from, or None for a study from Python."""
    notes: tuple[str, ...] = ()
    """What the options of the command line dropped or left without effect, one sentence each."""
    draft: Draft = field(default_factory=lambda: Draft({}), repr=False)
    places: Places = field(default_factory=dict, repr=False)

    def problem(self, path: str, message: str) -> Problem:
        """Return a problem at a dotted path (``experiment.data.source``), with file and line."""
        return self.draft.located(Problem(message, where=path))

    def combination_problem(self, combination: Combination, path: str, message: str) -> Problem:
        """Return a problem of one combination, placed at the level that set ``path``, if one did."""
        found = Problem(message, where=path)
        return self.draft.located(at_level(found, self.study.vary, combination.coordinates, self.places))


def parse_study(
    source: str | Path | Mapping[str, Any] | Study,
    *,
    sets: Sequence[str] = (),
    varies: Sequence[str] = (),
    seeds: int | None = None,
    epochs: int | None = None,
    metrics: Sequence[str] = (),
    better: Mapping[str, str] | None = None,
    metrics_follow: bool = False,
    allow_code: bool = False,
    spaces: Sequence[str] | None = None,
    search: Mapping[str, Any] | None = None,
    misspelt_data: Callable[[str], str | None] | None = None,
) -> ParsedStudy:
    """Read and check a study.

    Args:
        source: a YAML file, the name of a named study, a mapping, or a study made in Python.
        sets: changes of the base experiment, each ``path=value`` with the value in YAML.
        varies: factors to add or replace, each ``path=a,b,c``.
        seeds: how many seeds instead of the study's own.
        epochs: how many epochs instead of the base experiment's own.
        metrics: names of the user's own metrics that are measured besides those of the study.
        better: of those metrics, which values are better, ``lower`` or ``higher``, where that was said.
        metrics_follow: whether claims may name metrics of the user's own that are given only when it is run.
        allow_code: whether metrics may name the user's own code, ``package.module:Name``.
        spaces: dimensions of a search, each ``path=range`` in YAML; where they or ``search`` are given, the
            study has to be a search.
        search: settings of the search by name.
        misspelt_data: says of a source of data that it does not exist. Asked where something else is wrong,
            so that it is told with that; else the source is looked up when it is read.

    Raises:
        CeterisError: with every problem that was found, each with file and line or option.
    """
    draft = _draft(source)
    apply_counts(draft, seeds, epochs)
    apply_sets(draft, sets)
    add_metrics(draft, metrics, better or {})
    apply_varies(draft, varies)
    if spaces is not None or search is not None:
        apply_search(draft, spaces or (), plain_data(search or {}))
    read = read_factors(draft.data.get("vary"))
    draft.problems += read.problems
    if varies and not draft.problems:
        drop_claims(draft, read.factors)
    study = checked_study(draft, read, metrics_follow=metrics_follow, allow_code=allow_code)
    if study is None or draft.problems:
        draft.problems += _data_problems(draft.data, misspelt_data)
        raise CeterisError(_in_order(draft))
    searched = () if study.search is None else corners(study.search).factors
    note_hidden_settings(draft, (*study.vary, *searched))
    note_replaced_parts(draft, read.factors)
    return ParsedStudy(study, draft.file, tuple(dict.fromkeys(draft.notes)), draft, read.places)


def _data_problems(
    data: Mapping[str, Any], misspelt: Callable[[str], str | None] | None
) -> Iterator[Problem]:
    experiment = data.get("experiment")
    given = experiment.get("data") if isinstance(experiment, dict) else None
    source = given.get("source") if isinstance(given, dict) else given
    message = misspelt(source) if misspelt is not None and isinstance(source, str) else None
    if message is not None:
        yield Problem(
            message, where="experiment.data.source" if isinstance(given, dict) else "experiment.data"
        )


def _draft(source: object) -> Draft:
    if isinstance(source, Study):
        return Draft(plain_data(explicit(source)))
    if isinstance(source, Mapping):
        return Draft(plain_data(source))
    if not isinstance(source, str | Path):
        kind = type(source).__name__
        made = "; `ceteris.vary(experiment, ...)` makes one of it" if kind == "Experiment" else ""
        wanted = "give a file, a name, a mapping or what `vary` returns"
        raise CeterisError(f"a value of type {kind} is not a study; {wanted}{made}")
    return _read_draft(_file_of(source))


def _read_draft(path: Path) -> Draft:
    document = read_document(path)
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else shown(document.data)
        message = f"a study is a mapping of settings such as `experiment` and `vary`, not {kind}"
        raise CeterisError(Problem(message, file=document.file, line=document.lines.get("")))
    draft = Draft(document.data, document.lines, document.file)
    try:
        draft.data = plain_data(draft.data)
    except CeterisError as error:
        draft.problems += error.problems
        raise CeterisError(_in_order(draft)) from None
    return draft


def _file_of(source: str | Path) -> Path:
    """Return the file that a user means: one that exists, else the named study of that name."""
    try:
        is_file = (
            isinstance(source, Path)
            or source.endswith((".yaml", ".yml"))
            or bool(source and Path(source).exists())
        )
    except (OSError, ValueError):
        is_file = False
    return Path(source) if is_file else find_study(str(source), kind="file and no named study")


def _in_order(draft: Draft) -> list[Problem]:
    """Return the problems with their positions, from the first line of the file to the last."""
    located = dict.fromkeys(_on_one_line(draft.located(problem)) for problem in draft.problems)
    return sorted(located, key=lambda problem: problem.line or 0)


def _on_one_line(problem: Problem) -> Problem:
    """Return a problem without the line breaks that a quoted name may hold."""
    message, where = (" ".join(text.split()) for text in (problem.message, problem.where))
    return replace(problem, message=message, where=where)
