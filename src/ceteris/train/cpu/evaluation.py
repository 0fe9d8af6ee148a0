"""The compiled loop that evaluates members; several threads may run it at once."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.batches import fetch, score, transpose
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.one_layer import evaluate_together, shares_products
from ceteris.train.cpu.passes import forward_evaluating
from ceteris.train.cpu.table import N_OUT, Y
from ceteris.train.cpu.team import next_chunk
from ceteris.train.cpu.views import matrix


@kernel
def evaluate(net, stack, loss, rules, data, places, rows, chunk, space, outputs, parts, team):
    """Evaluate members of one stream on the numbered rows, in evaluation mode.

    Args:
        loss: which plain loss: nothing is smoothed or weighted in evaluation.
        rows: (n,) row numbers; chunk: how many are run at once.
        space: that of this thread alone.
        outputs: (M, n, k) receives the network's outputs, or has no rows.
        parts: (M, chunks, 2) float64 receives the summed loss and the right answers of every chunk.
        team: of those who evaluate at once: each chunk is done by one of them.
    """
    table, work = net.table, space.work
    final = table[table.shape[0] - 1]
    number = next_chunk(team, -1)
    while number * chunk < rows.size:
        begin = number * chunk
        own = rows[begin : min(begin + chunk, rows.size)]
        n = own.size
        if shares_products(table):
            own_parts = parts[:, number]
            evaluate_together(net, stack, loss, rules, data, places, own, begin, space, outputs, own_parts)
            number = next_chunk(team, number)
            continue
        fetch(data, own, table, space)
        for place in places:
            forward_evaluating(table, net.numbers, stack.params[place], stack.buffers[place], work, n)
            if outputs.shape[1] > 0:
                transpose(matrix(work, final[Y], final[N_OUT], n), outputs[place, begin : begin + n])
            class_weights, beta = rules.class_weights[place], rules.beta[place]
            total, right = score(loss, 0.0, class_weights, beta, final, space, data, own)
            parts[place, number, 0] = total
            parts[place, number, 1] = right
        number = next_chunk(team, number)


@kernel
def average(parts, places, rows, results):
    """Fill ``results`` (M, 2) of some members with the means over so many rows of sums by chunk (M, n, 2)."""
    for place in places:
        for column in range(2):
            total = 0.0
            for number in range(parts.shape[1]):
                total += parts[place, number, column]
            results[place, column] = total / rows
