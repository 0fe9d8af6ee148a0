"""--set, --vary, --seeds and --epochs: the same paths, values in YAML, problems at the option."""

from pathlib import Path
from typing import Any

import pytest

from ceteris.spec import SGD, Adam, combinations, parse_study

from .sources import refusal, small, written


def parsed(**options: Any) -> Any:
    return parse_study(small(), **options)


@pytest.mark.parametrize(
    ("sets", "path", "value"),
    [
        (["optimizer.weight_decay=1e-3"], "optimizer.weight_decay", 0.001),
        (["experiment.epochs=3"], "epochs", 3),
        (["model.hidden=[64,32,8]"], "model.hidden", (64, 32, 8)),
        (["model.hidden=[64, 32]", "model.hidden.0=5"], "model.hidden", (5, 32)),
        (["data={source: digits, rows: 100}", "data.rows="], "data.rows", None),
        (["data={source: mnist, scale: none}"], "data.scale", "none"),
        (["data=mnist"], "data.source", "mnist"),
        (["optimizer=adam"], "optimizer", Adam()),
        (["optimizer={kind: sgd, lr: 1}"], "optimizer", SGD(lr=1)),
        (["model.activation = tanh"], "model.activation", "tanh"),
    ],
)
def test_set_replaces_a_setting(sets: list[str], path: str, value: object) -> None:
    part: Any = parsed(sets=sets).study.experiment
    for name in path.split("."):
        part = getattr(part, name)
    assert part == value


def test_a_source_of_data_may_be_all_that_a_study_lacks() -> None:
    study = small()
    del study["experiment"]["data"]
    found = parse_study(study, sets=["data.source=mnist", "data.rows=100"]).study.experiment.data
    assert (found.source, found.rows) == ("mnist", 100)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"sets": ["optimizer.momentum=-1"]},
            "--set optimizer.momentum=-1: -1 is not a momentum; it must be at least 0",
        ),
        (
            {"sets": ["optimizer.lrr=1"]},
            "--set optimizer.lrr=1: there is no setting `optimizer.lrr` in an "
            "experiment; did you mean `optimizer.lr`?",
        ),
        ({"sets": ["optimizer"]}, "--set optimizer: this is not `path=value`, such as `optimizer=...`"),
        (
            {"sets": ["model.hidden=[1"]},
            "--set model.hidden=[1: this is not YAML: while parsing a flow sequence",
        ),
        ({"sets": ["model.hidden.7=1"]}, "--set model.hidden.7=1: there is no item 7 in `model.hidden`"),
        ({"sets": ["model.hidden=[0]"]}, "--set model.hidden=[0]: 0 is not a valid item of hidden"),
        ({"varies": ["optimizer.lr=0.1,x"]}, "--vary optimizer.lr=0.1,x: 'x' is not a learning rate"),
        (
            {"varies": ["optimizer.lr="]},
            "--vary optimizer.lr=: the list of levels is empty; give at least one",
        ),
        (
            {"varies": ["lr=1"]},
            "--vary lr=1: there is no setting `lr` in an experiment; did you mean `optimizer.lr`?",
        ),
        (
            {"sets": ["epochs=1", "epochs=2"]},
            "--set epochs=2: `epochs` is given twice, first by `--set epochs=1`",
        ),
        (
            {"sets": ["epochs=2"], "epochs": 1},
            "--set epochs=2: `epochs` is given twice, first by `--epochs 1`",
        ),
        (
            {"varies": ["optimizer.lr=1", "optimizer.lr=2"]},
            "--vary optimizer.lr=2: `optimizer.lr` is given twice, first by `--vary optimizer.lr=1`",
        ),
        (
            {"sets": ["optimizer.lr='0,1'"]},
            "--set optimizer.lr='0,1': '0,1' is not a learning rate; it must be a number above 0; "
            "did you mean 0.1?",
        ),
        (
            {"sets": ["epochs='1,000'"]},
            "--set epochs='1,000': '1,000' is not a number of epochs; it must be a whole",
        ),
        ({"varies": ["epochs=1,1"]}, "--vary epochs=1,1: two levels are called `1`"),
        ({"varies": ["epochs=1,]"]}, "--vary epochs=1,]: this is not YAML"),
        (
            {"seeds": 0},
            "--seeds 0: 0 is not a number or list of seeds; it must be a whole number from 1 to 10,000",
        ),
        (
            {"epochs": -1},
            "--epochs -1: -1 is not a number of epochs; it must be a whole number from 1 to 1,000,000",
        ),
    ],
)
def test_wrong_option_is_one_line(options: dict[str, Any], line: str, tmp_path: Path) -> None:
    path = written(
        tmp_path, "experiment:\n  data: digits\n  model: {kind: mlp, hidden: [8]}\n  optimizer: sgd\n"
    )
    lines = refusal(path, **options)
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_problems_of_options_and_file_come_together(tmp_path: Path) -> None:
    path = written(tmp_path, "experiment:\n  data: digits\n  model: linear\n  epochs: 0\n")
    assert [line.split(": ")[0] for line in refusal(path, sets=["batch_size=0", "x=1"])] == [
        "--set x=1",
        "--set batch_size=0",
        f"{path}:4",
    ]


