"""What a member does with the gradient of a step: it is probed, penalised, clipped and applied."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.decorators import inlined, kernel
from ceteris.train.cpu.gradients import finish_gradient
from ceteris.train.cpu.probes import probe_noise, update_probed
from ceteris.train.cpu.sharing import update_shared
from ceteris.train.engine import GRADIENT_EVERY
from ceteris.train.hyper import LR

CACHED_BYTES = 512 * 1024
"""So much of a second-level cache (1 MiB on servers of today) is left to the state of members."""

# Columns of the totals that a member gathers over an epoch.
LOSS, RIGHT, ROWS, NORM, NORMS = range(5)
N_TOTALS = 5


@kernel
def members_in_cache(stack):
    """Return how many members fit the cache with their parameters and optimiser state, at least one."""
    bytes_each = stack.params.shape[1] * (1 + stack.slots.shape[1]) * stack.params.itemsize
    return max(1, CACHED_BYTES // max(bytes_each, 1))


@inlined
def take_step(net, stack, rules, place, step, done, grad, totals, probed, team):
    """Update the member at ``place`` by a gradient (P,), which is overwritten.

    ``step`` counts from the beginning of the epoch, ``done`` from that of the training; the other arguments
    are those of ``interpreter.train_steps``.
    """
    param, hyper = stack.params[place], rules.hyper[place]
    measured = step % GRADIENT_EVERY == 0
    if probed.previous.shape[1] > 0:
        probe_noise(net.tensors, probed, place, step, grad)
    norm = finish_gradient(
        rules.terms[place], rules.limits[place], net.tensors, measured, param, grad, probed.norms[place]
    )
    if measured:
        totals[place, NORM] += norm
        totals[place, NORMS] += 1
    column = min(step, rules.rates.shape[2] - 1)
    for group in range(hyper.shape[0]):
        hyper[group, LR] = rules.rates[place, group, column]
    slots = stack.slots[place]
    if measured and probed.before.size > 0:
        out = probed.updates[place]
        update_probed(rules.family, done, hyper, net.tensors, param, grad, slots, probed.before, out)
    else:
        update_shared(rules.family, done, hyper, net.segments, param, grad, slots, team)
