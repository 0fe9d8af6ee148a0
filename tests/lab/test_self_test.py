"""The self-test of devices: what it compares, and that a device that computes something else fails it."""

from __future__ import annotations

import numpy as np
import pytest

from ceteris.errors import CeterisError
from ceteris.lab import self_test as tests
from ceteris.lab.devices import Device, all_devices


def test_the_processor_is_always_there() -> None:
    assert all_devices()[0] == Device("cpu", "cpu")


def test_the_largest_difference_is_relative_to_the_largest_weight() -> None:
    own = {"a": {"w": np.array([1.0, -4.0])}, "b": {"w": np.array([0.5])}}
    other = {"a": {"w": np.array([1.0, -4.0])}, "b": {"w": np.array([0.3])}}
    assert tests.largest_difference(own, other) == pytest.approx(0.05)
    with pytest.raises(CeterisError, match="nothing was trained"):
        tests.largest_difference({}, other)


def test_a_device_that_trains_to_other_weights_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(device: str, workers: tuple[int, ...], *, scratch: bool) -> tests.Measured:
        finals = {"0": {"w": np.array([1.0 if device == "cpu" else 1.01])}}
        return tests.Measured(finals, finals if scratch else {}, dict.fromkeys(workers, 10.0))

    monkeypatch.setattr(tests, "_measure", measured)
    monkeypatch.setattr(tests, "available_cores", lambda: 2)
    found = tests.self_test([Device("cpu", "cpu"), Device("cuda", "cuda: a card")])
    assert [(own.device, own.workers, own.reference, own.speed) for own in found] == [
        ("cpu", 1, "scratch", 10.0),
        ("cpu", 2, "scratch", 10.0),
        ("cuda", 1, "cpu", 10.0),
    ]
    assert [own.problem for own in found[:2]] == [None, None]
    assert found[2].problem == "weights differ by 1.0e-02 from those of `cpu`"

    def broken(*arguments: object, **options: object) -> tests.Measured:
        raise CeterisError("no kernel")

    monkeypatch.setattr(tests, "_measure", broken)
    assert tests.self_test([Device("cpu", "cpu")])[0].problem == "no kernel"
