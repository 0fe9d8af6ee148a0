"""The section of a report on a search: every candidate in the picture, the evidence's numbers in words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from ceteris.api.choice import level_to_use
from ceteris.api.text import as_text
from ceteris.evidence.assessment import assess
from ceteris.evidence.searched import SearchSummary
from ceteris.report.answer import answer
from ceteris.report.page import render_report
from ceteris.report.search import search_section
from ceteris.report.search_figure import scale, search_svg
from tests.evidence.test_searched import TABLE, searched
from tests.report.sample import made_run, made_study

SPACE = {"optimizer.lr": {"log": [1e-4, 1], "uniform": None, "int": None, "choices": None}}


def made() -> SearchSummary:
    found = assess(*searched(TABLE), validation_rows=100).search
    assert found is not None
    return found


def test_every_candidate_stands_where_its_numbers_say() -> None:
    svg = ElementTree.fromstring(search_svg(made(), SPACE))
    dots = svg.findall(".//circle")
    assert len(dots) == 2
    assert [dot.get("class") for dot in dots] == ["dot", "best"]
    assert len([t for t in svg.iter("text") if t.get("class") == "lost"]) == 1
    x = [float(dot.attrib["cx"]) for dot in dots]
    lost = next(float(t.attrib["x"]) for t in svg.iter("text") if t.get("class") == "lost")
    assert x[0] - x[1] == x[1] - lost  # rates of 0.1, 0.01 and 0.001 on a logarithmic axis
    y = [float(dot.attrib["cy"]) for dot in dots]
    assert y[0] < y[1]  # 0.5 above 0.467
    assert {line.get("class") for line in svg.findall(".//polyline")} == {"read", "judged"}


def test_ticks_are_round_and_inside() -> None:
    linear = scale(0.13, 0.92, log=False)
    assert [text for _, text in linear.ticks] == ["0.2", "0.4", "0.6", "0.8"]
    assert all(0 <= at <= 1 for at, _ in linear.ticks)
    powers = scale(1e-4, 1.0, log=True)
    assert [(round(at, 6), text) for at, text in powers.ticks][:2] == [(0.0, "0.0001"), (0.25, "0.001")]
    assert [text for _, text in scale(20.0, 50.0, log=True).ticks] == ["20", "50"]


def test_words_are_those_of_the_evidence() -> None:
    section = search_section(made(), {"search": {"space": SPACE}})
    assert section is not None
    told = " ".join(section.sentences)
    assert "The best is candidate 2 (0.01) with 0.47 [" in told
    assert "1 of 3 seeds would have chosen it by their own rows alone; another seed chooses another." in told
    assert "1 candidate diverged and counts as worst." in told
    assert section.columns == ("optimizer.lr", "val_loss", "behind the best", "chosen by")
    assert [row[0] for row in section.rows] == ["2", "1", "3"]
    assert section.rows[2][1][1:3] == ("diverged in 1", "–")
    alone = replace(made(), units=1, optimism=None, readings=())
    words = search_section(alone, {"search": {"space": SPACE}})
    assert words is not None
    assert any(
        "cannot say by how much its choice flatters itself" in sentence for sentence in words.sentences
    )


def test_a_report_of_a_search_shows_it_and_another_does_not(tmp_path: Path) -> None:
    study, trials = searched(TABLE)
    run = replace(
        made_run(made_study(), folder=tmp_path), study=study.model_dump(mode="json"), trials=tuple(trials)
    )
    assessment = assess(study, trials, validation_rows=100)
    page = render_report(run, assessment)
    assert '<h2 id="search-title">Search</h2>' in page
    assert re.search(r'<svg class="search-plot" viewBox="0 0 680 240"', page)
    assert answer(assessment).startswith("The best is candidate 2 (0.01) with 0.47")
    plain = made_study()
    other = made_run(plain, folder=tmp_path)
    assert (
        "search-plot"
        not in render_report(other, assess(plain, other.trials, validation_rows=100)).split("</style>")[1]
    )


def test_the_level_to_use_is_the_best_candidate_and_not_one_that_was_lost_once(tmp_path: Path) -> None:
    study, trials = searched(TABLE)
    recorded = study.model_dump(mode="json")
    run = replace(made_run(made_study(), folder=tmp_path), study=recorded, trials=tuple(trials))
    assert level_to_use(run, None, None) == "0.01"  # the survivors of 0.001 end lower
    assert "model.hidden" not in as_text(run, assess(study, trials, validation_rows=100))
