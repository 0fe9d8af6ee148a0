"""Cross-entropy with its gradient for logits that stand unit by unit, as the final layer leaves them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.arithmetic import exponential
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.sums import copy


@kernel
def cross_entropy(outputs, labels, gradient, largest, partition):
    """Cross-entropy of logits (c, b) with labels (b,), by log-sum-exp.

    Fills ``gradient`` (c, b) with (softmax - one-hot) / b. The loops run over the rows of the batch, so
    they vectorise; every row adds up its units in their order, so what it gives does not depend on
    where in a batch it stands. ``largest`` and ``partition`` (b,) are workspaces.

    Returns:
        The sum of the losses over the rows, and how many rows are classified rightly.
    """
    units, rows = outputs.shape
    share = outputs.dtype.type(1.0 / rows)
    copy(outputs[0], largest)
    for unit in range(1, units):
        line = outputs[unit]
        for row in range(rows):
            largest[row] = line[row] if line[row] > largest[row] else largest[row]
    partition[:] = outputs.dtype.type(0)
    for unit in range(units):
        line, powers = outputs[unit], gradient[unit]
        for row in range(rows):
            powers[row] = exponential(line[row] - largest[row])
            partition[row] += powers[row]
    total = 0.0
    right = 0
    for row in range(rows):
        own = outputs[labels[row], row] - largest[row]
        total += np.log(np.float64(partition[row])) - own
        right += 0 if own < 0 else is_first_largest(outputs, labels[row], row)
        partition[row] = share / partition[row]
    for unit in range(units):
        powers = gradient[unit]
        for row in range(rows):
            powers[row] *= partition[row]
    for row in range(rows):
        gradient[labels[row], row] -= share
    return total, right


@kernel
def is_first_largest(outputs, label, row):
    """Return 1 where the first largest logit of a row (of outputs (c, b)) stands at ``label``, else 0."""
    best = 0
    for unit in range(1, outputs.shape[0]):
        if outputs[unit, row] > outputs[best, row]:
            best = unit
    return 1 if best == label else 0
