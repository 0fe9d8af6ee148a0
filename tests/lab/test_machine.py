from pathlib import Path

import pytest

from ceteris.lab import machine


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000", None), ("200000 100000", 2), ("50000 100000", 1), ("", None)]
)
def test_a_container_s_quota_is_read_as_cores(text: str, cores: int | None) -> None:
    assert machine._cpu_quota(text) == cores


def test_memory_is_bounded_by_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = machine.available_bytes()
    assert free > 2**20
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.available_bytes() == 600_000
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert machine.available_cores() == 1
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.available_bytes() > 2**20
