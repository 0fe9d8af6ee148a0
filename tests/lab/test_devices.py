"""Which device `auto` stands for, and how a device is set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import ceteris
from ceteris.errors import CeterisError
from ceteris.lab import devices
from ceteris.lab.devices import ALWAYS_DETERMINISTIC, Device, resolve_device
from ceteris.lab.repeatable import deciding_differences
from ceteris.lab.run import run_study
from ceteris.spec.parse import parse_study
from ceteris.train import numerics


@pytest.mark.parametrize(
    ("cards", "mps", "expected"),
    [
        ([], False, "cpu"),
        ([], True, "cpu"),
        (["A card"], False, "cuda"),
        (["A card"], True, "cuda"),
    ],
)
def test_auto_is_a_card_or_the_processor_and_never_mps(
    monkeypatch: pytest.MonkeyPatch, cards: list[str], mps: bool, expected: str
) -> None:
    monkeypatch.setattr(devices, "cuda_cards", lambda: cards)
    monkeypatch.setattr(devices, "torch_is_for_processors", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (7, 8))
    assert resolve_device("auto").device == expected
    if mps:
        assert resolve_device("mps") == Device("mps", "mps")


@pytest.mark.parametrize(
    ("for_processors", "why"),
    [
        (
            True,
            "the torch that is installed was built for processors alone: install one that is built for CUDA",
        ),
        (False, "torch finds no card that it can use; does `nvidia-smi` show one?"),
    ],
)
def test_why_there_is_no_card_is_told(
    monkeypatch: pytest.MonkeyPatch, for_processors: bool, why: str
) -> None:
    monkeypatch.setattr(devices, "torch_is_for_processors", lambda: for_processors)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(CeterisError) as caught:
        resolve_device("cuda")
    assert str(caught.value) == (f"device: there is no device `cuda` on this machine; there is `cpu` ({why})")


@pytest.fixture
def _as_before() -> Any:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic, matmul.allow_tf32
    yield
    cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic, matmul.allow_tf32 = before
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("deterministic", [False, True])
def test_a_card_computes_float32_in_float32_and_in_the_same_way_where_asked(deterministic: bool) -> None:
    numerics.prepare_device("cuda", deterministic=deterministic)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.deterministic is deterministic
    assert torch.are_deterministic_algorithms_enabled() is deterministic
    assert numerics.environment()["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_the_processor_is_left_as_it_is() -> None:
    before = torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()
    numerics.prepare_device("cpu", deterministic=True)
    assert (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()) == before


def test_the_request_is_recorded_on_a_card_alone() -> None:
    plain, exact = (numerics.describe("cuda: A card", deterministic=own) for own in (False, True))
    assert (plain["deterministic"], exact["deterministic"]) == (False, True)
    assert plain["tensor_version"] == numerics.TENSOR_VERSION
    assert deciding_differences(plain, exact, {}, {}) == ["deterministic False then, True now"]
    assert numerics.describe("cpu", deterministic=True) == numerics.describe("cpu")


class Notes:
    """Keeps what a listener is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **named: None


def test_it_is_told_where_it_means_nothing(tmp_path: Path) -> None:
    study = {
        "experiment": {"data": {"source": "digits", "rows": 100}, "model": {"kind": "linear"}, "epochs": 1},
        "seeds": 1,
    }
    notes: Any = Notes()
    run = run_study(
        parse_study(study), runs_folder=tmp_path, device="cpu", deterministic=True, listener=notes, workers=1
    )
    assert ALWAYS_DETERMINISTIC in notes.told
    assert "deterministic" not in ceteris.load_run(run, runs_dir=tmp_path).run.numerics
