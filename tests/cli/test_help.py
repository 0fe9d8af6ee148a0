"""The help: what it lists, and that it imports nothing heavy."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cyclopts import App

from ceteris.cli.app import build_app
from tests.cli.conftest import Command, environment

HEAVY = "torch numpy scipy numba pandas sklearn sqlalchemy jinja2 pydantic ruamel pooch requests"
COMMANDS = (
    "run",
    "resume",
    "extend",
    "aa",
    "search",
    "studies",
    "model",
    "runs",
    "show",
    "report",
    "data",
    "doctor",
    "version",
)


def test_help_lists_every_command_with_a_sentence(ceteris: Command) -> None:
    done = ceteris("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"│ {name} " in done.stdout
    assert "Start with `ceteris run digits/learning-rate`." in done.stdout
    assert done.stderr == ""


def test_without_arguments_the_help_is_shown(ceteris: Command) -> None:
    assert ceteris().stdout == ceteris("--help").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "show", "--help"]])
def test_help_imports_nothing_heavy_and_says_how_long_it_took(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from ceteris.cli.main import main\n"
        f"main({arguments})\n"
        f"print(sorted(set('{HEAVY}'.split()) & set(sys.modules)), file=sys.stderr)"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    print(f"ceteris {' '.join(arguments)}: {time.perf_counter() - begun:.2f} s")
    assert done.stderr == "[]\n"
    assert done.stdout.startswith("Usage: ceteris")


def test_importing_ceteris_imports_nothing_heavy() -> None:
    code = f"import sys, ceteris; print(sorted(set('{HEAVY}'.split()) & set(sys.modules)), dir(ceteris)[-3:])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] ['run', 'search', 'vary']\n"


def test_every_option_of_every_command_says_what_it_does() -> None:
    for app in _all_apps(build_app()):
        if app.default_command is None:
            continue
        for argument in app.assemble_argument_collection():
            if argument.parse and not argument.children:
                assert argument.parameter.help, f"{app.name}: {argument.name}"


def _all_apps(app: App) -> list[App]:
    found = [app]
    for name in app:
        if not name.startswith("-"):
            found += _all_apps(app[name])
    return found


def test_help_fits_80_columns(ceteris: Command) -> None:
    for arguments in (["--help"], ["run", "--help"], ["data", "show", "--help"]):
        assert max(map(len, ceteris(*arguments).stdout.splitlines())) <= 80


def test_version(ceteris: Command) -> None:
    assert ceteris("version").stdout == "ceteris 0.1.0\n"
    assert ceteris("--version").stdout == "0.1.0\n"


def test_the_script_and_the_module_are_one_command(ceteris: Command) -> None:
    script = Path(sys.executable).with_name("ceteris")
    if not script.exists():
        pytest.skip("the package is not installed")
    done = subprocess.run([script, "version"], capture_output=True, text=True, check=True)
    assert done.stdout == ceteris("version").stdout
