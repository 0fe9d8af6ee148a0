"""The jobs of a training step that a team shares: what its leader posts, and what its assistants do."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.decorators import inlined, kernel
from ceteris.train.cpu.linear_training import (
    backward_piece,
    count_forward,
    count_gradient,
    count_inputs,
    forward_piece,
)
from ceteris.train.cpu.team import (
    BACKWARD,
    FORWARD,
    JOB,
    LAYER,
    N_ROWS,
    OPTION,
    PLACE,
    STEP,
    UPDATE,
    next_for_assistant,
    next_piece,
    post,
)
from ceteris.train.cpu.updates import count_update, update, update_piece


@inlined
def update_shared(family, step, hyper, segments, param, grad, slots, team):
    """Do ``updates.update``, in pieces that a team shares where there are many parameters."""
    count = count_update(param.size)
    if count == 0:
        update(family, step, hyper, segments, param, grad, slots)
        return
    post(team, UPDATE, 0, 0, 0, count)
    piece = next_piece(team, -1, count)
    while piece >= 0:
        update_piece(family, step, hyper, segments, param, grad, slots, piece)
        piece = next_piece(team, piece, count)


@kernel
def assist(net, stack, rules, space, team):
    """Help the thread that runs ``train_steps`` with the pieces of its jobs, until the team is closed.

    Args:
        net, stack, rules, space: those of the leader; team: see ``team``.
    """
    piece = next_for_assistant(team, -1)
    while piece >= 0:
        place, n, masked = team[PLACE], team[N_ROWS], team[OPTION] != 0
        row, param, grad, work = net.table[team[LAYER]], stack.params[place], space.grad, space.work
        if team[JOB] == FORWARD:
            forward_piece(row, param, work, n, masked, piece, count_forward(row, n, team))
        elif team[JOB] == BACKWARD:
            inputs, count = count_inputs(row, n, team), count_gradient(row, n, team)
            backward_piece(row, param, grad, work, n, masked, piece, inputs, count)
        else:
            hyper, slots = rules.hyper[place], stack.slots[place]
            update_piece(rules.family, team[STEP], hyper, net.segments, param, grad, slots, piece)
        piece = next_for_assistant(team, piece)
