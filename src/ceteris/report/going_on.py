"""How a run is gone on with: on the command line, or in Python where it needs functions of the user's own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.records.views import CHANGED
from ceteris.spec.metrics import PROVIDED_METRICS

if TYPE_CHECKING:
    from ceteris.evidence.assessment import Verdict
    from ceteris.records.views import RunRecord

MOST_SEEDS = 200
"""More seeds than this are suggested only where every open claim needs more."""


FEWEST = 5
"""Seeds that are suggested at least where no claim says how many it needs."""
MOST_TIMES = 5
"""At most so many times the seeds there are: what few seeds say of the spread is rough, so go in steps."""


SAVED = "study.yaml"
"""The file that the study which a record holds is to be saved to."""


def seeds_to_add(verdicts: Sequence[Verdict], now: int) -> int:
    """Return how many seeds in all would settle the open claims.

    If none says, twice those there are, and ``FEWEST`` at least.

    Every look costs certainty, so this is the largest need; of needs beyond ``MOST_SEEDS`` the smallest
    counts, and only where there is no other; and it is at most ``MOST_TIMES`` as many as there are.
    """
    needed = sorted(v.seeds_needed for v in verdicts if v.seeds_needed is not None and v.seeds_needed > now)
    within = [seeds for seeds in needed if seeds <= MOST_SEEDS]
    enough = within[-1] if within else needed[0] if needed else max(FEWEST, 2 * now)
    return min(enough, MOST_TIMES * max(1, now))


def own_arguments(run: RunRecord) -> str:
    """Return the Python arguments by which code of the user's own is given again; empty without any.

    A record keeps no code. Code that the study names as ``package.module:Name`` is found by itself.
    """
    experiments = [trial.experiment for trial in run.trials]
    metrics = dict.fromkeys(name for own in experiments for name in own.get("metrics") or ())
    functions = [name for name in metrics if ":" not in name and name not in PROVIDED_METRICS]
    modules = list(dict.fromkeys(name for own in experiments if (name := _module(own)) is not None))
    parts = []
    if functions:
        parts.append(f"metrics={_by_name(functions)}")
    if modules:
        parts.append(f"model={_by_name(modules) if len(modules) > 1 else modules[0]}")
    return ", ".join(parts)


def _module(experiment: Mapping[str, Any]) -> str | None:
    """Return the name of the network of the user's own that was given as a class or function."""
    model = experiment.get("model") or {}
    name = model.get("name") if model.get("kind") == "module" else None
    return name if isinstance(name, str) and ":" not in name else None


def _by_name(names: Sequence[str]) -> str:
    return "{" + ", ".join(f"{name!r}: {name}" for name in names) + "}"


def allow_code(run: RunRecord) -> str:
    """Return the option that a study with references to the user's own code needs, or nothing."""
    experiments = [trial.experiment for trial in run.trials]
    named = [name for own in experiments for name in own.get("metrics") or ()]
    named += [str((own.get("model") or {}).get("name", "")) for own in experiments]
    return " --allow-code" if any(":" in name for name in named) else ""


def commands(run: RunRecord, more: int) -> str:
    """Return the commands that go on with a run, each with what it does; ``more``: seeds in all."""
    allowed = allow_code(run)
    lines = [(f"ceteris show {run.id}", "the table and the verdicts in the terminal")]
    if not own_arguments(run):
        lines = [
            (f"ceteris resume {run.id}{allowed}", "finish what is missing; finished trials are kept"),
            (f"ceteris extend {run.id} --seeds {more}{allowed}", "add seeds and judge again"),
            *lines,
        ]
        if run.study_name:
            name = _study_to_run(run)
            afresh = "run the whole study afresh" + (", saved from below" if name == SAVED else "")
            lines.append((f"ceteris run {shlex.quote(name)}{allowed}", afresh))
    width = max(len(command) for command, _ in lines)
    return "\n".join(f"{command:<{width}}   # {words}" for command, words in lines)


def python_lines(run: RunRecord, more: int) -> str:
    """Return the Python that goes on with a run; code of the user's own is given again."""
    own = own_arguments(run)
    lines = ["import ceteris", "", f"run = ceteris.load_run({run.id!r})"]
    if own:
        lines += [
            "# The run needs code of your own, which its record does not hold. Define it, then:",
            f"run = ceteris.resume({run.id!r}, {own})",
            f"run = ceteris.extend({run.id!r}, seeds={more}, {own})",
        ]
    if run.study_name:
        name = _study_to_run(run)
        saved = "  # the study below" if name == SAVED else ""
        lines.append(f"again = ceteris.run({name!r}{', ' + own if own else ''}){saved}")
    return "\n".join(lines)


def _study_to_run(run: RunRecord) -> str:
    """Return the study that is this one: its name or file, unless options changed what stands there."""
    return SAVED if run.facts.get(CHANGED) else run.study_name


def yaml_words(run: RunRecord) -> str:
    """Return what runs the study once it is saved as ``SAVED``."""
    own = own_arguments(run)
    return f"ceteris.run({SAVED!r}, {own})" if own else f"ceteris run {SAVED}{allow_code(run)}"
