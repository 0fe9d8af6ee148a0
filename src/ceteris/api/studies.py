"""Studies in Python: made with ``vary``, or read from a mapping, a file or a name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ceteris.api.code_folder import look_beside
from ceteris.api.initial import started_by
from ceteris.api.own_data import as_dataset, in_memory, named
from ceteris.api.own_levels import module_levels
from ceteris.errors import CeterisError, Problem
from ceteris.spec.claim import Claim
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.model import ModuleModel
from ceteris.spec.parse import ParsedStudy, parse_study
from ceteris.spec.study import Study

if TYPE_CHECKING:
    from ceteris.api.experiment import Experiment as OwnExperiment
    from ceteris.data.dataset import Dataset

StudySource = Study | Mapping[str, Any] | str | Path


def vary(
    experiment: Experiment | Mapping[str, Any],
    factors: Mapping[str, Any] | None = None,
    /,
    *,
    title: str = "",
    seeds: int | Sequence[int] = 5,
    folds: int | Mapping[str, Any] | Folds | None = None,
    claims: Sequence[Claim | Mapping[str, Any]] = (),
    combine: Literal["cross", "zip"] | Sequence[Mapping[str, Any]] = "cross",
    **paths: Any,
) -> Study:
    """Make a study: an experiment, and what is varied while all else is held equal.

    Args:
        experiment: the base.
        factors: {path: [value, ...]} or {factor: {label: {path: value, ...}}}; values of ``model`` may be
            classes and functions that make a ``torch.nn.Module``, {"model": [Narrow, Wide]}.
        title: the question.
        seeds: how many (0, 1, ...), or which.
        folds: how many for cross-validation, or {"k": 5, "kind": "grouped", "groups": "subject"}.
        claims: sentences that the results are to support or contradict.
        combine: how several factors are combined.
        paths: further factors: ``epochs=[5, 10]``, ``**{"optimizer.lr": [0.1, 0.01]}``.

    Raises:
        CeterisError: with every problem that was found.
    """
    base = experiment if isinstance(experiment, Experiment) else _experiment(experiment)
    if factors is not None and not isinstance(factors, Mapping):
        message = f"a value of type {type(factors).__name__} holds no factors; give {{path: [value, ...]}}"
        raise CeterisError(Problem(message, where="vary"))
    twice = sorted(set(factors or {}) & set(paths))
    if twice:
        raise CeterisError(Problem("this factor is given twice", where=f"vary.{twice[0]}"))
    levels, modules = module_levels({**(factors or {}), **paths})
    if modules:
        base = _own(base).with_modules(modules)
    settings = {
        "title": title,
        "experiment": base,
        "vary": levels,
        "combine": combine,
        "seeds": seeds,
        "folds": folds,
        "claims": list(claims),
    }
    checked = parse_study(settings, metrics_follow=True, allow_code=True).study
    # The user's own experiment keeps its arrays alive; its settings are the same.
    return checked.model_copy(update={"experiment": base})


def _own(base: Experiment) -> OwnExperiment:
    """Return an experiment as one that may hold code of the user's."""
    from ceteris.api.experiment import Experiment as OwnExperiment
    from ceteris.spec.plain import explicit

    return base if isinstance(base, OwnExperiment) else OwnExperiment(**explicit(base))


def _experiment(settings: Mapping[str, Any]) -> Experiment:
    from ceteris.api.experiment import Experiment as OwnExperiment

    if not isinstance(settings, Mapping):
        message = (
            f"a value of type {type(settings).__name__} is no experiment; give an Experiment or a mapping"
        )
        raise CeterisError(Problem(message, where="experiment"))
    return OwnExperiment(**settings)


@dataclass(frozen=True)
class Planned:
    """A checked study with the name it goes by, and the rows that it reads where those are in memory."""

    parsed: ParsedStudy
    name: str
    dataset: Dataset | None
    remark: str = ""
    """What everybody who reads its verdicts has to know: what a quick look left out."""
    changed: bool = False
    """Whether options made it another study than that name says; code of one's own is given again anyway."""


