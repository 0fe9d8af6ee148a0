"""Running a study, looking at it again, and going on with it."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command

NAME = r"\d{8}-\d{6}-learning-rate-[0-9a-f]{4}"


def test_a_run_ends_with_tables_claims_and_what_to_do_next(finished: Path) -> None:
    shown = (finished / "stdout.txt").read_text(encoding="utf-8")
    assert shown.startswith("Which learning rate fits plain SGD on small handwritten digits?\n")
    assert re.search(rf"^run {NAME}: finished, 12 of 12 trials, \S+ s on cpu$", shown, re.MULTILINE)
    for heading in ("level   val_loss", "level   train_loss"):
        assert heading in shown
    assert re.search(
        r"^0\.001 +2\.\d\d \[\S+, \S+\] +2\.\d\d +0\.\d+ \[\S+, \S+\] +0\.\d+$", shown, re.MULTILINE
    )
    assert "Mean over seeds at the end of training [95% interval]; best: at the best epoch." in shown
    assert re.search(
        r"^(supported|contradicted|not established) +A learning rate of 0.001 is", shown, re.MULTILINE
    )
    assert re.search(rf"^report: \S+/ceteris-runs/{NAME}/report\.html$", shown, re.MULTILINE)
    assert re.search(rf"^look again: ceteris show {NAME}$", shown, re.MULTILINE)
    assert re.search(rf"^more seeds: ceteris extend {NAME} --seeds \d+$", shown, re.MULTILINE)


def test_tables_and_claims_fit_80_columns_and_have_no_colours(finished: Path) -> None:
    shown = (finished / "stdout.txt").read_text(encoding="utf-8")
    assert "\x1b" not in shown
    lines = [line for line in shown.splitlines() if not line.startswith(("run ", "report:", "look", "more"))]
    assert max(map(len, lines)) <= 80


def test_without_a_terminal_progress_is_plain_lines(finished: Path) -> None:
    lines = (finished / "stderr.txt").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"run {NAME}: 12 trials in 1 cohort, \d+ workers?, cpu", lines[0])
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_show_repeats_the_outcome(finished: Path, ceteris_there: Command) -> None:
    shown = (finished / "stdout.txt").read_text(encoding="utf-8")
    assert ceteris_there("show", "last").stdout == shown


def test_runs_lists_the_run(ceteris_there: Command) -> None:
    assert re.search(rf"^finished +12 of 12 finished +{NAME}$", ceteris_there("runs").stdout, re.MULTILINE)


def test_no_runs_says_how_to_make_one(ceteris: Command) -> None:
    assert ceteris("runs").stdout == (
        "there are no runs in ceteris-runs yet; ceteris run digits/learning-rate makes one\n"
    )


def test_a_report_goes_where_it_is_asked_for(ceteris_there: Command, tmp_path: Path) -> None:
    done = ceteris_there("report", "last", "--to", str(tmp_path / "deep" / "r.html"))
    assert done.stdout == f"{tmp_path}/deep/r.html\n"
    page = (tmp_path / "deep" / "r.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "ceteris run study.yaml  " in page, "options changed the named study"


def test_resuming_a_complete_run_trains_nothing(ceteris_there: Command) -> None:
    done = ceteris_there("resume", "last")
    assert re.fullmatch(rf"the run {NAME} is complete; nothing is left to train\n", done.stderr)
    assert done.returncode == 0


@pytest.mark.slow
def test_extending_adds_seeds_and_says_that_it_looked_again(ceteris: Command) -> None:
    first = ceteris("run", "digits/learning-rate", "--seeds", "2", "--epochs", "1", "--runs-dir", "own")
    assert re.search(rf"^look again: ceteris show {NAME} --runs-dir \S+/own$", first.stdout, re.MULTILINE)
    done = ceteris("extend", "last", "--seeds", "3", "--runs-dir", "own")
    assert re.search(r": 4 trials \(8 kept from before\) in 1 cohort", done.stderr)
    assert "finished, 12 of 12 trials" in done.stdout
    assert "looked at 2 times, first with 2 seeds" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_a_quick_run_says_what_it_left_out(ceteris: Command) -> None:
    options = ["--quick", "--epochs", "1", "--vary", "optimizer.lr=0.1,0.2", "--set", "batch_size=64"]
    done = ceteris("run", "digits/learning-rate", *options)
    assert "a quick look, and provisional: 3 of 10 seeds" in done.stderr
    assert "is dropped: --vary left out the level" in done.stderr
    assert "finished, 6 of 6 trials" in done.stdout
    later = ceteris("show", "last")
    for text in (done.stdout, later.stdout):
        assert "A quick look, and provisional: 3 of 10 seeds; run it without --quick" in " ".join(
            text.split()
        )
    assert any(
        note.startswith("A quick look")
        for note in json.loads(ceteris("show", "last", "--json").stdout)["notes"]
    )
    report = Path(ceteris("report", "last").stdout.strip()).read_text(encoding="utf-8")
    assert report.count("A quick look, and provisional: 3 of 10 seeds") >= 1


def test_studies_are_listed_and_shown(ceteris: Command) -> None:
    listed = ceteris("studies").stdout
    assert re.search(
        r"^digits\n(  .*\n)*  learning-rate +Which learning rate fits plain SGD", listed, re.MULTILINE
    )
    lines = listed.splitlines()
    for study in json.loads(ceteris("studies", "--json").stdout)["studies"]:
        name = study["name"].partition("/")[2]
        assert [line for line in lines if line.split()[:1] == [name] and line.endswith(study["title"])]
    narrow = ceteris("studies", TTY_COMPATIBLE="1", NO_COLOR="1").stdout.splitlines()
    assert len(narrow) == len(lines), "each study is one line, however narrow the terminal"
    assert max(map(len, narrow[:-1])) == 80
    assert sum(line.endswith("…") for line in narrow) > 5
    shown = ceteris("studies", "show", "digits/learning-rate").stdout
    assert "  optimizer.lr: [0.5, 0.1, 0.01, 0.001]\n" in shown
    assert shown.endswith("# 4 levels x 10 seeds = 40 trials; ceteris run digits/learning-rate\n")


def test_data_shows_its_facts_and_writes_a_picture(ceteris: Command, tmp_path: Path) -> None:
    shown = ceteris("data", "show", "digits").stdout
    assert re.search(r"^training rows +1,437$", shown, re.MULTILINE)
    assert re.search(r"^one input +8 x 8 of uint8, from 0 to 16, rms 7.75$", shown, re.MULTILINE)
    assert re.search(r"^9 +144$", shown, re.MULTILINE)
    assert shown.endswith("10 random examples per class: digits-examples.svg\n")
    assert (tmp_path / "digits-examples.svg").read_text(encoding="utf-8").count("<image") == 100


def test_data_that_is_no_picture_says_so_and_goes_on(ceteris: Command) -> None:
    done = ceteris("data", "show", "diabetes")
    assert done.stderr == "no picture: `diabetes` has numbers to predict; a grid of examples needs classes\n"
    assert re.search(r"^one target +1 of float64, from 31 to 346$", done.stdout, re.MULTILINE)
    assert done.returncode == 0


@pytest.mark.slow
def test_doctor_starts_a_training_process(started: Command) -> None:
    done = started("doctor")
    assert done.returncode == 0
    assert re.search(r"^training process +starts in \d+\.\d s$", done.stdout, re.MULTILINE)
    assert re.search(r"^records +\S+", done.stdout, re.MULTILINE)
    tested = re.search(
        r"^test: cpu, 1 worker +agrees with scratch to \de-0\d, ([\d,]+) epochs", done.stdout, re.MULTILINE
    )
    assert tested is not None
    assert int(tested[1].replace(",", "")) > 0


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
def test_a_terminal_that_wants_no_colours_gets_none(name: str, ceteris_there: Command) -> None:
    values = {"NO_COLOR": "1", "TERM": "dumb"}
    coloured = ceteris_there("show", "last", FORCE_COLOR="1", **{name: values[name]})
    assert not re.search(r"\x1b\[3\dm", coloured.stdout)
