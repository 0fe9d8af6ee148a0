"""From a file to a study: positions, all problems at once, and problems that binding finds later."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import combinations, find_study, named_paths, parse_study

from .sources import refusal, small, written

WRONG = """\
title: A study with one mistake of each kind
experiment:
  data: digits
  model: {kind: mlp, hiden: [64]}
  optimizer:
    kind: sgd
    lr: -0.01
  batch_size: 2.5
vary:
  optimizer.lr: [0.1,
    -1]
  regularisation:
    none:
    dropout: {model.droput: 0.25, epochs: 40}
seed: 5
claims:
  - text: A
    metric: val_los
    order: [0.1, 1e-2]
"""


def test_all_problems_of_a_file_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, WRONG)
    lines = refusal(path)
    assert [line.removeprefix(f"{path}:") for line in lines] == [
        "4: experiment.model.hiden: there is no such setting for `mlp`; did you mean `hidden`?",
        "7: experiment.optimizer.lr: -0.01 is not a learning rate; it must be above 0",
        "8: experiment.batch_size: 2.5 is not a batch size; it must be a whole number of at least 1",
        "11: vary.optimizer.lr.1: -1 is not a learning rate; it must be above 0",
        "14: vary.regularisation.dropout.model.droput: there is no setting `model.droput` in an "
        "experiment; did you mean `model.dropout`?",
        "15: seed: there is no such setting; did you mean `seeds`?",
        "17: claims.0: the study has several factors; name the `factor` that is meant: `optimizer.lr`, "
        "`regularisation`",
        "18: claims.0.metric: there is no metric `val_los`; did you mean `val_loss`? (like it: gap_loss, "
        "train_loss, gap_size_loss, val_accuracy; `ceteris studies settings` lists all 35)",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- 1\n", "1: a study is a mapping of settings such as `experiment` and `vary`, not a list"),
        ("\nfive\n", "2: a study is a mapping of settings such as `experiment` and `vary`, not 'five'"),
        ("title: x\n", "1: experiment: this setting is missing; it must be a mapping of settings"),
        (
            "experiment:\n  data: digits\n  model: {kind: mlp}\nvary:\n  model.hidden: [[8], [16]]\n",
            "3: experiment.model.hidden: this setting is missing; it must be a list, each item a whole "
            "number from 1 to 1,000,000; the base needs it too, though levels replace it",
        ),
        ("title: x\nvary:\n  a: 1\n  a: 2\n", "4: vary.a: `a` is given twice, first on line 3"),
    ],
)
def test_file_that_is_no_study(text: str, line: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    lines = refusal(path)
    assert len(lines) == 1
    assert lines[0].startswith(f"{path}:{line}")


def test_the_same_study_from_yaml_python_and_objects(tmp_path: Path) -> None:
    text = """
experiment:
  data: digits
  model: {kind: mlp, hidden: [64, 32]}
  optimizer: {kind: sgd, lr: 1e-1, momentum: 0.9}
vary:
  optimizer.lr: [1e-1, 1e-2]
claims:
  - {text: a, metric: val_loss, less: [0.1, 0.01]}
"""
    from_yaml = parse_study(written(tmp_path, text)).study
    from_python = parse_study(small()).study
    assert from_yaml == from_python
    assert parse_study(from_python).study == from_python
    assert parse_study(from_python, epochs=3).study.experiment.epochs == 3


def test_a_text_is_a_file_or_a_named_study(tmp_path: Path) -> None:
    path = written(tmp_path, "experiment: {data: digits, model: linear}\n")
    assert parse_study(str(path)).file == str(path)
    assert parse_study("digits/learning-rate").file == str(find_study("digits/learning-rate"))
    with pytest.raises(CeterisError) as caught:
        parse_study("digits/learning-rat")
    assert str(caught.value).startswith(
        "there is no file and no named study `digits/learning-rat`; did you mean "
        "`digits/learning-rate`? (like it: fashion-mnist/"
    )
    for source, words in [
        ("", "there is no file and no named study ``"),
        ("nowhere.yaml", "nowhere.yaml: there is no such file"),
        (Path("nowhere"), "nowhere: there is no such file"),
        ("a\0b", "there is no file and no named study"),
        (7, "a value of type int is not a study; give a file, a name, a mapping or what `vary` returns"),
    ]:
        assert refusal(source)[0].startswith(words)


def test_problems_found_later_carry_file_and_line(tmp_path: Path) -> None:
    text = """\
experiment:
  data: digits
  model: linear
vary:
  size:
    small: {}
    large: {batch_size: 9999}
"""
    path = written(tmp_path, text)
    parsed = parse_study(path, sets=["epochs=3"])
    assert str(parsed.problem("experiment.data.source", "gone")) == f"{path}:2: experiment.data.source: gone"
    assert str(parsed.problem("experiment.epochs", "long")) == "--set epochs=3: long"
    small_one, large = combinations(parsed.study)
    at_level = parsed.combination_problem(large, "experiment.batch_size", "too large")
    assert str(at_level) == f"{path}:7: vary.size.large.batch_size: too large"
    at_base = parsed.combination_problem(small_one, "experiment.batch_size", "too large")
    assert str(at_base) == f"{path}:1: experiment.batch_size: too large"
    assert str(parse_study(small()).problem("experiment.data", "gone")) == "experiment.data: gone"


def test_parsed_study_can_be_sent_to_another_process() -> None:
    parsed = parse_study(small())
    assert pickle.loads(pickle.dumps(parsed)) == parsed


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"experiment": {1, 2}}, "experiment: a set cannot stand in a specification"),
        ({"title": object()}, "title: a object cannot stand in a specification"),
        ({"a": {1: 2, "1": 3}}, "a: the name `1` is given twice"),
        ({"title": ["x"] * 30_000}, "this is larger than 20,000 values, which no specification is"),
    ],
)
def test_python_values_that_are_no_data(source: dict[str, object], line: str) -> None:
    (found,) = refusal(source)
    assert line in found


def test_mapping_that_holds_itself_is_refused() -> None:
    source: dict[str, object] = {}
    source["experiment"] = source
    (line,) = refusal(source)
    assert line.endswith("this is nested more than 32 deep, which no specification is")


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, ceteris.spec as s; light = set(sys.modules)\ns.parse_study('digits/learning-rate')\n"
        "print([m for m in ('pydantic', 'ruamel.yaml') if m in light], "
        "[m for m in ('numpy', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
    assert named_paths()
