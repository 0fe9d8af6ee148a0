"""Replication: all named studies one after another, what is on record reused, and one page of verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.replication_time import roughly, study_seconds
from ceteris.errors import CeterisError, unknown_name

if TYPE_CHECKING:
    from ceteris.api.execution import Means
    from ceteris.api.result import Result
    from ceteris.api.studies import Planned


MINUTE = 60.0


@dataclass(frozen=True)
class Outcome:
    """What became of one study: its result, or in words why there is none."""

    name: str
    source: str
    note: str
    result: Result | None = None
    failure: str = ""


@dataclass
class Replication:
    """The outcomes so far, in the order in which the studies ran, and whether it was interrupted."""

    outcomes: list[Outcome] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The studies that have no result."""
        return tuple(outcome for outcome in self.outcomes if outcome.failure)


def names_of(subject: str | None) -> tuple[str, ...]:
    """Return the named studies of a subject such as ``fashion-mnist``, of a single name, or all of them.

    Raises ``CeterisError`` for what is neither, with the nearest.
    """
    from ceteris.spec.named import named_paths

    names = tuple(named_paths())
    chosen = tuple(n for n in names if subject in (None, n, n.partition("/")[0]))
    if chosen:
        return chosen
    subjects = dict.fromkeys(name.partition("/")[0] for name in names)
    raise CeterisError(unknown_name("subject", str(subject), [*subjects, *names], "ceteris studies"))


def replicate(
    names: Sequence[str],
    options: dict[str, Any],
    training: Callable[[], AbstractContextManager[Means]],
    tell: Callable[[str], None],
    folder: Path,
) -> Replication:
    """Run studies, the cheapest first; a study that fails does not keep the others from running.

    A finished run of the very same study is reused, one that stopped is resumed. ``options`` are those of
    ``plan`` (quick, seeds, epochs, sets); ``training`` opens what a study is trained with, anew for each.
    ``folder`` holds the records. How long all will take is told first, and again as studies end.
    """
    from ceteris.api.studies import plan

    planned, done = [], Replication()
    for name in names:
        try:
            planned.append(plan(name, **options))
        except CeterisError as error:
            done.outcomes.append(Outcome(name, "", "", failure=" ".join(map(str, error.problems))))
    planned.sort(key=lambda one: study_seconds(one.parsed.study))
    there = [(recorded(one, folder) or ("", ""))[1] == "finished" for one in planned]
    fresh = [one.parsed.study for one, known in zip(planned, there, strict=True) if not known]
    if fresh:
        studies = "study" if len(fresh) == 1 else "studies"
        tell(f"{len(fresh)} {studies} to train: {roughly(fresh)}")
    expected = [
        0.0 if known else study_seconds(one.parsed.study) for one, known in zip(planned, there, strict=True)
    ]
    spent: list[tuple[float, float]] = []
    for place, one in enumerate(planned):
        left = f"; about {_minutes(seconds_left(spent, expected[place:]))} left" if spent else ""
        tell(f"study {place + 1} of {len(planned)}: {one.name}{left}")
        began = time.monotonic()
        with training() as means:
            outcome, trained = _attempt(one, means)
            done.interrupted = means.stop.after_epoch
        done.outcomes.append(outcome)
        if outcome.failure:
            tell(f"{one.name}: {outcome.failure}")
        if trained:
            spent.append((expected[place], time.monotonic() - began))
        if done.interrupted:
            break
    return done


def full_form(names: Sequence[str], options: Mapping[str, Any]) -> str:
    """Say how long studies take in their full form, whatever of it is on record."""
    from ceteris.api.studies import plan

    found = [plan(name, **{**options, "quick": False}).parsed.study for name in names]
    return roughly(found)


def seconds_left(spent: Sequence[tuple[float, float]], expected: Sequence[float]) -> float:
    """Return the time that studies will take of which so many seconds are expected.

    ``spent`` holds what was expected and what it took of each study that was run. Their ratio corrects what
    is expected of the others; a minute that took as long as expected is taken to have been run before, so
    that a few small studies do not say too much.
    """
    foreseen = MINUTE + sum(before for before, _ in spent)
    took = MINUTE + sum(seconds for _, seconds in spent)
    return took / foreseen * sum(expected)


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"


def _attempt(planned: Planned, means: Means) -> tuple[Outcome, bool]:
    """Return what a study came to, and whether anything was trained for it."""
    from ceteris.api.execution import Permissions, recorded_result, resume_recorded, run_planned

    study = planned.parsed.study
    outcome = Outcome(planned.name, study.source, study.note)
    try:
        found = recorded(planned, means.runs_folder)
        if found is not None and found[1] == "finished":
            result, fresh = recorded_result(found[0], means.runs_folder), False
        elif found is not None:
            result, fresh = resume_recorded(found[0], means, Permissions()), True
        else:
            result, fresh = run_planned(planned, means), True
        result.report()
    except CeterisError as error:
        return replace(outcome, failure=" ".join(map(str, error.problems))), False
    except Exception as error:
        return replace(outcome, failure=f"{type(error).__name__}: {error}"), False
    return replace(outcome, result=result), fresh


def recorded(planned: Planned, folder: Path) -> tuple[str, str] | None:
    """Return the newest run of the very same study with its status: a finished one before others."""
    from ceteris.records.database import DATABASE_NAME

    if not (folder / DATABASE_NAME).is_file():
        return None
    runs = list(_same_study(planned, folder))
    return next((run for run in runs if run[1] == "finished"), runs[0] if runs else None)


def _same_study(planned: Planned, folder: Path) -> Iterator[tuple[str, str]]:
    from ceteris.records.store import Store
    from ceteris.spec.dump import study_to_dict

    wanted = _without_content(study_to_dict(planned.parsed.study))
    with Store(folder, create=False) as store:
        for summary in store.list_runs():
            if summary.title != planned.parsed.study.title:
                continue
            run = store.load_run(summary.id)
            if run.study_name == planned.name and _as_now(run.study) == wanted:
                yield run.id, run.status


def _as_now(recorded: Mapping[str, Any]) -> Any:
    """Return a recorded study as one is written today: settings that are newer than it have their defaults.

    A record also holds the hash of its data, which a study's file does not.
    """
    from ceteris.spec.dump import study_from_dict, study_to_dict

    try:
        return _without_content(study_to_dict(study_from_dict(recorded)))
    except CeterisError:  # it says something that is not said any more
        return None


def _without_content(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_content(value) for key, value in part.items() if key != "content"}
    return [_without_content(item) for item in part] if isinstance(part, list | tuple) else part
