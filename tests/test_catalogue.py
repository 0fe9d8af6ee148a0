"""Every command on the page of the catalogue is one that the program has, and its study fits its data."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ceteris.cli.app import build_app
from ceteris.data.dataset import Dataset
from ceteris.data.sources import find_source
from ceteris.data.user_arrays import arrays
from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.spec import combinations, named_paths, parse_study
from ceteris.spec.parse import ParsedStudy
from tests.catalogue import EXAMPLES, PAGE, commands, in_quick_form, scripts
from tests.cli.conftest import COMMAND, environment, run_command
from tests.forked import start_python

IMAGES = ("mnist", "fashion-mnist")
STUDIES = list(named_paths())


def parsed_command(arguments: list[str]) -> dict[str, Any]:
    _, bound, _ = build_app().parse_args(arguments, exit_on_error=False, print_error=False)
    return dict(bound.arguments)


def problems_of(study: str, **options: Any) -> list[str]:
    """Bind a study; rows of the two MNISTs, which may not be here, are stood in for by blank ones."""
    return problems_with_data(parse_study(study, **options))


def problems_with_data(parsed: ParsedStudy) -> list[str]:
    sources = [found.experiment.data.reading for found in combinations(parsed.study)]
    image_set = next((name for name in IMAGES if any(s.startswith(name) for s in sources)), None)
    given = None if image_set is None else blank_images(image_set)
    return [str(problem) for problem in bind(parsed, load_sources(sources, None, given), ())[1]]


@cache
def blank_images(name: str) -> Dataset:
    images = np.zeros((60_000, 28, 28), dtype=np.uint8)
    images[0, 0, 0] = 255
    return arrays(images, np.arange(60_000) % 10, name=name)


@pytest.mark.parametrize("arguments", commands(), ids=shlex.join)
def test_every_command_parses(arguments: list[str]) -> None:
    parsed_command(in_quick_form(arguments))


@pytest.mark.parametrize("study", STUDIES)
def test_every_named_study_is_on_the_page_and_fits_its_data(study: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"`ceteris (run|search) {study}`", page), f"{study} is missing in {PAGE.name}"
    if study.startswith("house-prices/") and find_source("house-prices").place(None) is None:
        pytest.skip("the tables of the house prices are not on this machine")
    assert problems_of(study) == []


def test_changed_settings_fit_their_data_too() -> None:
    changed = [c for c in commands() if c[0] == "run" and len(c) > 2 and not c[1].endswith(".yaml")]
    assert changed
    for arguments in changed:
        found = parsed_command(arguments)
        assert found["study"] in STUDIES
        assert (
            problems_of(found["study"], sets=found.get("sets") or (), varies=found.get("varies") or ()) == []
        )


def test_every_row_has_a_command() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    entries = [row for row in rows if not row.startswith(("| --- ", "| entry ", "| study ", "| mistake "))]
    assert len(entries) > 100
    for entry in entries:
        assert re.search(r"`(ceteris|python) ", entry), f"no command: {entry}"


@pytest.fixture(scope="module")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the examples' data was made."""
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run([sys.executable, str(EXAMPLES / "make_data.py")], cwd=folder, check=True)
    return folder


def test_every_example_is_on_the_page_and_its_study_fits_its_data(
    made_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made_data)
    page = PAGE.read_text(encoding="utf-8")
    for file in sorted(EXAMPLES.glob("*.yaml")):
        assert re.search(rf"`ceteris run docs/examples/{file.name}[` ]", page), file.name
        parsed = parse_study(file, allow_code=True)
        if file.stem == "own_network":  # code of one's own is looked at in a training process
            continue
        assert problems_with_data(parsed) == []


@pytest.mark.parametrize("arguments", scripts(), ids=shlex.join)
def test_every_script_compiles_and_has_what_it_is_asked_for(arguments: list[str]) -> None:
    file, *numbers = arguments
    path = PAGE.parents[1] / file
    text = path.read_text(encoding="utf-8")
    compile(text, file, "exec")
    assert f"python {file}" in text
    assert all(f"def mistake_{number}()" in text for number in numbers)


@pytest.mark.slow
def test_some_commands_in_a_tiny_form_as_they_are_started(tmp_path: Path) -> None:
    """In processes that import by themselves what they need, as others of the tests do not."""
    tiny = ("--seeds", "2", "--epochs", "2", "--json", "--workers", "1")
    for command in (
        ("run", "digits/learning-rate", *tiny),
        ("show", "last"),
        ("report", "last"),
        ("test", "last"),
        ("landscape", "last", "--points", "5", "--level", "0.1"),
        ("functions", "losses"),
        ("data", "show", "digits"),
        ("model", "show", "digits/learning-rate"),
    ):
        done = start_python([*COMMAND[1:], *command], cwd=tmp_path, env=environment())
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_perceptron_in_a_tiny_form(tmp_path: Path) -> None:
    done = run_command(tmp_path, "run", "synthetic/perceptron", "--seeds", "2", "--epochs", "2")
    assert done.returncode == 0, done.stderr
