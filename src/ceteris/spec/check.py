"""Checks a whole study: settings, levels, combinations and claims, collecting every problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ceteris.errors import Problem
from ceteris.spec.beside import all_problems, claim_without_mistakes
from ceteris.spec.claim import Claim
from ceteris.spec.claim_check import (
    claim_problems,
    direction_problem,
    epoch_problem,
    known_metrics,
    metric_problem,
    missing_levels,
)
from ceteris.spec.combine import combinations, combine_problems
from ceteris.spec.draft import Draft
from ceteris.spec.factors import ReadFactors
from ceteris.spec.level_check import combination_problems, level_problems, resolved
from ceteris.spec.patch import ROOT, complete, own_path
from ceteris.spec.search_check import search_problems
from ceteris.spec.space import corner_rows
from ceteris.spec.study import Combine, Factor, Study
from ceteris.spec.wording import MISSING


def checked_study(draft: Draft, read: ReadFactors, *, metrics_follow: bool, allow_code: bool) -> Study | None:
    """Return the study, or None and all problems in ``draft.problems``."""
    settings = {key: value for key, value in draft.data.items() if key != "vary"}
    study, problems = _validated(settings)
    draft.problems += [_needed_though_varied(problem, read.factors) for problem in problems]
    experiment = settings.get(ROOT)
    base = complete(experiment) if isinstance(experiment, dict) else None
    if base is not None:
        draft.problems += level_problems(base, read.factors, read.places)
    draft.problems += _combine_problems(settings.get("combine", "cross"), read.factors)
    draft.problems += _claim_problems(draft.data, read, metrics_follow)
    problems, space = search_problems(draft.data)
    draft.problems += problems
    if base is not None:
        ends = level_problems(base, space.factors, space.places)
        # What is wrong with an end of a range is not told again of the values between.
        draft.problems += [p for p in ends if not any(q.where.startswith(f"{p.where}.") for q in ends)]
    if study is None or base is None or draft.problems:
        return None
    factors = tuple(resolved(factor, base) for factor in read.factors)
    draft.problems += combination_problems(study, factors, base, read.places, allow_code=allow_code)
    if study.search is not None:
        around, rows = corner_rows(space.factors)
        corner_study = study.model_copy(update={"combine": rows})
        draft.problems += combination_problems(
            corner_study, around, base, space.places, allow_code=allow_code
        )
    study = study.model_copy(update={"vary": factors})
    return study if draft.problems or study.search is not None else _claims_within_reach(draft, study)


def _needed_though_varied(problem: Problem, factors: Sequence[Factor]) -> Problem:
    """Say of a setting which the base experiment lacks that levels only replace it, where they do."""
    path = problem.where.removeprefix(f"{ROOT}.")
    if not problem.message.startswith(MISSING) or path == problem.where:
        return problem
    if all(path not in level.patch for factor in factors for level in factor.levels):
        return problem
    return replace(problem, message=f"{problem.message}; the base needs it too, though levels replace it")


def _claims_within_reach(draft: Draft, study: Study) -> Study:
    """Find the claims about epochs that do not come; they are dropped where an option said how many come."""
    if all(claim.between is None for claim in study.claims):
        return study
    longest = max(combination.experiment.epochs for combination in combinations(study))
    option = next((text for place, text in draft.options.items() if _sets_epochs(place)), None)
    kept = []
    for i, claim in enumerate(study.claims):
        problems = epoch_problem(claim, f"claims.{i}", longest)
        if option is None:
            draft.problems += problems
        if not problems:
            kept.append(claim)
        elif option is not None:
            draft.notes.append(f"the claim '{claim.text}' is dropped: {option}, and {problems[0].message}")
    return study.model_copy(update={"claims": tuple(kept)})


def _sets_epochs(place: str) -> bool:
    """Tell whether an option's place is how long is trained, and not when something is measured."""
    varied = place.startswith("vary.") and place.endswith("epochs") and "probes" not in place
    return place == "experiment.epochs" or varied


def _validated(settings: Mapping[str, Any]) -> tuple[Study | None, list[Problem]]:
    try:
        return Study.model_validate(settings), []
    except ValidationError as error:
        return None, all_problems(error, Study, settings)


def _combine_problems(combine: Any, factors: Sequence[Factor]) -> list[Problem]:
    adapter: TypeAdapter[Any] = TypeAdapter(Combine)
    try:
        return combine_problems(factors, adapter.validate_python(combine))
    except ValidationError:
        return []  # the validation of the study has said so


def _claim_problems(settings: Mapping[str, Any], read: ReadFactors, metrics_follow: bool) -> list[Problem]:
    experiment = settings.get(ROOT)
    own = experiment.get("metrics") if isinstance(experiment, dict) else None
    metrics = known_metrics([name for name in own if isinstance(name, str)] if isinstance(own, list) else [])
    stated = experiment.get("better") if isinstance(experiment, dict) else None
    broken = _broken_factors(settings.get("vary"), read)
    claims, valid = settings.get("claims"), valid_claims(settings.get("claims"))
    problems = []
    for i, raw in enumerate(claims if isinstance(claims, list) else ()):
        where, claim = f"claims.{i}", claim_without_mistakes(raw)
        if claim is None:
            continue
        problems += metric_problem(claim, where, metrics, metrics_follow)
        if where in valid and claim.metric in metrics and not metrics_follow:
            problems += direction_problem(claim, where, stated if isinstance(stated, dict) else {})
        if broken is not None and not _compared_factors(claim) & broken:
            problems += claim_problems(claim, where, read.factors)
    return problems


def _broken_factors(vary: Any, read: ReadFactors) -> set[str | None] | None:
    """Return the factors that could not be read, with None for the one that is not named; None: not known."""
    if not read.problems:
        return set()
    if not isinstance(vary, dict):
        return None
    broken = {own_path(str(name)) for name in vary} - {factor.name for factor in read.factors}
    return {None, *broken} if broken else set()


def _compared_factors(claim: Claim) -> set[str | None]:
    """Return the factors that a claim names, with None for the only one, which it need not name."""
    named = set(claim.interaction.factors) if claim.interaction else {claim.factor}
    return {*named, *claim.where}


def valid_claims(claims: Any) -> dict[str, Claim]:
    """Return the claims that are valid by themselves, each by its dotted path."""
    found = {}
    for i, claim in enumerate(claims if isinstance(claims, list) else ()):
        try:
            found[f"claims.{i}"] = Claim.model_validate(claim)
        except ValidationError:
            continue
    return found


def drop_claims(draft: Draft, factors: Sequence[Factor]) -> None:
    """Drop the claims about levels that --vary took out of the study, with a note for each."""
    claims = draft.data.get("claims")
    if not isinstance(claims, list):
        return
    valid = valid_claims(claims)
    kept = []
    for i, raw in enumerate(claims):
        claim = valid.get(f"claims.{i}")
        missing = missing_levels(claim, factors) if claim is not None else []
        if claim is not None and missing:
            draft.notes.append(f"the claim '{claim.text}' is dropped: --vary left out the level {missing[0]}")
        else:
            kept.append(raw)
    draft.data["claims"] = kept
