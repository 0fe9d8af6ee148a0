"""A search against its study: settings that exist, candidates that can be compared, a metric that ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ceteris.errors import Problem, unknown_name
from ceteris.spec.experiment import VALIDATION_METRICS, metric_name
from ceteris.spec.factors import ReadFactors
from ceteris.spec.metrics import direction, unknown_direction
from ceteris.spec.patch import ROOT, own_path, path_problem
from ceteris.spec.search import MOST_TRIALS, Search
from ceteris.spec.space import corners, grid_size

OTHER_ROWS = (
    "data",
    "data.source",
    "data.target",
    "data.test",
    "data.ids",
    "data.drop",
    "data.parameters",
    "data.resize",
    "data.project",
    "data.split",
    "data.validation",
    "data.validation_balanced",
    "data.content",
)
"""Settings that change which rows validate, or what they are."""
MEASURED = ("metrics", "better")


def search_problems(settings: Mapping[str, Any]) -> tuple[list[Problem], ReadFactors]:
    """Return what is wrong with the search of a study, besides what its own validation says.

    Args:
        settings: the study as plain data; any of it may be invalid.

    Returns:
        The problems, and the corners of the space as factors: each is to make a possible experiment.
    """
    given = settings.get("search")
    if not isinstance(given, Mapping):
        return [], ReadFactors()
    space = given.get("space")
    names = [str(name) for name in space] if isinstance(space, Mapping) else []
    problems = [*_space_problems(names), *_company_problems(settings, names)]
    search = _valid_part(given)
    if search is None:
        return problems, ReadFactors()
    problems += [*_metric_problems(settings, search), *_method_problems(search)]
    known = {name: own for name, own in search.space.items() if path_problem(own_path(name)) is None}
    return problems, corners(search.model_copy(update={"space": known}), inside=True)


def _valid_part(given: Mapping[str, Any]) -> Search | None:
    """Return the search without what is wrong in it by itself, which its own validation has said."""
    space = given.get("space")
    dimensions = {
        name: own
        for name, own in (space.items() if isinstance(space, Mapping) else ())
        if _fits({"space": {name: own}})
    }
    others = {
        name: value
        for name, value in given.items()
        if name != "space" and _fits({"space": dimensions, name: value})
    }
    return Search.model_validate({"space": dimensions, **others}) if dimensions else None


def _fits(settings: Mapping[str, Any]) -> bool:
    try:
        Search.model_validate(settings)
    except ValidationError:
        return False
    return True


def _space_problems(names: Sequence[str]) -> Iterator[Problem]:
    paths = [own_path(name) for name in names]
    for name, path in zip(names, paths, strict=True):
        where = f"search.space.{name}"
        outer = next((other for other in paths if path.startswith(f"{other}.")), None)
        if (problem := path_problem(path)) is not None:
            yield Problem(problem, where=where)
        elif paths.count(path) > 1:
            yield Problem(f"`{path}` is searched twice; leave one of them out", where=where)
        elif outer is not None:
            yield Problem(f"`{outer}` is searched too and replaces this; leave one of them out", where=where)
        elif path in OTHER_ROWS:
            yield Problem(
                f"candidates are compared on the same rows, and `{path}` changes them; compare its values in "
                "a study of their own, with `vary` and without a `search`",
                where=where,
            )
        elif path in MEASURED:
            yield Problem(f"`{path}` trains nothing and so cannot be searched", where=where)


def _company_problems(settings: Mapping[str, Any], names: Sequence[str]) -> Iterator[Problem]:
    """Yield what a study with a search cannot have beside it."""
    vary = settings.get("vary")
    paths = [own_path(name) for name in names]
    varied = [own_path(str(name)) for name in vary] if isinstance(vary, Mapping) else []
    for path in varied:
        if path in paths:
            yield Problem(f"`{path}` is searched and varied; leave one of them out", where=f"vary.{path}")
    if vary and not set(varied) & set(paths):
        yield Problem(
            "a study with a `search` trains its candidates and no other levels; leave `vary` out, or give "
            "its values as `choices` of the search",
            where="vary",
        )
    if settings.get("claims"):
        yield Problem(
            "a search has no levels that a claim could name before it is run; leave `claims` out", "claims"
        )
    if settings.get("combine", "cross") != "cross":
        yield Problem("a search chooses its combinations itself; leave `combine` out", where="combine")


def _metric_problems(settings: Mapping[str, Any], search: Search) -> Iterator[Problem]:
    experiment = settings.get(ROOT)
    base: Mapping[str, Any] = experiment if isinstance(experiment, Mapping) else {}
    given = base.get("metrics")
    own = [metric_name(name) for name in given if isinstance(name, str)] if isinstance(given, list) else []
    known = [*VALIDATION_METRICS, *(f"val_{name}" for name in own)]
    stated = base.get("better")
    if search.metric is not None and search.metric not in known:
        yield Problem(unknown_name("validation metric", search.metric, known), where="search.metric")
    elif search.metric and direction(search.metric, stated if isinstance(stated, Mapping) else {}) is None:
        yield Problem(unknown_direction(search.metric), where="search.metric")
    if search.metric in (None, "val_loss"):
        for name in search.space:
            if own_path(name) == "loss":
                yield Problem(
                    "losses of different kinds are no measure of each other; rank by another `metric`",
                    where=f"search.space.{name}",
                )


def _method_problems(search: Search) -> Iterator[Problem]:
    if search.method == "grid" and (size := grid_size(search)) > MOST_TRIALS:
        yield Problem(
            f"the grid has {size:,} candidates; at most {MOST_TRIALS:,} can be run: use fewer `points`, or "
            "`method: random`",
            where="search.method",
        )
    if search.halving is None:
        return
    if search.method == "bayesian":
        yield Problem(
            "halving needs all candidates at once, and `bayesian` proposes them one batch after another; use "
            "`method: random`, or leave `halving` out",
            where="search.halving",
        )
    size_path = "epochs" if search.halving.by == "epochs" else "data.rows"
    for name in search.space:
        if own_path(name) == size_path:
            yield Problem(
                f"halving sets `{size_path}` itself; leave one of them out", where=f"search.space.{name}"
            )
    if search.batch is not None:
        yield Problem("halving trains a round at once; leave `batch` out", where="search.batch")
