"""A piece of the report that a notebook can show: the answer, the verdicts and the table, without scripts."""

from __future__ import annotations

from ceteris.evidence.assessment import Assessment
from ceteris.records.views import RunRecord
from ceteris.report.answer import answer
from ceteris.report.claims import claim_rows
from ceteris.report.level_table import level_table
from ceteris.report.notes import warnings
from ceteris.report.page import rendered, title_of_run


def report_fragment(run: RunRecord, assessment: Assessment) -> str:
    """Return the answer, the verdicts and the table of levels as HTML for ``_repr_html_``."""
    return rendered(
        "fragment.html.j2",
        title=title_of_run(run),
        answer=answer(assessment),
        warnings=warnings(run, assessment),
        claims=claim_rows(assessment),
        levels=level_table(assessment),
    )
