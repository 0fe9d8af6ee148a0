"""The commands, by name."""

from __future__ import annotations

from cyclopts import App

from ceteris.cli import data, doctor, repetitions, runs, studies, study_runs
from ceteris.cli.groups import LOOK, RUN, SETUP

HELP = """\
All else being equal: controlled experiments on how neural networks train.

Start with `ceteris run digits/learning-rate`.
"""


def build_app() -> App:
    """Return the parser with all commands; importing them imports nothing heavy."""
    app = App(
        name="ceteris",
        help=HELP,
        help_format="plaintext",
        version=doctor.version_line,
        version_flags=["--version"],
    )
    for command in (study_runs.run, study_runs.resume, study_runs.extend, repetitions.aa):
        app.command(command, group=RUN)
    app.command(studies.app)
    for command in (runs.runs, runs.show, runs.report):
        app.command(command, group=LOOK)
    app.command(data.app)
    for command in (doctor.doctor, doctor.version):
        app.command(command, group=SETUP)
    return app
