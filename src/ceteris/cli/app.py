"""The commands, by name."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App, Group

from ceteris.cli import (
    data,
    doctor,
    export,
    final_test,
    functions,
    landscape,
    model,
    predict,
    refit,
    repetitions,
    replicate,
    runs,
    search,
    studies,
    study_runs,
    why,
)
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
    grouped: dict[Group, tuple[Callable[..., object], ...]] = {
        RUN: (
            study_runs.run,
            search.search,
            study_runs.resume,
            study_runs.extend,
            refit.refit,
            replicate.replicate,
            repetitions.aa,
        ),
        LOOK: (runs.runs, runs.show, runs.report),
        SETUP: (doctor.doctor, doctor.version),
    }
    for group, commands in grouped.items():
        for command in commands:
            app.command(command, group=group)
    app.command(final_test.assess, name="test", group=LOOK)
    app.command(predict.predict, group=LOOK)
    app.command(export.export, group=LOOK)
    app.command(landscape.landscape, group=LOOK)
    app.command(functions.functions, group=LOOK)
    app.command(why.why, group=LOOK)
    app.command(studies.app)
    app.command(model.app)
    app.command(data.app)
    return app
