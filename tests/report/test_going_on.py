"""What is suggested as the next step works, and does not waste a look."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ceteris.records.views import CHANGED
from ceteris.report.going_on import commands, own_arguments, python_lines, seeds_to_add, yaml_words
from ceteris.report.page import make_page, render_report
from ceteris.report.repeat import data_facts
from tests.report.sample import made_assessment, made_run, made_study


@pytest.mark.parametrize(
    ("needed", "now", "seeds"),
    [
        ([15, 7], 3, 15),
        ([15, None], 3, 15),
        ([640, 15], 3, 15),
        ([640, 900], 150, 640),
        ([640, 900], 3, 15),
        ([None], 3, 6),
        ([2], 3, 6),
        ([], 0, 5),
        ([], 1, 5),
    ],
)
def test_as_many_seeds_as_the_open_claims_need(needed, now, seeds):
    assert seeds_to_add([SimpleNamespace(seeds_needed=n) for n in needed], now) == seeds


def run_with(**experiment):
    run = made_run(made_study())
    trials = tuple(replace(t, experiment={**t.experiment, **experiment}) for t in run.trials)
    return replace(run, trials=trials)


def test_a_run_with_code_of_the_user_s_own_is_gone_on_with_in_python():
    run = run_with(metrics=["top2", "log_rmse"], model={"kind": "module", "name": "Net"})
    assert own_arguments(run) == "metrics={'top2': top2}, model=Net"
    assert "ceteris resume" not in commands(run, 10)
    assert "ceteris extend" not in commands(run, 10)
    assert f"ceteris.extend({run.id!r}, seeds=10, metrics={{'top2': top2}}, model=Net)" in python_lines(
        run, 10
    )
    assert yaml_words(run) == "ceteris.run('study.yaml', metrics={'top2': top2}, model=Net)"
    compile(python_lines(run, 10), "lines", "exec")


def test_a_study_that_options_changed_is_run_afresh_from_the_record_not_by_its_name():
    run = replace(made_run(made_study()), study_name="dropout.yaml")
    assert "ceteris run dropout.yaml " in commands(run, 10)
    assert "again = ceteris.run('dropout.yaml')" in python_lines(run, 10)
    changed = replace(run, facts={**run.facts, CHANGED: True})
    assert "ceteris run study.yaml " in commands(changed, 10)
    assert "dropout.yaml" not in commands(changed, 10) + python_lines(changed, 10)
    assert "again = ceteris.run('study.yaml')" in python_lines(changed, 10)
    assert data_facts(changed.facts) == data_facts(run.facts)


def test_code_that_the_study_names_needs_to_be_allowed():
    run = run_with(metrics=["package.own:top2"])
    assert own_arguments(run) == ""
    assert f"ceteris extend {run.id} --seeds 10 --allow-code" in commands(run, 10)
    assert yaml_words(run) == "ceteris run study.yaml --allow-code"


def test_a_run_without_own_code_is_gone_on_with_on_the_command_line():
    run = made_run(made_study())
    assessment = made_assessment(run, made_study())
    page = make_page(run, assessment)
    more = seeds_to_add(assessment.verdicts, 5)
    assert more == min(25, max(v.seeds_needed for v in assessment.verdicts if v.seeds_needed))
    assert f"ceteris extend {run.id} --seeds {more}" in page.again.commands
    assert "it runs with <code>ceteris run study.yaml</code>" in render_report(run, assessment)
