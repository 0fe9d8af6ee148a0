"""Totals that arrive while a card goes on working, with the card's events made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ceteris.train.tensor.glimpse import Glimpse, copied_out


class Event:
    """Has happened once it is told so."""

    happened = False

    def query(self) -> bool:
        return Event.happened

    def record(self, stream: object) -> None:
        assert stream == "the current one"


def test_elsewhere_numbers_are_those_of_now() -> None:
    totals = torch.zeros(2)
    glimpse = Glimpse(totals)
    totals += 3
    found = glimpse.look(totals)
    totals += 1
    assert found is not None
    assert found.tolist() == [3, 3]


def test_on_a_card_nobody_waits_and_what_has_arrived_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "the current one")
    totals = torch.zeros(2)
    glimpse = Glimpse(totals)
    monkeypatch.setattr(glimpse, "_on_card", True)
    monkeypatch.setattr(Event, "happened", False)
    assert glimpse.look(totals) is None
    totals += 3
    assert glimpse.look(totals) is None  # the copy of the zeros is still under way
    Event.happened = True
    assert glimpse.look(totals).tolist() == [0, 0]  # they have come; the threes are asked for
    assert glimpse.look(totals).tolist() == [3, 3]
    glimpse.forget()
    Event.happened = False
    assert glimpse.look(totals) is None


def test_a_copy_is_none_of_the_device() -> None:
    there = torch.arange(3)
    np.testing.assert_array_equal(copied_out(there).numpy(), [0, 1, 2])
