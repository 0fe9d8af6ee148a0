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


def test_speed_leaves_the_first_epoch_out_and_adds_workers_up() -> None:
    training = tests._Training(epochs={0: [10.0, 11.0, 12.0], 1: [10.0, 10.5, 11.0], 2: [3.0]})
    assert training.speed == pytest.approx(tests.MEMBERS * (1 + 2))


def test_a_device_that_trains_to_other_weights_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(device: str, workers: int, implementation: str) -> tests._Training:
        weights = np.array([1.0 if device == "cpu" else 1.01])
        return tests._Training({"0": {"w": weights}}, {0: [0.0, 1.0]})

    monkeypatch.setattr(tests, "_train", trained)
    monkeypatch.setattr(tests, "available_cores", lambda: 2)
    found = tests.self_test([Device("cpu", "cpu"), Device("cuda", "cuda: a card")])
    assert [(own.device, own.workers, own.reference) for own in found] == [
        ("cpu", 1, "scratch"),
        ("cpu", 2, "scratch"),
        ("cuda", 1, "cpu"),
    ]
    assert [own.problem for own in found[:2]] == [None, None]
    assert found[2].problem == "weights differ by 1.0e-02 from those of `cpu`"

    def broken(*arguments: object) -> tests._Training:
        raise CeterisError("no kernel")

    monkeypatch.setattr(tests, "_train", broken)
    assert tests.self_test([Device("cpu", "cpu")])[0].problem == "no kernel"
