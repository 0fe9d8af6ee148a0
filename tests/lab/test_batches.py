"""Epochs go to the record together where they are short, and nothing overtakes what it depends on."""

from __future__ import annotations

import numpy as np
import pytest

from ceteris.lab.batches import GATHER_SECONDS, Batches
from ceteris.train.messages import Checkpoint, EpochMeasured, EpochsMeasured, Message, Progress, TrialEnded

PROGRESS = Progress(0, 0, 9, 1, 5, 2, 1.0, None, 10)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def measured(epoch: int, *identities: str, names: tuple[str, ...] = ("a", "b", "c")) -> EpochMeasured:
    numbers = np.array(
        [[epoch * 100.0 + 10 * t + n for n in range(len(names))] for t in range(len(identities))]
    )
    return EpochMeasured(0, epoch, names, identities, numbers)


def gathered(seconds: float, epochs: int, *after: Message) -> list[Message]:
    """Return what is sent of so many epochs, each taking so many seconds, and of what comes after them."""
    clock, sent = Clock(), list[Message]()
    batches = Batches(sent.append, clock)
    for epoch in range(epochs):
        clock.now += seconds
        batches.take(measured(epoch, "x", "y"))
    for message in after:
        batches.take(message)
    return sent


def test_long_epochs_go_out_at_once() -> None:
    sent = gathered(GATHER_SECONDS, 3)
    assert [
        (message.first, len(message.numbers)) for message in sent if isinstance(message, EpochsMeasured)
    ] == [
        (0, 1),
        (1, 1),
        (2, 1),
    ]


def test_short_epochs_wait_no_longer_than_the_limit() -> None:
    sent = gathered(GATHER_SECONDS / 10.5, 32)
    sizes = [len(message.numbers) for message in sent if isinstance(message, EpochsMeasured)]
    assert sizes == [10, 10, 10]


def test_what_is_sent_together_is_what_was_measured() -> None:
    (sent,) = (m for m in gathered(0.0, 4, ENDED) if isinstance(m, EpochsMeasured))
    assert [epoch.epoch for epoch in sent.singly()] == [0, 1, 2, 3]
    for epoch, one in enumerate(sent.singly()):
        alone = measured(epoch, "x", "y")
        assert one.names == alone.names
        assert {name: list(row) for name, row in one.rows.items()} == {
            name: list(row) for name, row in alone.rows.items()
        }


ENDED = TrialEnded("x", "finished", None, 1.0, {}, {})


@pytest.mark.parametrize("message", [ENDED, Checkpoint("x", 3, {})])
def test_ends_and_checkpoints_go_after_all_epochs_before_them(message: Message) -> None:
    kinds = [type(sent) for sent in gathered(0.0, 3, message)]
    assert kinds == [EpochsMeasured, type(message)]


def test_progress_does_not_wait() -> None:
    assert gathered(0.0, 3, PROGRESS) == [PROGRESS]


def test_trials_that_measure_different_things_keep_their_own_names() -> None:
    clock, sent = Clock(), list[Message]()
    batches = Batches(sent.append, clock)
    for epoch in range(3):
        batches.take(measured(epoch, "x"))
        batches.take(measured(epoch, "y", names=("a",)))
    batches.flush()
    batches.flush()
    told = [(m.identities, m.names, m.numbers.shape) for m in sent if isinstance(m, EpochsMeasured)]
    assert told == [(("x",), ("a", "b", "c"), (3, 1, 3)), (("y",), ("a",), (3, 1, 1))]
