"""What the command line changes in a study before it is checked: --set, --vary, --seeds, --epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ceteris.errors import CeterisError, Problem
from ceteris.spec.document import parse_value
from ceteris.spec.draft import Draft
from ceteris.spec.factors import read_factors
from ceteris.spec.labels import shown
from ceteris.spec.patch import ROOT, complete, own_path, patched_settings, path_problem
from ceteris.spec.study import Factor


def apply_sets(draft: Draft, sets: Sequence[str]) -> None:
    """Replace settings of the base experiment by ``path=value``, values in YAML."""
    if not isinstance(draft.data.get(ROOT), dict):
        return
    for text in sets:
        option = f"--set {text}"
        read = _read(draft, option, text, parse_value)
        if read is None:
            continue
        path, value = read
        if _is_given(draft, f"{ROOT}.{path}", option):
            continue
        try:
            draft.data[ROOT] = patched_settings(complete(draft.data[ROOT]), {path: value})
        except CeterisError as error:
            draft.problems += [Problem(problem.message, where=option) for problem in error.problems]
            continue
        draft.replace(f"{ROOT}.{path}", option)


def _read(draft: Draft, option: str, text: str, parse: Callable[[str], Any]) -> tuple[str, Any] | None:
    """Split ``path=value``; collects a problem and returns None where that cannot be done."""
    path, equals, value = text.partition("=")
    path = own_path(path.strip())
    problem = path_problem(path) if equals else f"this is not `path=value`, such as `{path or 'epochs'}=...`"
    if problem is not None:
        draft.problems.append(Problem(problem, where=option))
        return None
    try:
        return path, parse(value)
    except CeterisError as error:
        draft.problems += [Problem(found.message, where=option) for found in error.problems]
        return None


def apply_varies(draft: Draft, varies: Sequence[str]) -> None:
    """Add factors, or replace those of the same name, by ``path=a,b,c``, values in YAML."""
    own = read_factors(draft.data.get("vary")).factors
    vary = _as_mapping(draft.data.get("vary"), draft)
    if vary is None:
        return
    replaced = False
    for text in varies:
        option = f"--vary {text}"
        read = _read(draft, option, text, _parse_values)
        if read is None:
            continue
        path, values = read
        if _is_given(draft, f"vary.{path}", option):
            continue
        for name in [name for name in vary if own_path(name) == path]:
            vary[path] = vary.pop(name) if name != path else vary[name]
        vary[path] = values
        draft.replace(f"vary.{path}", option)
        replaced = True
    if not replaced:
        return
    draft.data["vary"] = vary
    if draft.data.get("combine", "cross") != "cross":
        draft.data["combine"] = "cross"
        draft.replace("combine", "--vary")
        draft.notes.append("the factors are crossed, because --vary changed them")
    if len(own) == 1 and len(vary) > 1:
        _name_factor(draft.data.get("claims"), own[0].name)


def _is_given(draft: Draft, place: str, option: str) -> bool:
    """Collect a problem where an option gives what another one gave, which would have no effect."""
    before = draft.options.get(place)
    if before is not None:
        path = place.partition(".")[2]
        draft.problems.append(Problem(f"`{path}` is given twice, first by `{before}`", where=option))
    return before is not None


def _as_mapping(vary: Any, draft: Draft) -> dict[str, Any] | None:
    """Return ``vary`` in its mapping form, or None where it is not valid anyway."""
    if vary is None:
        return {}
    if isinstance(vary, dict):
        return dict(vary)
    read = read_factors(vary)
    if read.problems:
        return None
    for path in [path for path in draft.lines if path.startswith("vary.")]:
        del draft.lines[path]
    return {
        factor.name: {level.label: dict(level.patch) for level in factor.levels} for factor in read.factors
    }


def _parse_values(text: str) -> list[Any]:
    values = parse_value(f"[{text}]")
    if not isinstance(values, list):
        raise CeterisError(f"{shown(text)} is not a list of values such as a,b,c")
    return values


def _name_factor(claims: Any, factor: str) -> None:
    """Write the only factor of a study into its claims before another is added."""
    for claim in claims if isinstance(claims, list) else ():
        if isinstance(claim, dict) and claim.get("interaction") is None and claim.get("factor") is None:
            claim["factor"] = factor


def apply_counts(draft: Draft, seeds: int | None, epochs: int | None) -> None:
    """Replace the number of seeds and of epochs."""
    if seeds is not None:
        draft.data["seeds"] = seeds
        draft.replace("seeds", f"--seeds {shown(seeds)}")
    if epochs is not None and isinstance(draft.data.get(ROOT), dict):
        draft.data[ROOT] = {**draft.data[ROOT], "epochs": epochs}
        draft.replace(f"{ROOT}.epochs", f"--epochs {shown(epochs)}")


def add_metrics(draft: Draft, metrics: Sequence[str], better: Mapping[str, str]) -> None:
    """Let the base experiment measure metrics that were given beside the study."""
    experiment = draft.data.get(ROOT)
    if not metrics or not isinstance(experiment, dict):
        return
    listed = experiment.get("metrics") or []
    if isinstance(listed, list):
        missing = [name for name in metrics if name not in listed]
        draft.data[ROOT] = {**experiment, "metrics": [*listed, *missing]}
    stated = experiment.get("better") or {}
    if better and isinstance(stated, dict):
        draft.data[ROOT] = {**draft.data[ROOT], "better": {**stated, **better}}


def note_hidden_settings(draft: Draft, factors: Sequence[Factor]) -> None:
    """Note every option that sets what the levels of a factor set too, and so does nothing there."""
    patched = {factor.name: {path for level in factor.levels for path in level.patch} for factor in factors}
    for place, option in draft.options.items():
        setting = own_path(place)
        for factor, paths in patched.items() if place != setting else ():
            if any(setting == path or setting.startswith(f"{path}.") for path in paths):
                no_effect = f"has no effect where a level of `{factor}` sets {setting} itself"
                draft.notes.append(f"{option} {no_effect}")


def note_replaced_parts(draft: Draft, factors: Sequence[Factor]) -> None:
    """Note where ``--vary optimizer=sgd`` sets back what the base experiment gave."""
    base = draft.data[ROOT]
    for factor in factors:
        given = base.get(factor.name) if f"vary.{factor.name}" in draft.options else None
        lost = [name for name in given if name not in ("kind", "init")] if isinstance(given, dict) else []
        if lost and any(isinstance(level.patch[factor.name], str) for level in factor.levels):
            name = factor.name
            draft.notes.append(
                f"--vary {name} replaces the whole {name} and sets {', '.join(lost)} back to the default; "
                f"`--vary {name}.kind=...` keeps what the base gives"
            )
