"""How a run is repeated: commands, Python, and everything that decided its last bits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ceteris.records.views import RunRecord
from ceteris.spec.dump import study_from_dict, study_to_yaml
from ceteris.spec.labels import format_label

Pairs = tuple[tuple[str, str], ...]

FACT_NAMES = {
    "name": "Data set",
    "source": "Source",
    "task": "Task",
    "rows": "Rows",
    "shape": "Shape of an input",
    "classes": "Classes",
    "outputs": "Outputs",
    "content": "Content (SHA-256)",
    "device": "Device",
    "value_range": "Range of input values",
}
"""What a fact is called on the page; others keep their own name."""


@dataclass(frozen=True)
class Repeat:
    """Everything that the section on repetition shows."""

    commands: str
    python: str
    facts: Pairs
    study: str


def repeat(run: RunRecord) -> Repeat:
    """Say how ``run`` is resumed, extended, read and repeated."""
    facts = (
        ("Run", run.id),
        ("Device", run.device),
        ("Seeds", _seeds(run)),
        *named_facts(run.versions),
        *named_facts(run.numerics),
    )
    return Repeat(_commands(run), _python(run), facts, study_to_yaml(study_from_dict(run.study)))


def _seeds(run: RunRecord) -> str:
    return ", ".join(str(seed) for seed in sorted({trial.seed for trial in run.trials}))


def _commands(run: RunRecord) -> str:
    more = 2 * max(1, len({trial.seed for trial in run.trials}))
    lines = [
        (f"ceteris resume {run.id}", "finish what is missing; finished trials are kept"),
        (f"ceteris extend {run.id} --seeds {more}", "add seeds and judge again"),
        (f"ceteris show {run.id}", "the table and the verdicts in the terminal"),
    ]
    if run.study_name:
        lines.append((f"ceteris run {shlex.quote(run.study_name)}", "run the whole study afresh"))
    width = max(len(command) for command, _ in lines)
    return "\n".join(f"{command:<{width}}   # {words}" for command, words in lines)


def _python(run: RunRecord) -> str:
    lines = ["import ceteris", "", f"run = ceteris.load_run({run.id!r})"]
    if run.study_name:
        lines += [f"again = ceteris.run({run.study_name!r})"]
    return "\n".join(lines)


def named_facts(facts: Mapping[str, Any], prefix: str = "") -> Pairs:
    """Return facts as (name, value) in words; nested ones are named by their path."""
    pairs: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{prefix}{FACT_NAMES.get(key, key.replace('_', ' '))}"
        if isinstance(value, Mapping) and any(
            isinstance(inner, Mapping | list | tuple) for inner in value.values()
        ):
            pairs += named_facts(value, f"{name}: ")
        else:
            pairs.append((name, _words(value)))
    return tuple(pairs)


def _words(value: Any) -> str:
    """Write a fact: mappings as "name value" pairs, numbers with commas, a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value) or "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return format_label(value)
