"""Options that several commands share, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

StudyName = Annotated[str, Parameter(help="A named study (`ceteris studies` lists them) or a YAML file.")]
RunName = Annotated[str, Parameter(help="A run: its name, the beginning of it, or `last`.")]
DataName = Annotated[
    str, Parameter(help="A named data set, an .npz file with arrays x and y, a table, or an address.")
]

AsJson = Annotated[
    bool,
    Parameter(name="--json", negative="", show_default=False, help="Print one JSON object and nothing else."),
]
RunsDir = Annotated[
    Path | None,
    Parameter(name="--runs-dir", help="Folder of the records (else CETERIS_RUNS, else ./ceteris-runs)."),
]
DataDir = Annotated[
    Path | None,
    Parameter(name="--data-dir", help="Folder with data files (else CETERIS_DATA, else the user's cache)."),
]
ReportPath = Annotated[
    Path | None, Parameter(name="--report", help="Write the report to this file (else beside the records).")
]
Sets = Annotated[
    list[str] | None,
    Parameter(name="--set", negative=(), help="Change a setting: path=value. May be repeated."),
]
Varies = Annotated[
    list[str] | None,
    Parameter(name="--vary", negative=(), help="Add or replace a factor: path=a,b,c. May be repeated."),
]
Seeds = Annotated[int | None, Parameter(help="How many seeds, instead of the study's own number.")]
Epochs = Annotated[int | None, Parameter(help="How many epochs, instead of the study's own number.")]
Quick = Annotated[
    bool,
    Parameter(negative="", show_default=False, help="A small version: few seeds, few epochs, few rows."),
]

AllowCode = Annotated[
    bool,
    Parameter(
        name="--allow-code",
        negative="",
        show_default=False,
        help="Let the study use code of your own (package.module:Name).",
    ),
]
Level = Annotated[str | None, Parameter(help="A level of the run (else the one that validation chooses).")]
LevelToJudge = Annotated[
    str | None,
    Parameter(help="The one level to judge, named beforehand (else validation chooses among all)."),
]
ByMetric = Annotated[
    str | None,
    Parameter(help="The validation metric that chooses a level (else val_accuracy, or val_loss)."),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Training:
    """What every command that trains takes besides what it trains."""

    device: Annotated[
        str | None,
        Parameter(help="Where to train: auto, cpu, cuda, cuda:1 or mps (else auto, or as recorded)."),
    ] = None
    deterministic: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="On a card, take only kernels that give the same bits every time (as recorded, to go on).",
        ),
    ] = False
    workers: Annotated[
        int | None,
        Parameter(
            help="Cores that train: a process each, or threads of a process with few trials (else all)."
        ),
    ] = None
    data_dir: DataDir = None
    runs_dir: RunsDir = None
    allow_code: AllowCode = False
    as_json: AsJson = False


OtherNumerics = Annotated[
    bool,
    Parameter(
        name="--allow-other-numerics",
        negative="",
        show_default=False,
        help="Go on although this machine computes with other last bits than the record.",
    ),
]
DEFAULT_TRAINING = Training()
