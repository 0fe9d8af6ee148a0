"""The workloads that every contestant trains: the same rows, network, optimiser, batches and epochs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ceteris.data import Dataset, arrays, load

MADE_UP = "arrays"
"""Source of rows in memory: ``house_prices_size``."""


@dataclass(frozen=True)
class Stack:
    """How many members are trained at once: ``seeds`` x ``variants`` that differ in their rate."""

    seeds: int
    variants: int
    goal: float | None = None
    """The ratio to the DataLoader loop that was set as the goal for this row, where one was."""

    @property
    def members(self) -> int:
        return self.seeds * self.variants

    @property
    def name(self) -> str:
        return "one network alone" if self.members == 1 else f"{self.seeds} x {self.variants} members"


@dataclass(frozen=True)
class Workload:
    """One training run, and the stacks of it that are measured: each stack is a row of the table."""

    name: str
    source: str
    model: dict[str, Any]
    optimizer: dict[str, Any]
    batch_size: int
    epochs: int
    """Epochs that everybody trains at least, after which the scores are compared."""
    stacks: tuple[Stack, ...]
    data: dict[str, Any] = field(default_factory=dict)
    """Further settings of the data, as a study has them: scale, rows, validation."""
    score_tolerance: float = 0.02
    """Contestants that do the same work reach scores this close to each other."""
    precision: str = "float32"
    """``bfloat16`` trains in mixed precision, for contestants that know it; the loop stays in float32."""

    def dataset(self, folder: Path | None) -> Dataset:
        return house_prices_size() if self.source == MADE_UP else load(self.source, folder)


def house_prices_size() -> Dataset:
    """1,460 rows of 331 features (43 numbers, 36 x 8 one-hot columns) and a noisy linear target."""
    draw = np.random.default_rng(0)
    numbers = draw.standard_normal((1460, 43))
    categories = np.eye(8)[draw.integers(0, 8, (1460, 36))].reshape(1460, -1)
    x = np.concatenate([numbers, categories], axis=1).astype(np.float32)
    y = x @ draw.standard_normal(331) + draw.standard_normal(1460)
    return arrays(x, ((y - y.mean()) / y.std()).astype(np.float32))


def mlp(*hidden: int, **more: Any) -> dict[str, Any]:
    return {"kind": "mlp", "hidden": list(hidden), **more}


FASHION = "fashion-mnist"
ADAM = {"kind": "adam", "lr": 1e-3}
SGD = {"kind": "sgd", "lr": 0.1}
CNN = {"kind": "cnn", "convolutions": [32, 64, 128], "hidden": [512, 512], "batch_norm": True, "dropout": 0.4}

CNN_ROW = Workload(
    "CNN 32-64-128 with batch norm and dropout 0.4, SGD with momentum, bs 64, 5,000 rows",
    FASHION,
    CNN,
    {"kind": "sgd", "lr": 0.01, "momentum": 0.9},
    64,
    1,
    (Stack(4, 1, 1.4),),
    data={"scale": "symmetric", "rows": 5000, "validation": 1000},
    score_tolerance=0.1,  # one short epoch leaves the scores of single networks far apart
)

WORKLOADS = (
    Workload(
        "784-1000-10, Adam, bs 32", FASHION, mlp(1000), ADAM, 32, 1, (Stack(1, 1, 2.5), Stack(4, 2, 3.0))
    ),
    Workload("784-256-10, SGD, bs 256", FASHION, mlp(256), SGD, 256, 2, (Stack(4, 4, 2.8),)),
    Workload("784-64-10, Adam, bs 32", FASHION, mlp(64), ADAM, 32, 1, (Stack(8, 2, 8.0), Stack(8, 4, 9.0))),
    Workload(
        "784-256-256-10 with dropout 0.5, Adam, bs 64",
        FASHION,
        mlp(256, 256, dropout=0.5),
        ADAM,
        64,
        1,
        (Stack(4, 4, 3.0),),
    ),
    Workload("digits 64-32-10, Adam, bs 32", "digits", mlp(32), ADAM, 32, 60, (Stack(10, 10, 45.0),)),
    Workload(
        "331-1 on made-up rows of the house prices' size, Adam, bs 64",
        MADE_UP,
        {"kind": "linear"},
        {"kind": "adam", "lr": 1e-2},
        64,
        100,
        (Stack(5, 40, 150.0),),
        data={"scale": "none"},
    ),
    CNN_ROW,
    replace(
        CNN_ROW,
        name=f"{CNN_ROW.name}, in bfloat16 against the loop in float32",
        stacks=(Stack(4, 1, 2.0),),
        precision="bfloat16",
    ),
)
