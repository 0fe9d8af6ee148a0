"""Who takes part. Each module has ``unsuited(task)``, a reason or "", and ``train(task) -> Outcome``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, cast

from benchmarks.task import Outcome, Task


class ContestantModule(Protocol):
    """What the module of a contestant offers."""

    def unsuited(self, task: Task) -> str:
        """Say in a few words why it cannot train this task; "" if it can."""

    def train(self, task: Task) -> Outcome:
        """Train from fresh weights, evaluating both slices after every epoch."""


@dataclass(frozen=True)
class Contestant:
    """An entry of the table. The module is imported in the contestant's own process alone."""

    name: str
    title: str
    packages: tuple[str, ...]
    """Distributions that it needs; the first is the one that it is about."""
    stacks: bool = False
    """Whether it trains all members of a row at once; the others train one and would repeat it."""
    on_cards: bool = False
    """Whether it trains on a CUDA card too."""
    peer: bool = True
    """Whether it is neither Ceteris nor the loop that everybody is compared with."""

    def load(self) -> ContestantModule:
        return cast(ContestantModule, import_module(f"benchmarks.contestants.{self.name}"))

    def missing(self) -> tuple[str, ...]:
        """Return the packages that are not installed here."""
        return tuple(package for package in self.packages if _version(package) is None)

    def versions(self) -> dict[str, str]:
        return {package: _version(package) or "" for package in self.packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


LOOP = Contestant("dataloader_loop", "DataLoader loop", ("torch",), on_cards=True, peer=False)
CETERIS = Contestant(
    "ceteris_study", "Ceteris", ("ceteris", "numba", "scipy"), stacks=True, on_cards=True, peer=False
)
CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        LOOP,
        CETERIS,
        Contestant("tensor_loop", "loop over tensors", ("torch",), on_cards=True),
        Contestant("jax_scan", "JAX scan, vmap", ("jax", "jaxlib"), stacks=True),
        Contestant("lightning_trainer", "Lightning", ("lightning", "torch")),
        Contestant("skorch_net", "skorch", ("skorch", "torch")),
        Contestant("keras_on_torch", "Keras on PyTorch", ("keras", "torch")),
        Contestant("sklearn_mlp", "scikit-learn MLP", ("scikit-learn",)),
        Contestant("sklearn_sgd", "SGDRegressor", ("scikit-learn",)),
    )
}