def plan(
    source: StudySource,
    *,
    data: Any = None,
    test: Any = None,
    model: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
    metric_names: Sequence[str] = (),
    better: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
    varies: Sequence[str] = (),
    seeds: int | None = None,
    epochs: int | None = None,
    quick: bool = False,
    allow_code: bool = False,
    spaces: Sequence[str] | None = None,
    search: Mapping[str, Any] | None = None,
) -> Planned:
    """Read and check a study as it is to be run.

    ``data`` replaces the study's data (arrays with ``test`` rows, or a name), ``model`` its network and
    ``initial`` the way in which parameters start, with its own way for those that are not given;
    ``metric_names`` are measured besides its own, and ``better`` says which of their values are better.
    ``spaces`` and ``search`` make it a search, or change the one that it has (`parse_study`). Raises
    ``CeterisError``.
    """
    from ceteris.data.sources import misspelt

    if not isinstance(search, Mapping | None):
        message = f"a value of type {type(search).__name__} holds no settings; see `ceteris.search`"
        raise CeterisError(Problem(message, where="search"))
    look_beside(source, allow_code=allow_code)
    dataset = None if data is None and test is None else as_dataset(data, test)
    source, own_model = (source, []) if model is None else _with_model(source, model)
    given = (data, test, initial, seeds, epochs, spaces, search)
    changed = quick or bool(sets or varies) or any(option is not None for option in given)
    sets = [*_data_sets(data, dataset), *own_model, *sets]
    options: dict[str, Any] = {"varies": varies, "seeds": seeds, "epochs": epochs, "allow_code": allow_code}
    options |= {"spaces": spaces, "search": search, "metrics": metric_names, "better": better}
    options |= {"misspelt_data": misspelt}
    parsed = parse_study(source, sets=sets, **options)
    if initial is not None:
        parsed = parse_study(source, sets=[*sets, started_by(parsed.study, initial)], **options)
    remark = ""
    if quick:
        parsed, remark = _made_small(parsed, seeds, epochs)
    rows = dataset or _rows_in_memory(source, parsed)
    return Planned(parsed, study_name(source), rows, remark, changed)


def _rows_in_memory(source: StudySource, parsed: ParsedStudy) -> Dataset | None:
    """Return the rows that the user's own experiment holds, or else those that its hash names."""
    from ceteris.api.experiment import Experiment as OwnExperiment

    spec, experiment = parsed.study.experiment.data, getattr(source, "experiment", None)
    held = experiment.dataset if isinstance(experiment, OwnExperiment) else None
    if held is not None and held.content == spec.content:
        return held
    return in_memory(spec.source, spec.content)


def _made_small(parsed: ParsedStudy, seeds: int | None, epochs: int | None) -> tuple[ParsedStudy, str]:
    """Return a small version of a study, and what it left out; numbers that were asked for stay."""
    from ceteris.lab.quick import quick, quick_note

    asked: dict[str, Any] = {} if seeds is None else {"seeds": seeds}
    if epochs is not None:
        experiment = quick(parsed.study).experiment.model_copy(update={"epochs": epochs})
        asked["experiment"] = experiment
    small = quick(parsed.study).model_copy(update=asked)
    note = quick_note(parsed.study, small)
    return replace(parsed, study=small, notes=(*parsed.notes, note)), f"{note[0].upper()}{note[1:]}."


def _with_model(source: StudySource, model: Mapping[str, Any]) -> tuple[StudySource, list[str]]:
    """Return a study with its network replaced; for one in a file, as a setting on top of it.

    A study whose network has that name was given its code again: its arguments stay.
    """
    if isinstance(source, Study):
        own = source.experiment.model
        if isinstance(own, ModuleModel) and own.name == model["name"]:
            return source, []
        experiment = source.experiment.model_copy(update={"model": ModuleModel(**model)})
        return source.model_copy(update={"experiment": experiment}), []
    if isinstance(source, Mapping) and isinstance(source.get("experiment"), Mapping):
        return {**source, "experiment": {**source["experiment"], "model": model}}, []
    return source, [f"model={json.dumps(model)}"]


def _data_sets(data: Any, dataset: Dataset | None) -> list[str]:
    if dataset is not None:
        return [f"data.{setting}={value}" for setting, value in named(dataset).items()]
    if data is None:
        return []
    if not isinstance(data, str | Path):
        message = (
            f"a value of type {type(data).__name__} is no data; give arrays (X, y), or the name or path of a "
            "data set (other settings of the data belong to the experiment)"
        )
        raise CeterisError(Problem(message, where="data"))
    return [f"data.source={json.dumps(str(data))}"]


def study_name(source: StudySource) -> str:
    """Return the name of a named study, the name of a file, or nothing for a study from Python."""
    return str(source) if isinstance(source, str | Path) else ""
