"""Linear layers of one member in training, forward and backward; a team shares the pieces of wide ones.

Tiles of our own give the same bits wherever a product is cut, so a leader alone does not cut it. The BLAS may
not: there the bounds of the pieces follow from shapes alone, and a leader alone does the same ones.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.linear import TILED, is_gradient_tiled, is_tiled, multiply_by_blas, product
from ceteris.train.cpu.table import (
    APART,
    BIAS,
    BY_ROW,
    DX,
    DY,
    MASKED,
    MOST_TURNED,
    N_IN,
    N_OUT,
    TURNED,
    WEIGHT,
    X,
    Y,
)
from ceteris.train.cpu.team import BACKWARD, FORWARD, MOST_PIECES, next_piece, post
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply

SHARED, PIECE, LINES = 1_000_000, 500_000, 8
"""Products by tiles are shared from so many multiplications on, in pieces of about so many (some
microseconds) and of a multiple of so many units."""
LARGE, LARGE_UNITS = 16_000_000, 512
"""Products by the BLAS are cut from so many multiplications on, into pieces of so many units: it copies a
matrix for each, which takes 2 to 6% of the time of such a piece."""
LEAST_SHARED = SHARED if TILED else LARGE


@kernel
def is_turned(row, n):
    """Tell whether a layer's inputs are copied to their transpose for a batch of ``n`` rows."""
    return row[TURNED] >= 0 and n <= MOST_TURNED


@kernel
def turn(vector, source, rows, columns, target, apart):
    """Copy a matrix (rows, columns) to its transpose, whose rows are ``apart``, in the same vector."""
    for row in range(rows):
        line = source + row * columns
        for column in range(columns):
            vector[target + column * apart + row] = vector[line + column]


