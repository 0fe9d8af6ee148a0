"""``ceteris model show``: what it prints, what it draws, what it refuses."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Command, run_command
from tests.cli.test_json import check

OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU())
        self.head = nn.Linear(width, 10)
        self.scale = torch.ones(10)

    def forward(self, x):
        return self.head(self.body(x)) * self.scale
"""


def test_the_parts_add_up_to_the_total(ceteris: Command) -> None:
    done = ceteris("model", "show", "digits/learning-rate", "--set", "batch_size=7", "--json")
    found = check(done.stdout, "model")
    top = [layer["parameters"] for layer in found["layers"] if "." not in layer["path"]]
    assert sum(top) == found["parameters"] == (64 * 32 + 32) + (32 * 10 + 10)
    assert found["input"] == [64]
    assert found["output"] == [10]
    memory = found["memory"]
    assert memory["parameters"] == memory["gradients"] == 4 * found["parameters"]
    # Dropout of the inputs, then linear, activation and dropout, then the head.
    assert memory["activations"] == 4 * 7 * (64 + 3 * 32 + 10)
    assert memory["total"] == sum(memory[n] for n in ("parameters", "gradients", "optimizer", "activations"))


def test_settings_alone_say_what_to_show_and_draw(tmp_path: Path) -> None:
    model = "model={kind: cnn, convolutions: [4], hidden: [6]}"
    done = run_command(tmp_path, "model", "show", "--data", "digits", "--set", model, "--svg", "net.svg")
    assert done.returncode == 0, done.stderr
    assert "4 x 8 x 8" in done.stdout
    assert "4 x 1 x 3 x 3 + 4" in done.stdout
    assert f"{4 * 9 + 4 + 64 * 6 + 6 + 6 * 10 + 10:,}" in done.stdout
    assert done.stdout.rstrip().endswith("drawing: net.svg")
    assert ElementTree.parse(tmp_path / "net.svg").getroot().tag.endswith("svg")


def test_what_is_read_counts_and_not_the_source_alone(ceteris: Command) -> None:
    model = "model={kind: sequential, layers: [{conv: 2}, relu, flatten]}"
    options = ["--data", "digits", "--set", model, "--set", "data.resize=[4, 4]", "--json"]
    found = check(ceteris("model", "show", *options).stdout, "model")
    assert found["input"] == [16]
    assert found["parameters"] == 2 * 9 + 2 + 2 * 16 * 10 + 10


def test_tied_layers_of_a_composed_network_are_counted_once(ceteris: Command) -> None:
    model = "model={kind: sequential, layers: [{linear: 64, name: a}, relu, {residual: [{use: a}]}]}"
    done = ceteris("model", "show", "--data", "digits", "--set", model)
    assert "shared with layers.a" in done.stdout
    assert f"{64 * 64 + 64 + 64 * 10 + 10:,}" in done.stdout


def test_a_level_has_its_own_network(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "experiment: {data: digits, model: {kind: mlp, hidden: [8]}}\nvary: {model.hidden: [[8], [16]]}\n"
    )
    base = check(run_command(tmp_path, "model", "show", "own.yaml", "--json").stdout, "model")
    done = run_command(tmp_path, "model", "show", "own.yaml", "--level", "[16]", "--json")
    level = check(done.stdout, "model")
    assert base["parameters"] == 64 * 8 + 8 + 8 * 10 + 10
    assert level["parameters"] == 64 * 16 + 16 + 16 * 10 + 10


def test_a_module_of_the_users_own_is_shown_where_code_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    command = ["model", "show", "--data", "digits", "--set"]
    model = "model={kind: module, name: 'mine:Net', arguments: {width: 6}}"
    done = run_command(tmp_path, *command, model, "--allow-code", "--json")
    found = check(done.stdout, "model")
    assert found["network"] == "Net"
    assert "note: `mine:Net` keeps the tensor `scale` as a plain attribute" in done.stderr
    assert found["input"] == [1, 8, 8]
    assert found["parameters"] == 64 * 6 + 6 + 6 * 10 + 10
    refused = run_command(tmp_path, *command, model)
    assert refused.returncode == 2
    assert "--allow-code" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "there is no network to show: give a study, or `--data` with `--set model=...`"),
        (("digits/learning-rate", "--level", "0.2"), "there is no level `0.2`"),
        (("--data", "diabetes", "--set", "model={kind: cnn, convolutions: [4]}"), "a cnn reads images"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(
    arguments: tuple[str, ...], words: str, ceteris: Command
) -> None:
    done = ceteris("model", "show", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_base_is_not_taken_for_the_levels_that_change_its_network(
    ceteris: Command, tmp_path: Path
) -> None:
    study = (
        "experiment: {data: digits, model: {kind: mlp, hidden: [8]}}\nvary:\n  model.hidden: [[8], [16]]\n"
    )
    (tmp_path / "s.yaml").write_text(study, encoding="utf-8")
    told = "note: this is the base; --level shows those of levels that change it: `[16]`\n"
    assert ceteris("model", "show", "s.yaml").stderr == told
    assert ceteris("model", "show", "s.yaml", "--level", "[16]").stderr == ""
