"""The report: one HTML file that opens offline, with its data, its charts and its style inside."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from ceteris.evidence.assessment import Assessment
from ceteris.records.views import RunRecord, TrialRecord
from ceteris.report import claims
from ceteris.report.answer import answer
from ceteris.report.curves import Curves, curves
from ceteris.report.effects import Effects, effects
from ceteris.report.embed import json_block
from ceteris.report.extras import Extras
from ceteris.report.figures import Figures, figures
from ceteris.report.final_test import FinalTest, final_test
from ceteris.report.level_table import LevelTable, level_table
from ceteris.report.notes import notes, warnings
from ceteris.report.numbers import counted, duration
from ceteris.report.repeat import Pairs, Repeat, data_facts, repeat
from ceteris.report.search import SearchSection, search_section
from ceteris.report.settings import Settings, compare_settings
from ceteris.report.sharing import ORDERING, sharing, varied_among


@dataclass(frozen=True)
class Page:
    """Everything that the template shows, worded; nothing is computed in the template."""

    title: str
    overline: str
    answer: str
    warnings: tuple[str, ...]
    claims: tuple[claims.ClaimRow, ...]
    claim_columns: tuple[str, ...]
    search: SearchSection | None
    levels: LevelTable
    effects: Effects | None
    figures: Figures
    curves: Curves
    curves_hint: str
    single_lines: str
    """What a thin line of the charts is one of: seeds, or folds."""
    paired_over: str
    legend: tuple[str, ...]
    final_test: FinalTest | None
    settings: Settings
    sharing: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Pairs
    again: Repeat
    version: str
    footer: str
    data: Markup
    reload: int = 0
    """Seconds after which a browser reads the page anew; 0: never."""


def write_report(
    run: RunRecord, assessment: Assessment, path: Path, extras: Extras | None = None, reload: int = 0
) -> Path:
    """Write the report of ``run`` to ``path`` and return it; ``extras`` bring further figures.

    ``reload``: after so many seconds a browser reads the page anew, for a run that goes on; 0: never.

    The file is complete at every moment: it is written beside its place and then moved there.
    Folders that are missing are made. Raises OSError where the file cannot be written.
    """
    page = render_report(run, assessment, extras, reload)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(page)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def render_report(
    run: RunRecord, assessment: Assessment, extras: Extras | None = None, reload: int = 0
) -> str:
    """Return the report of ``run`` as HTML."""
    page = replace(make_page(run, assessment, extras), reload=reload)
    return rendered("report.html.j2", page=page, asset=asset)


def make_page(run: RunRecord, assessment: Assessment, extras: Extras | None = None) -> Page:
    """Word everything that the report shows."""
    settings = compare_settings({trial.level: with_folds(run, trial) for trial in run.trials})
    same_rows = not varied_among(settings.varied, ORDERING)
    drawn, differences = curves(run, assessment), effects(assessment, same_rows=same_rows)
    more = figures(run, assessment, extras or Extras())
    data = {**drawn.data, **more.drawn, "effects": differences.drawn if differences else {}}
    version = run.versions.get("ceteris", "")
    return Page(
        title=title_of_run(run),
        overline=_overline(run, assessment),
        answer=answer(assessment),
        warnings=warnings(run, assessment),
        claims=claims.claim_rows(assessment),
        claim_columns=claims.COLUMNS,
        search=search_section(assessment.search, run.study),
        levels=level_table(assessment),
        effects=differences,
        figures=more,
        curves=drawn,
        curves_hint=_curves_hint(assessment),
        single_lines="seeds" if assessment.folds == 1 else "folds",
        paired_over=assessment.unit,
        legend=tuple(level.level for level in assessment.levels),
        final_test=final_test(run.final_test),
        settings=settings,
        sharing=sharing(run, assessment, settings.varied),
        notes=notes(run, assessment, thinned=drawn.thinned),
        facts=data_facts(run.facts),
        again=repeat(run, assessment.verdicts),
        version=version,
        footer=f"Made by Ceteris {version} from run {run.id}. This page needs no network.",
        data=json_block(data),
    )


def with_folds(run: RunRecord, trial: TrialRecord) -> Mapping[str, Any]:
    """Return the settings of a trial: its experiment, and the folds of its study where there are some."""
    folds = run.study.get("folds") or {}
    told = {name: value for name, value in folds.items() if value is not None}
    return {**trial.experiment, "folds": told} if told else trial.experiment


def title_of_run(run: RunRecord) -> str:
    """Return what the page is called: the study's question, else its name, else the run."""
    return run.title or run.study_name or run.id


def _overline(run: RunRecord, assessment: Assessment) -> str:
    seeds = len({trial.seed for trial in run.trials})
    folds = f" × {counted(assessment.folds, 'fold')}" if assessment.folds > 1 else ""
    parts = [
        run.study_name,
        _day(run.created),
        f"{counted(len(assessment.levels), 'level')} × {counted(seeds, 'seed')}{folds}",
        f"{duration(run.seconds)} on {run.device}",
    ]
    return " · ".join(part for part in parts if part)


def _day(created: str) -> str:
    try:
        day = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError:
        return created
    return f"{day.day} {day:%B %Y}"


def _curves_hint(assessment: Assessment) -> str:
    click = "A click on a level hides it, or shows it again, in every chart."
    most = max((level.finished for level in assessment.levels), default=0)
    if most == 0:
        thin = "seed" if assessment.folds == 1 else "fold"
        return f"No level has a mean yet; each thin line is one {thin}, as far as it got. {click}"
    if most == 1:
        return f"One line per level. {click}"
    over = f"{assessment.unit}, their folds averaged" if _averages_folds(assessment) else assessment.unit
    return f"Line: mean over the {over}. Band: 95% interval of that mean. {click}"


def _averages_folds(assessment: Assessment) -> bool:
    return assessment.unit == "seeds" and assessment.folds > 1


@cache
def asset(name: str) -> Markup:
    """Return a file of this package (style, script, library) to be put into the page as it is."""
    return Markup(files("ceteris.report").joinpath(name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: str(asset(f"templates/{name}"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked": _marked, "breakable": _breakable}
    return environment


def _breakable(label: str) -> Markup:
    """Let a browser break a level's name after the words of its paths, and not within them."""
    return Markup(re.sub(r"(=|,(?=\S)|(?<=[a-z])\.(?=[a-z]))", r"\1<wbr>", str(escape(label))))


def _marked(sentence: str) -> Markup:
    """Set what stands between backticks as code, as Markdown does."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))


def rendered(name: str, **values: Any) -> str:
    """Fill a template of this package; everything that it prints is escaped."""
    return str(_environment().get_template(name).render(**values))