@kernel
def units_of_piece(tiled, each):
    """Return how many units a piece has, of which each takes so many multiplications."""
    return max(LINES, PIECE // each // LINES * LINES) if tiled else LARGE_UNITS


@kernel
def pieces(tiled, units, each, team):
    """Return into how many pieces units are cut, of which each takes so many multiplications."""
    if units * each < (SHARED if tiled else LARGE) or (tiled and team.size == 0):
        return 1
    count = -(-units // units_of_piece(tiled, each))
    return count if count <= MOST_PIECES // 2 else 1


@kernel
def bounds(tiled, units, each, count, piece):
    """Return the first unit of one of ``count`` pieces, and the one after its last."""
    own = units_of_piece(tiled, each) if count > 1 else units
    return piece * own, min((piece + 1) * own, units)


@kernel
def count_forward(row, n, team):
    """Return into how many pieces the forward product of a linear layer is cut."""
    return pieces(is_tiled(n, row[N_OUT]), row[N_OUT], row[N_IN] * n, team)


@kernel
def count_inputs(row, n, team):
    """Return into how many pieces the gradient of the inputs is cut; 0 where nobody needs it."""
    if row[BY_ROW]:
        return 0
    tiled = is_tiled(n, row[N_OUT])
    return pieces(tiled, row[N_IN], row[N_OUT] * n, team) if tiled else 1


@kernel
def gradient_inputs(row, n):
    """Return where the inputs stand for the gradient of the weights, how far apart, and whether by row."""
    if row[BY_ROW]:
        return row[X], row[N_IN], True
    if is_turned(row, n):
        return row[TURNED], row[N_IN] + APART, True
    return row[X], n, False


@kernel
def count_gradient(row, n, team):
    """Return into how many pieces the gradient of the weights is cut."""
    _, apart, by_row = gradient_inputs(row, n)
    tiled = is_gradient_tiled(n, row[N_OUT], apart, by_row)
    return pieces(tiled, row[N_OUT], row[N_IN] * n, team)


@kernel
def train_forward(row, index, team, param, work, n, masked):
    """Run a linear layer forward on ``n`` rows, with its weights or with those that drop-connect left."""
    if row[BY_ROW] and is_turned(row, n):
        turn(work, row[X], n, row[N_IN], row[TURNED], n)
    count = count_forward(row, n, team)
    if count == 1:
        forward_piece(row, param, work, n, masked, 0, 1)
        return
    post(team, FORWARD, index, n, 1 if masked else 0, count)
    piece = next_piece(team, -1, count)
    while piece >= 0:
        forward_piece(row, param, work, n, masked, piece, count)
        piece = next_piece(team, piece, count)


@kernel
def forward_piece(row, param, work, n, masked, piece, count):
    """Do one of ``count`` pieces of ``train_forward``, bias included."""
    width, tiled = row[N_IN], is_tiled(n, row[N_OUT])
    begin, end = bounds(tiled, row[N_OUT], width * n, count, piece)
    weight, at = (work, row[MASKED]) if masked else (param, row[WEIGHT])
    x_at, by_row, apart = row[X], row[BY_ROW] != 0, n
    if by_row and is_turned(row, n):
        x_at, by_row = row[TURNED], False
    elif by_row:
        apart = width
    y = work[row[Y] + begin * n : row[Y] + end * n]
    own = weight[at + begin * width : at + end * width]
    product(tiled, end - begin, n, width, own, work, x_at, apart, by_row, y)
    if row[BIAS] >= 0:
        for unit in range(begin, end):
            bias = param[row[BIAS] + unit]
            for place in range((unit - begin) * n, (unit - begin + 1) * n):
                y[place] += bias


@kernel
def train_backward(row, index, team, param, grad, work, n, masked):
    """Compute the gradients of the weights and the inputs of a linear layer on ``n`` rows."""
    if row[BY_ROW] == 0 and is_turned(row, n):
        turn(work, row[X], row[N_IN], n, row[TURNED], row[N_IN] + APART)
    inputs, own = count_inputs(row, n, team), count_gradient(row, n, team)
    if inputs <= 1 and own == 1:
        for piece in range(inputs + 1):
            backward_piece(row, param, grad, work, n, masked, piece, inputs, 1)
        return
    post(team, BACKWARD, index, n, 1 if masked else 0, inputs + own)
    piece = next_piece(team, -1, inputs + own)
    while piece >= 0:
        backward_piece(row, param, grad, work, n, masked, piece, inputs, own)
        piece = next_piece(team, piece, inputs + own)


@kernel
def backward_piece(row, param, grad, work, n, masked, piece, inputs, count):
    """Do a piece of ``train_backward``, of ``inputs`` of the inputs' gradient and ``count`` of the weights'.

    Those of the inputs stand between the halves of the others: at the ends are the same units as forward.
    """
    own = piece - count // 2
    if 0 <= own < inputs:
        input_piece(row, param, work, n, masked, own, inputs)
        return
    own = piece if own < 0 else piece - inputs
    units, width = row[N_OUT], row[N_IN]
    x_at, apart, by_row = gradient_inputs(row, n)
    tiled = is_gradient_tiled(n, units, apart, by_row)
    begin, end = bounds(tiled, units, width * n, count, own)
    dy = work[row[DY] + begin * n : row[DY] + end * n]
    if not tiled:
        x_at, apart, by_row = row[X], width if row[BY_ROW] else n, row[BY_ROW] != 0
    own_grad = grad[row[WEIGHT] + begin * width : row[WEIGHT] + end * width]
    product(tiled, end - begin, width, n, dy, work, x_at, apart, not by_row, own_grad)


@kernel
def input_piece(row, param, work, n, masked, piece, count):
    """Compute one of ``count`` pieces of dx = W^T dy."""
    units, width, tiled = row[N_OUT], row[N_IN], is_tiled(n, row[N_OUT])
    begin, end = bounds(tiled, width, units * n, count, piece)
    weight, at = (work, row[MASKED]) if masked else (param, row[WEIGHT])
    dx, dy = work[row[DX] + begin * n : row[DX] + end * n], work[row[DY] : row[DY] + units * n]
    if tiled:
        at += begin
        multiply(end - begin, n, units, weight, at, width, TRANSPOSED, dy, 0, n, PLAIN, False, dx, 0, n)
    else:
        multiply_by_blas(width, n, units, weight, at, TRANSPOSED, dy, 0, PLAIN, dx)