def test_set_puts_right_what_the_file_has_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, "experiment:\n  data: digits\n  model: linear\n  epochs: 0\n")
    assert parse_study(path, sets=["epochs=2"]).study.experiment.epochs == 2
    assert parse_study(path, epochs=2).study.experiment.epochs == 2


def test_counts() -> None:
    study = parsed(seeds=2, epochs=3).study
    assert (study.seeds, study.experiment.epochs) == (2, 3)


def test_vary_replaces_the_factor_of_its_name_and_drops_claims_about_lost_levels() -> None:
    result = parsed(varies=["optimizer.lr=0.1,0.5"])
    assert [c.label for c in combinations(result.study)] == ["0.1", "0.5"]
    assert result.study.claims == ()
    assert result.notes == ("the claim 'a' is dropped: --vary left out the level 0.01",)


def test_vary_keeps_claims_whose_levels_remain() -> None:
    result = parsed(varies=["experiment.optimizer.lr=0.01,0.1,1"])
    assert len(result.study.vary) == len(result.study.claims) == 1
    assert result.notes == ()


def test_vary_crosses_what_remains_and_claims_keep_their_factor() -> None:
    study = parsed(varies=["model.hidden=[64, 32],[128]", "data.scale=unit,none"]).study
    assert [factor.name for factor in study.vary] == ["optimizer.lr", "model.hidden", "data.scale"]
    assert [factor.labels for factor in study.vary[1:]] == [("[64, 32]", "[128]"), ("unit", "none")]
    assert study.claims[0].factor == "optimizer.lr"
    assert len(combinations(study)) == 8


def test_vary_crosses_zipped_factors_with_a_note() -> None:
    source = small(vary={"epochs": [1, 2], "batch_size": [3, 4]}, combine="zip", claims=[])
    result = parse_study(source, varies=["epochs=1,2,3"])
    assert result.study.combine == "cross"
    assert result.notes == ("the factors are crossed, because --vary changed them",)


def test_vary_on_a_study_in_its_recorded_form() -> None:
    recorded = parse_study(small()).study.model_dump(mode="json")
    assert parse_study(recorded, varies=["epochs=1,2"]).study == parsed(varies=["epochs=1,2"]).study


def test_set_of_what_is_varied_is_noted() -> None:
    assert parsed(sets=["optimizer.lr=3"]).notes == (
        "--set optimizer.lr=3 has no effect where a level of `optimizer.lr` sets optimizer.lr itself",
    )


def test_vary_of_a_whole_part_says_what_is_set_back() -> None:
    assert parsed(varies=["optimizer=sgd,adam"]).notes == (
        "--vary optimizer replaces the whole optimizer and sets lr, momentum back to the default; "
        "`--vary optimizer.kind=...` keeps what the base gives",
    )


def test_options_leave_the_source_alone() -> None:
    source = small()
    parse_study(source, sets=["optimizer.lr=3"], varies=["batch_size=1,2"], seeds=1, epochs=2)
    assert source == small()
