"""How threads of one process share the pieces of a job, without waiting for a thread that does not run.

One thread leads: it does all that is done in order, and posts a job when there are pieces to be shared. It
takes pieces itself, and so does every assistant that happens to run: each takes one that nobody has taken.
The leader goes on when all are done. So on a busy machine, where an assistant may not run for a while, the
leader does the job alone. Who does which piece changes no bit. The leader takes the first pieces and the
others the last, so that what a thread writes in one job is in its own cache in the next: two cores need not
share one.

A team is a vector of int64. Its numbers stand 64 bytes apart, a line of the cache each, where several
threads write them. A team of no numbers is a leader alone.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ceteris.train.cpu.atomics import add, load, replace, store, wait_a_little
from ceteris.train.cpu.decorators import kernel

TICKET, DONE, CLOSED = 0, 8, 16
"""The job under way (20 bits of its number, then 14 each: its pieces, those taken by the leader, and by the
others), its pieces done, the end of it all."""
JOB, LAYER, PLACE, N_ROWS, STEP, OPTION = range(24, 30)
"""What the job is; only the leader writes it, and only while no job is under way."""
N_NUMBERS = 32
FORWARD, BACKWARD, UPDATE = range(3)
"""Kinds of jobs."""
_PART = 14
_MASK = (1 << _PART) - 1
_NUMBERS = (1 << 20) - 1
MOST_PIECES = _MASK
"""A job has no more pieces."""


def new_team(threads: int) -> NDArray[np.int64]:
    """Return the numbers that so many threads share in one call."""
    return np.zeros(N_NUMBERS if threads > 1 else 0, np.int64)


@kernel
def name_member(team, place, step):
    """Say which member the coming jobs are of, and which step of its training it is at."""
    if team.size > 0:
        team[PLACE], team[STEP] = place, step


@kernel
def post(team, kind, layer, n, option, pieces):
    """Begin a job of so many pieces, on ``n`` rows of a batch."""
    if team.size == 0:
        return
    team[JOB], team[LAYER], team[N_ROWS], team[OPTION] = kind, layer, n, option
    store(team, DONE, 0)
    number = ((load(team, TICKET) >> (3 * _PART)) + 1) & _NUMBERS
    store(team, TICKET, (number << (3 * _PART)) | (pieces << (2 * _PART)))


@kernel
def take(team, leads):
    """Take a piece of the job under way: the leader the first, others the last; -1 where none is left."""
    while True:
        ticket = load(team, TICKET)
        pieces, first, last = (ticket >> (2 * _PART)) & _MASK, (ticket >> _PART) & _MASK, ticket & _MASK
        if first + last >= pieces:
            return -1
        # Fails where another thread was faster, or where this one slept and the job has changed meanwhile.
        if replace(team, TICKET, ticket, ticket + ((1 << _PART) if leads else 1)):
            return first if leads else pieces - 1 - last


@kernel
def next_piece(team, piece, pieces):
    """Return the piece that the leader does after ``piece`` (-1 at first), or -1 once all are done."""
    if team.size == 0:
        return piece + 1 if piece + 1 < pieces else -1
    if piece >= 0:
        add(team, DONE, 1)
    taken = take(team, True)
    if taken < 0:
        rounds = 0
        while load(team, DONE) < pieces:
            wait_a_little(rounds)
            rounds += 1
    return taken


@kernel
def next_for_assistant(team, piece):
    """Return the piece that an assistant does after ``piece`` (-1 at first); -1 once the team is closed."""
    if piece >= 0:
        add(team, DONE, 1)
    rounds = 0
    while load(team, CLOSED) == 0:
        taken = take(team, False)
        if taken >= 0:
            return taken
        wait_a_little(rounds)
        rounds += 1
    return -1


@kernel
def next_chunk(team, before):
    """Return the next number from 0 on that no other thread has; alone, the one after ``before``."""
    return before + 1 if team.size == 0 else add(team, TICKET, 1)
