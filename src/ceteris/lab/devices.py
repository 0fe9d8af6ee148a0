"""Which device a worker trains on; runs in the worker, where torch is at home."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ceteris.errors import CeterisError, Problem, unknown_name

KINDS = ("auto", "cpu", "cuda", "mps")
ALWAYS_DETERMINISTIC = (
    "`deterministic` changes nothing on the processor: all kernels there give the same bits every time"
)


@dataclass(frozen=True)
class Device:
    """A device that is there: as training takes it, as records show it, and its free memory if its own."""

    device: str
    name: str
    free_bytes: int | None = None


def resolve_device(asked: str) -> Device:
    """Return the device that was asked for; ``auto`` is the first CUDA card, or else the processor.

    ``auto`` never takes Apple's MPS. It has no 64-bit floating point numbers, so settings and sums are kept
    in fewer bits there; results repeat only to rounding, where the processor gives the same bits every time;
    and nothing shows that it would be faster, since small networks train fast on the processor.

    Raises CeterisError for a name that is none, and for a device that this machine does not have.
    """
    kind, _, index = asked.partition(":")
    if kind not in KINDS or (index and (kind != "cuda" or not index.isdecimal())):
        raise CeterisError(Problem(unknown_name("device", asked, KINDS), where="device"))
    if kind == "cpu":
        return Device("cpu", "cpu")
    cards = cuda_cards()
    if kind == "auto" and not cards:
        return Device("cpu", "cpu")
    if kind in ("auto", "cuda"):
        return _cuda(asked, cards, int(index or 0))
    if not _has_mps():
        raise CeterisError(Problem(_absent(asked, cards), where="device"))
    return Device("mps", "mps")


def all_devices() -> tuple[Device, ...]:
    """Return every device of this machine that training can use, the processor first."""
    cards = cuda_cards()
    found = [resolve_device("cpu"), *(_cuda(f"cuda:{i}", cards, i) for i in range(len(cards)))]
    return (*found, *([Device("mps", "mps")] if _has_mps() else []))


def cuda_cards() -> list[str]:
    """Name the CUDA cards that torch can use."""
    if torch_is_for_processors():
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def _cuda(asked: str, cards: list[str], index: int) -> Device:
    import torch

    if index >= len(cards):
        raise CeterisError(Problem(_absent(asked, cards), where="device"))
    free, _ = torch.cuda.mem_get_info(index)
    return Device("cuda" if index == 0 else f"cuda:{index}", f"cuda: {cards[index]}", free)


def torch_is_for_processors() -> bool:
    """Tell whether the torch that is installed was built for processors alone; it is not loaded for that."""
    if sys.platform == "darwin":
        return False
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return False
    built = _assigned(Path(found.submodule_search_locations[0]) / "version.py")
    return all(name in built and built[name] is None for name in ("cuda", "hip"))


def _assigned(file: Path) -> dict[str, object]:
    """Return the constants that a Python file assigns to names, without running it."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, object] = {}
    for line in tree.body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.Constant):
            found |= {own.id: line.value.value for own in targets if isinstance(own, ast.Name)}
    return found


def _has_mps() -> bool:
    if torch_is_for_processors():
        return False
    import torch

    return bool(torch.backends.mps.is_available())


def _absent(asked: str, cards: list[str]) -> str:
    there = ["`cpu`", *(f"`cuda:{i}` ({name})" for i, name in enumerate(cards))]
    there += ["`mps`"] if _has_mps() else []
    known = f"there is no device `{asked}` on this machine; there is {', '.join(there)}"
    return f"{known} ({_why_no_card()})" if asked.startswith("cuda") and not cards else known


def _why_no_card() -> str:
    if torch_is_for_processors():
        return (
            "the torch that is installed was built for processors alone: install one that is built for CUDA"
        )
    return "torch finds no card that it can use; does `nvidia-smi` show one?"
