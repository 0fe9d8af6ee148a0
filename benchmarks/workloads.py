"""The workloads that every contestant trains: the same data, network, optimiser and steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Workload:
    """One row of the table: an experiment and how many members are trained at once."""

    name: str
    data: str
    model: dict[str, Any]
    optimizer: dict[str, Any]
    batch_size: int
    seeds: int
    variants: int

    @property
    def members(self) -> int:
        return self.seeds * self.variants

    def experiment(self, variant: int, epochs: int) -> dict[str, Any]:
        """Variants differ in their rate, as in a study of the learning rate."""
        optimizer = self.optimizer | {"lr": self.optimizer["lr"] * (1 + 0.1 * variant)}
        return {
            "data": {"source": self.data},
            "model": self.model,
            "optimizer": optimizer,
            "batch_size": self.batch_size,
            "epochs": epochs,
        }


def mlp(*hidden: int, **more: Any) -> dict[str, Any]:
    return {"kind": "mlp", "hidden": list(hidden), **more}


ADAM = {"kind": "adam", "lr": 1e-3}
SGD = {"kind": "sgd", "lr": 0.1}

WORKLOADS = {
    w.name: w
    for w in (
        Workload("784-1000-10 Adam bs 32, alone", "fashion-mnist", mlp(1000), ADAM, 32, 1, 1),
        Workload("784-1000-10 Adam bs 32, 4x2", "fashion-mnist", mlp(1000), ADAM, 32, 4, 2),
        Workload("784-256-10 SGD bs 256, 4x4", "fashion-mnist", mlp(256), SGD, 256, 4, 4),
        Workload("784-64-10 Adam bs 32, 8x2", "fashion-mnist", mlp(64), ADAM, 32, 8, 2),
        Workload("784-64-10 Adam bs 32, 8x4", "fashion-mnist", mlp(64), ADAM, 32, 8, 4),
        Workload(
            "784-256-256-10 dropout Adam bs 64, 4x4", "fashion-mnist", mlp(256, 256, dropout=0.5), ADAM, 64, 4, 4
        ),
        Workload("digits 64-32-10 Adam bs 32, 10x10", "digits", mlp(32), ADAM, 32, 10, 10),
    )
}
