"""How a run is repeated: commands, Python, and everything that decided its last bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.assessment import Verdict
from ceteris.evidence.constants import constant_words
from ceteris.records.views import CHANGED, CONSTANT, DOUBTS, PLAN, REMARK, RunRecord
from ceteris.report.going_on import commands, python_lines, seeds_to_add, yaml_words
from ceteris.spec.dump import study_from_dict, study_to_yaml
from ceteris.spec.labels import format_label

Pairs = tuple[tuple[str, str], ...]

FACT_NAMES = {
    "name": "Data set",
    "source": "Source",
    "task": "Task",
    "rows": "Rows",
    "rows_by_level": "Rows of",
    "shape": "Shape of an input",
    "classes": "Classes",
    "outputs": "Outputs",
    "content": "Content (SHA-256)",
    "device": "Device",
    "value_range": "Range of input values",
    "documented_range": "Documented range of inputs",
    "counts": "Training rows of each class",
    "target_range": "Range of targets",
    "target_type": "Type of targets",
    "target_shape": "Shape of a target",
    "type": "Type of inputs",
    "range": "Range of inputs",
    "rms": "Root mean square of inputs",
    "train_rows": "Rows to train on",
    "validation_rows": "Rows to validate on",
    "search_rows": "Rows to train a candidate on in full",
    "origin": "Read from",
    CONSTANT: "A constant would reach",
}
"""What a fact is called on the page; others keep their own name."""


@dataclass(frozen=True)
class Repeat:
    """Everything that the section on repetition shows."""

    commands: str
    python: str
    facts: Pairs
    study: str
    study_runs_with: str


def repeat(run: RunRecord, verdicts: Sequence[Verdict] = ()) -> Repeat:
    """Say how ``run`` is resumed, extended, read and repeated."""
    more = seeds_to_add(verdicts, len({trial.seed for trial in run.trials}))
    facts = (
        ("Run", run.id),
        ("Device", run.device),
        ("Seeds", _seeds(run)),
        *_own_code(run),
        *named_facts(run.versions),
        *named_facts(run.numerics),
    )
    study = study_to_yaml(study_from_dict(run.study))
    return Repeat(commands(run, more), python_lines(run, more), facts, study, yaml_words(run))


def _seeds(run: RunRecord) -> str:
    return ", ".join(str(seed) for seed in sorted({trial.seed for trial in run.trials}))


def _own_code(run: RunRecord) -> Pairs:
    """Name the user's own code that the run needs and its record does not hold (law 10)."""
    hashes = {**run.facts.get("metrics", {}), **run.facts.get("modules", {})}
    told = [f"`{name}` (source SHA-256 {digest[:12]}...)" for name, digest in hashes.items()]
    return (("Needs code of your own", ", ".join(told)),) if told else ()


def data_facts(facts: Mapping[str, Any]) -> Pairs:
    """Return the facts about a run's data as (name, value) in words; what does not exist is left out."""
    known = {
        key: value
        for key, value in facts.items()
        if value not in (None, {}, []) and key not in (REMARK, CHANGED, PLAN, DOUBTS)
    }
    counts = known.get("counts")
    if isinstance(counts, Mapping):
        known["counts"] = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    rows = known.get("rows_by_level")
    if isinstance(rows, Mapping):
        known["rows_by_level"] = _by_level({level: _words(own) for level, own in rows.items()})
        if isinstance(known["rows_by_level"], str):  # the rows to train and to validate on say the same
            del known["rows_by_level"]
    constants = known.get(CONSTANT)
    if isinstance(constants, Mapping):
        known[CONSTANT] = _by_level({level: constant_words(own) for level, own in constants.items()})
    return tuple((f"{name[:1].upper()}{name[1:]}", value) for name, value in named_facts(known))


def _by_level(told: Mapping[str, str]) -> str | dict[str, list[str]]:
    """Return what is told of levels: one text where it is the same of all, else the levels of each text."""
    if len(set(told.values())) <= 1:
        return next(iter(told.values()), "")
    return {
        ", ".join(level for level, own in told.items() if own == words): [words]
        for words in dict.fromkeys(told.values())
    }


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
