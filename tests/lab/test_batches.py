"""Epochs go to the record together where they are short, and nothing overtakes what it depends on."""

from __future__ import annotations

import numpy as np

from ceteris.lab.batches import GATHER_SECONDS, GATHER_SHARE, Batches
from ceteris.train.messages import EpochMeasured, EpochsMeasured, Message, Progress, TrialEnded

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


def test_short_epochs_wait_no_longer_than_the_limits() -> None:
    seconds = 0.001
    sent = [message for message in gathered(seconds, 9_000) if isinstance(message, EpochsMeasured)]
    assert [message.first for message in sent[:10]] == list(range(10))
    longest = 0.0
    for message in sent:
        waited = seconds * (len(message.numbers) - 1)
        assert waited <= min(GATHER_SECONDS, GATHER_SHARE * seconds * (message.first + len(message.numbers)))
        longest = max(longest, waited)
    assert longest > 0.9 * GATHER_SECONDS
    assert len(sent) < 100


def test_what_is_sent_together_is_what_was_measured() -> None:
    _, *rest = gathered(0.001, 45, ENDED)
    sent = max((m for m in rest if isinstance(m, EpochsMeasured)), key=lambda m: len(m.numbers))
    assert [epoch.epoch for epoch in sent.singly()] == list(range(sent.first, sent.first + len(sent.numbers)))
    assert len(sent.numbers) > 1
    for one in sent.singly():
        alone = measured(one.epoch, "x", "y")
        assert one.names == alone.names
        assert {name: list(row) for name, row in one.rows.items()} == {
            name: list(row) for name, row in alone.rows.items()
        }


ENDED = TrialEnded("x", "finished", None, 1.0, {}, {})


def test_ends_go_after_all_epochs_before_them() -> None:
    *epochs, last = gathered(0.001, 45, ENDED)
    assert last is ENDED
    assert sum(len(sent.numbers) for sent in epochs if isinstance(sent, EpochsMeasured)) == 45
    assert sum(len(m.numbers) for m in gathered(0.001, 45) if isinstance(m, EpochsMeasured)) < 45


def test_what_a_checkpoint_knows_is_not_held_back() -> None:
    clock, sent = Clock(), list[Message]()
    batches = Batches(sent.append, clock)
    for epoch in range(45):
        clock.now += 0.001
        if epoch == 42:
            before = len(sent)
            batches.kept(43)
            assert len(sent) == before, "what came before waits for the epoch itself"
        batches.take(measured(epoch, "x"))
        batches.take(measured(epoch, "y", names=("a",)))
        if epoch == 42:
            last = {m.identities: m.first + len(m.numbers) for m in sent if isinstance(m, EpochsMeasured)}
            assert last == {("x",): 43, ("y",): 43}


def test_progress_does_not_wait() -> None:
    *epochs, last = gathered(0.001, 45, PROGRESS)
    assert last == PROGRESS
    assert len(epochs) == len(gathered(0.001, 45))


def test_trials_that_measure_different_things_keep_their_own_names() -> None:
    clock, sent = Clock(), list[Message]()
    batches = Batches(sent.append, clock)
    for epoch in range(100):
        clock.now += 0.001
        batches.take(measured(epoch, "x"))
        batches.take(measured(epoch, "y", names=("a",)))
    batches.flush()
    batches.flush()
    for identity, names in (("x", ("a", "b", "c")), ("y", ("a",))):
        own = [m for m in sent if isinstance(m, EpochsMeasured) and m.identities == (identity,)]
        assert {m.names for m in own} == {names}
        assert [epoch.epoch for m in own for epoch in m.singly()] == list(range(100))
        assert len(own) < 50
