"""Every mistake: exit code 2, one clear line, no traceback, nothing on standard output."""

from pathlib import Path

import pytest

from tests.cli.conftest import Command

STUDY = """\
experiment:
  data: digits
  model: {kind: mlp, hiden: [8]}
  optimizer: {kind: adam, lr: -0.01}
vary:
  batch_size: [8, 16]
"""
RUN_HELP = "(`ceteris run --help` shows what there is)"
KNOWN_COMMANDS = (
    "run, search, resume, extend, refit, replicate, aa, runs, show, report, doctor, version, test, predict, "
    "export, landscape, functions, why, studies, model, data"
)
CASES: dict[str, tuple[list[str], str]] = {
    "unknown command": (
        ["rnu", "x"],
        f"ceteris: there is no command `rnu`; did you mean `run`? (known: {KNOWN_COMMANDS}) "
        "(`ceteris --help` shows what there is)",
    ),
    "unknown option": (
        ["run", "digits/learning-rate", "--sed", "3"],
        f"ceteris run: there is no option `--sed`; did you mean `--seeds`? {RUN_HELP}",
    ),
    "unknown option of the whole command": (
        ["--bogus"],
        "ceteris: there is no option `--bogus` (`ceteris --help` shows what there is)",
    ),
    "no study": (["run"], f"ceteris run: STUDY is missing {RUN_HELP}"),
    "a second study": (
        ["run", "digits/learning-rate", "iris"],
        f"ceteris run: there is no place for `iris` {RUN_HELP}",
    ),
    "words for a number": (
        ["run", "digits/learning-rate", "--seeds", "three"],
        f"ceteris run: 'three' is not a whole number, which `--seeds` takes {RUN_HELP}",
    ),
    "a choice that there is not": (
        ["functions", "activation"],
        "ceteris functions: there is no choice for `WHICH` `activation`; did you mean `activations`? "
        "(known: activations, losses) (`ceteris functions --help` shows what there is)",
    ),
    "an option twice": (
        ["run", "digits/learning-rate", "--seeds", "3", "--seeds", "4"],
        f"ceteris run: `--seeds` is given more than once {RUN_HELP}",
    ),
    "an option without its value": (
        ["run", "digits/learning-rate", "--set"],
        f"ceteris run: `--set` needs a value {RUN_HELP}",
    ),
    "extending without a number": (
        ["extend", "last"],
        "ceteris extend: `--seeds` needs a value (`ceteris extend --help` shows what there is)",
    ),
    "a path that does not exist": (
        ["run", "digits/learning-rate", "--set", "modle.hidden=3"],
        "--set modle.hidden=3: there is no setting `modle.hidden` in an experiment; "
        "did you mean `model.hidden`?",
    ),
    "an impossible value": (
        ["run", "digits/learning-rate", "--set", "optimizer.lr=-1"],
        "--set optimizer.lr=-1: -1 is not a learning rate; it must be above 0",
    ),
    "an empty list of levels": (
        ["run", "digits/learning-rate", "--vary", "optimizer.lr="],
        "--vary optimizer.lr=: the list of levels is empty; give at least one",
    ),
    "code without permission": (
        ["run", "digits/learning-rate", "--set", "metrics=[own.module:top2]"],
        "--set metrics=[own.module:top2]: `own.module:top2` is code of your own; it is used only from "
        "Python or with --allow-code",
    ),
    "no workers": (
        ["run", "digits/learning-rate", "--workers", "0"],
        "workers: 0 is not a number of processes; it must be at least 1",
    ),
    "a file that is not there": (
        ["run", "absent.yaml"],
        "absent.yaml: there is no such file\n1 problem in absent.yaml; nothing was run.",
    ),
    "a folder of data that is not there": (
        ["data", "--data-dir", "absent"],
        "there is no folder absent (named by --data-dir, `data_dir` in Python)",
    ),
    "no records": (
        ["show", "last"],
        "there are no records in {here}/ceteris-runs; name the folder of the runs or run a study first",
    ),
    "no repetitions": (
        ["aa", "digits/learning-rate", "--repetitions", "0"],
        "0 is not a number of repetitions; it must be at least 1",
    ),
    "an unknown data set": (
        ["data", "show", "fashon-mnist"],
        "there is no data source `fashon-mnist`; did you mean `fashion-mnist`? (known: digits, mnist, "
        "fashion-mnist, iris, wine, breast-cancer, diabetes, linnerud, house-prices, "
        "linear-regression, sine, polynomial, high-dimensional, xor, "
        "separable, labelled-points, blobs); or the path of an .npz file, a table or a folder",
    ),
    "no run to list": (["runs", "--most", "0"], "--most: 0 is not a number of runs; it must be at least 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_is_told_in_one_line(case: str, ceteris: Command, tmp_path: Path) -> None:
    arguments, words = CASES[case]
    done = ceteris(*arguments)
    assert done.stderr == words.replace("{here}", str(tmp_path)) + "\n"
    assert done.returncode == 2
    assert done.stdout == ""


def test_all_problems_of_a_file_are_told_at_once_and_counted(ceteris: Command, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    done = ceteris("run", "study.yaml", "--json")
    assert done.stderr.splitlines() == [
        "study.yaml:3: experiment.model.hiden: there is no such setting for `mlp`; did you mean `hidden`?",
        "study.yaml:4: experiment.optimizer.lr: -0.01 is not a learning rate; it must be above 0",
        "2 problems in study.yaml; nothing was run.",
    ]
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "ceteris-runs").exists()


def test_an_unknown_study_names_the_nearest(ceteris: Command) -> None:
    done = ceteris("run", "digits/learning-rat")
    assert (
        "there is no file and no named study `digits/learning-rat`; did you mean `digits/learning-rate`?"
        in (done.stderr)
    )
    assert done.returncode == 2


def test_an_unknown_run_names_the_recent_ones(ceteris_there: Command) -> None:
    done = ceteris_there("show", "nope")
    assert "there is no run `nope` in " in done.stderr
    assert "(most recent: 2" in done.stderr
    assert done.returncode == 2


@pytest.mark.slow
def test_a_device_that_is_not_there_is_refused_before_anything_is_recorded(
    ceteris: Command, tmp_path: Path
) -> None:
    done = ceteris("run", "digits/learning-rate", "--device", "tpu")
    assert done.stderr == (
        "device: there is no device `tpu`; did you mean `cpu`? (known: auto, cpu, cuda, mps)\n"
    )
    assert done.returncode == 2
    assert not (tmp_path / "ceteris-runs").exists()
