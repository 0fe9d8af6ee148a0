"""Replicating a subject: one page, what is on record reused, failures told at the end."""

import json
from pathlib import Path

from tests.cli.conftest import Command, run_command
from tests.cli.test_json import check

SMALL = ("replicate", "digits/learning-rate", "--seeds", "2", "--epochs", "2", "--json")


def test_a_subject_is_run_once_and_put_on_one_page(ceteris: Command, tmp_path: Path) -> None:
    first = ceteris(*SMALL, "--markdown", "table.md")
    assert first.returncode == 0, first.stderr
    told = check(first.stdout, "replicate")
    (study,) = told["studies"]
    assert study["study"] == "digits/learning-rate"
    check(json.dumps(study["result"]))
    assert len(study["result"]["claims"]) == 3
    assert "study 1 of 1: digits/learning-rate" in first.stderr
    page = Path(told["page"])
    html = (tmp_path / page).read_text(encoding="utf-8")
    run = study["result"]["run"]
    assert f'<a href="{run}/report.html">' in html
    assert (tmp_path / page).parent.joinpath(run, "report.html").is_file()
    table = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    assert len(table) == 2 + 3
    assert all(claim["text"] in html for claim in study["result"]["claims"])
    again = json.loads(ceteris(*SMALL).stdout)
    assert again["studies"][0]["result"]["run"] == run
    other = json.loads(ceteris(*SMALL[:3], "3", *SMALL[4:]).stdout)
    assert other["studies"][0]["result"]["run"] != run


def test_a_study_that_fails_is_told_and_the_others_run(tmp_path: Path) -> None:
    done = run_command(
        tmp_path, *SMALL, "--set", "data.source=missing.npz", "--runs-dir", str(tmp_path / "runs")
    )
    assert done.returncode == 1
    (study,) = check(done.stdout, "replicate")["studies"]
    assert study["result"] is None
    assert "missing.npz" in study["failure"]
    assert "missing.npz" in (tmp_path / "runs" / "replication.html").read_text(encoding="utf-8")
    done = run_command(tmp_path, *SMALL, "--set", "data.source=missing.npz", "--page", ".")
    assert done.returncode == 2
    assert done.stderr.endswith("cannot write .: Is a directory\n")


def test_an_unknown_subject_is_answered_with_the_nearest(ceteris: Command) -> None:
    done = ceteris("replicate", "fashon-mnist")
    assert done.returncode == 2
    assert "did you mean `fashion-mnist`" in done.stderr
