"""``--json``: one object on standard output, as its schema says, for every command that has it."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import Command, run_command

SCHEMA: dict[str, Any] = json.loads(files("ceteris.cli").joinpath("output.schema.json").read_text())
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "json.md"


def check(content: str, part: str | None = None) -> dict[str, Any]:
    """Parse the only object of an output and hold it against the schema."""
    found: dict[str, Any] = json.loads(
        content, parse_constant=lambda name: pytest.fail(f"{name} is not JSON")
    )
    schema = SCHEMA if part is None else {"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]}
    jsonschema.validate(found, schema, jsonschema.Draft202012Validator)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_run_is_one_object_with_everything_promised(ceteris_there: Command) -> None:
    done = ceteris_there("show", "last", "--json")
    assert done.stderr == ""
    found = check(done.stdout)
    assert found["study"] == "digits/learning-rate"
    assert found["status"] == "finished"
    assert found["device"] == "cpu"
    plan = found["plan"]
    assert (plan["trials"], plan["cohorts"], plan["separated_by"]) == (len(found["trials"]), 1, [])
    assert 1 <= plan["workers"] <= plan["shards"]
    assert plan["threads"] >= 1
    assert plan["memory_bytes"] > 1797 * 64 * 4
    assert [trial["seed"] for trial in found["trials"]].count(2) == 4
    assert {trial["level"] for trial in found["trials"]} == {"0.5", "0.1", "0.01", "0.001"}
    assert Path(found["report"]).is_file()


def test_the_numbers_of_a_run_add_up(ceteris_there: Command) -> None:
    found = check(ceteris_there("show", "last", "--json").stdout)
    for level in found["levels"]:
        own = [trial["metrics"] for trial in found["trials"] if trial["level"] == level["level"]]
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            mean = sum(metrics[name] for metrics in own) / len(own)
            summary = level["metrics"][name]
            assert summary["mean"] == pytest.approx(mean)
            assert summary["low"] < mean < summary["high"]
    for claim in found["claims"]:
        decided = claim["verdict"] != "not established"
        assert decided == (claim["p"] is not None and claim["p"] < 0.05)
        assert claim["seeds_needed"] is None or not decided


@pytest.mark.slow
def test_running_with_json_keeps_progress_off_standard_output(tmp_path: Path) -> None:
    options = [
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--vary",
        "optimizer.lr=0.1",
        "--json",
        "--report",
        "here.html",
    ]
    done = run_command(tmp_path, "run", "digits/learning-rate", *options)
    found = check(done.stdout)
    assert done.returncode == 0
    assert found["levels"][0]["metrics"]["val_loss"]["low"] is None
    assert found["report"] == "here.html"
    assert (tmp_path / "here.html").is_file()
    assert re.search(r"run \S+: 1 trial in 1 cohort", done.stderr)


@pytest.mark.slow
def test_regression_has_losses_and_no_accuracies(tmp_path: Path) -> None:
    study = "experiment: {data: diabetes, model: linear, epochs: 1}\nvary: {batch_size: [32, 64]}\nseeds: 2\n"
    (tmp_path / "own.yaml").write_text(study)
    found = check(run_command(tmp_path, "run", "own.yaml", "--json").stdout)
    metrics = found["trials"][0]["metrics"]
    assert metrics["val_loss"] > 0
    assert "val_accuracy" not in metrics
    assert found["study"] == "own.yaml"


@pytest.mark.slow
def test_a_diverged_trial_has_null_for_its_numbers(tmp_path: Path) -> None:
    study = (
        "experiment: {data: diabetes, model: linear, optimizer: sgd, epochs: 2}\n"
        "vary: {optimizer.lr: [0.001, 1e9]}\nseeds: 2\n"
        "claims: [{text: The large rate ends higher., metric: val_loss, greater: [1e9, 0.001]}]\n"
    )
    (tmp_path / "own.yaml").write_text(study)
    done = run_command(tmp_path, "run", "own.yaml", "--json")
    found = check(done.stdout)
    lost = [trial for trial in found["trials"] if trial["status"] == "diverged"]
    assert {trial["level"] for trial in lost} == {"1e+09"}
    assert all(trial["metrics"]["val_loss"] is None for trial in lost)
    assert all(trial["diverged_step"] >= 0 for trial in lost)
    assert found["levels"][1]["diverged"] == 2
    assert "level 1e+09, seed 0 diverged at step " in done.stderr


@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        ("studies", ["studies"]),
        ("studies", ["studies", "list"]),
        ("study", ["studies", "show", "digits/learning-rate"]),
        ("runs", ["runs"]),
        ("report", ["report", "last"]),
        ("test", ["test", "last"]),
        ("predict", ["predict", "last"]),
        ("export", ["export", "last", "--format", "safetensors"]),
        ("landscape", ["landscape", "last", "--points", "5", "--level", "0.1"]),
        ("functions", ["functions", "losses"]),
        ("why", ["why"]),
        ("why", ["why", "small-weights"]),
        ("data", ["data", "list"]),
        ("dataset", ["data", "show", "digits"]),
        ("dataset", ["data", "show", "diabetes"]),
        ("fetched", ["data", "fetch", "digits"]),
        ("model", ["model", "show", "digits/learning-rate"]),
        ("doctor", ["doctor", "--no-self-test"]),
        ("version", ["version"]),
    ],
)
def test_the_other_commands_answer_as_the_schema_says(
    part: str, arguments: list[str], ceteris_there: Command
) -> None:
    done = ceteris_there(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    check(done.stdout, part)


@pytest.mark.slow
def test_repetitions_answer_as_the_schema_says(ceteris: Command) -> None:
    options = ["--repetitions", "2", "--seeds", "2", "--epochs", "1", "--json"]
    found = check(ceteris("aa", "digits/learning-rate", *options).stdout, "aa")
    assert len(found["alarms"]) == 2
    assert found["identical"] is True


def test_without_records_the_list_of_runs_is_empty(ceteris: Command) -> None:
    assert check(ceteris("runs", "--json").stdout, "runs")["runs"] == []


def test_every_property_of_the_schema_is_documented() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    of_a_run = ("trial", "level", "summary", "claim", "comparison")
    of_a_search = ("search", "candidate", "share", "reading")
    run = [SCHEMA, *(SCHEMA["$defs"][name] for name in (*of_a_run, *of_a_search))]
    for part in run:
        for name, own in part["properties"].items():
            assert f"| `{name}` |" in text or f"`{name}`" in text, name
            if "description" in own and part is not SCHEMA["$defs"]["trial"]["properties"]["metrics"]:
                assert own["description"] in text, name
    for name in SCHEMA["$defs"]:
        assert name in of_a_run or f"`{name}`" in text
