"""The page of a replication: a row for every claim, and one for a study that has none."""

from __future__ import annotations

from ceteris.report.replication import Finding, Row, markdown_table, render_replication, rows_of
from tests.evidence.test_searched import TABLE, searched
from tests.report.sample import made_assessment, made_run, made_study


def found(**changes: object) -> Finding:
    study = made_study(**changes)
    run = made_run(study)
    return Finding("digits/made", "N1", "", run, made_assessment(run, study), "made/report.html", "")


def test_every_claim_has_a_row() -> None:
    finding = found()
    rows = rows_of(finding)
    assert finding.assessment is not None
    assert [row.claim for row in rows] == [verdict.text for verdict in finding.assessment.verdicts]
    assert all(row.style for row in rows)


def test_a_study_without_claims_has_a_row_with_its_best_level() -> None:
    (row,) = rows_of(found(claims=[]))
    assert row == Row(
        "Best by its mean validation accuracy over 5 seeds (higher is better): 0.1.",
        "best of 3",
        "",
        row.effect,
        "5",
    )
    assert row.effect.startswith("0.9")
    assert row.effect.endswith("]")
    page = render_replication([found(claims=[])], "today")
    assert "<td>best of 3</td>" in page
    assert 'href="made/report.html"' in page
    assert "| best of 3 |" in markdown_table([found(claims=[])])


def test_a_search_tells_by_how_much_its_best_score_flatters() -> None:
    study, trials = searched(TABLE)
    run = made_run(made_study(claims=[]), trials=tuple(trials))
    assessment = made_assessment(run, study)
    (row,) = rows_of(Finding("digits/search", "N1", "", run, assessment, "", ""))
    assert "Judged by the seed that did not choose, a choice reads " in row.claim
    assert row.claim.endswith(" worse.")


def test_a_search_whose_choice_is_always_the_same_says_so() -> None:
    study, trials = searched(((1.0, 1.1, 0.9), (2.0, 2.1, 1.9)))
    run = made_run(made_study(claims=[]), trials=tuple(trials))
    (row,) = rows_of(Finding("digits/search", "N1", "", run, made_assessment(run, study), "", ""))
    assert row.claim.endswith(" Whichever seed is left out, the others choose the same.")
