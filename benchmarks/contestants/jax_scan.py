"""JAX: an epoch is one compiled program, a scan over the batches; members by vmap over seeds and variants.

In small networks the variants of a seed share its batches, fetched once, by one vmap within another;
in large ones a single vmap over all members measured up to 1.6 times faster. One network alone goes
without vmap. The program is compiled ahead, once per shape, as set-up; its state is donated, so that
updates happen in place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.task import EVALUATION_BATCH, Outcome, Rows, Task

Layers = list[tuple[Array, Array]]
"""(weights (in, out), bias (out,)) per layer."""

MOST_SHARING = 100_000
"""So many weights a network may have for its variants to share batches."""

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class State(NamedTuple):
    """What an epoch changes; ``first`` and ``second`` are Adam's moments."""

    layers: Layers
    first: Layers
    second: Layers
    steps: Array


class Varied(NamedTuple):
    """What differs between seeds (order, key) and between variants (rate)."""

    order: Array
    key: Array
    rate: Array


_programs: dict[str, Any] = {}


def unsuited(task: Task) -> str:
    return "convolutions and batch norm are not written out here" if task.convolutional else ""


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    data = [Rows(jnp.asarray(x), jnp.asarray(y)) for x, y in (task.train, task.measured, task.validation)]
    shuffles = np.random.default_rng(task.seeds)
    state = _initial_state(task)
    program = _program(task, state, _varied(task, shuffles, 0), data)
    found = []
    start = time.perf_counter()
    for epoch in range(task.epochs):
        state, of_epoch = program(state, _varied(task, shuffles, epoch), data)
        found.append(of_epoch)
    jax.block_until_ready(found)
    seconds = time.perf_counter() - start
    _, (loss, accuracy) = found[task.compare_after - 1]
    by_seed = zip(*(np.reshape(part, (len(task.seeds), -1))[:, 0] for part in (loss, accuracy)), strict=True)
    score = float(np.mean([task.score(*pair) for pair in by_seed]))
    return Outcome(seconds, start - begin, task.members, task.epochs, int(np.ravel(state.steps)[0]), score)


def _shares_batches(task: Task) -> bool:
    widths = [task.features, *task.hidden, task.outputs]
    return sum(into * out for into, out in pairwise(widths)) <= MOST_SHARING


def _member_axes(task: Task) -> tuple[int, ...]:
    """Leading axes of what a member has of its own."""
    if task.members == 1:
        return ()
    return (len(task.seeds), len(task.rates)) if _shares_batches(task) else (task.members,)


def _initial_state(task: Task) -> State:
    """Uniform in +-1/sqrt(fan_in), one draw per seed, copied for its variants."""
    widths = [task.features, *task.hidden, task.outputs]
    draws = [np.random.default_rng(seed) for seed in task.seeds]
    axes = _member_axes(task)

    def drawn(bound: float, shape: tuple[int, ...]) -> Array:
        per_seed = np.stack([draw.uniform(-bound, bound, shape).astype(np.float32) for draw in draws])
        return jnp.asarray(np.repeat(per_seed, len(task.rates), axis=0).reshape(*axes, *shape))

    layers = [(drawn(into**-0.5, (into, out)), drawn(into**-0.5, (out,))) for into, out in pairwise(widths)]
    first, second = (jax.tree.map(jnp.zeros_like, layers) for _ in range(2))
    return State(layers, first, second, jnp.zeros(axes, jnp.int32))


def _varied(task: Task, shuffles: np.random.Generator, epoch: int) -> Varied:
    """A new order per seed; dropout keys for XLA's own generator, which is the fastest on a processor."""
    orders = np.stack([shuffles.permutation(len(task.train.x)) for _ in task.seeds]).astype(np.int32)
    keys = np.stack([np.array([0, seed, 0, epoch], np.uint32) for seed in task.seeds])
    rates = np.asarray(task.rates, np.float32)
    if task.members == 1:
        return Varied(orders[0], keys[0], rates[0])
    if _shares_batches(task):
        return Varied(orders, keys, rates)
    variants, seeds = len(task.rates), len(task.seeds)
    return Varied(
        np.repeat(orders, variants, axis=0), np.repeat(keys, variants, axis=0), np.tile(rates, seeds)
    )


def _program(task: Task, state: State, varied: Varied, data: list[Rows]) -> Any:
    """Compile an epoch for all members, once for every shape."""
    key = repr((task.model, task.optimizer["kind"], task.batch_size, jax.tree.map(jnp.shape, (state, data))))
    if key not in _programs:
        epoch = _epoch(task)
        for axes in _varied_axes(task):
            epoch = jax.vmap(epoch, in_axes=(0, axes, None))
        _programs[key] = jax.jit(epoch, donate_argnums=0).lower(state, varied, data).compile()
    return _programs[key]


def _varied_axes(task: Task) -> list[Any]:
    """What is mapped by each vmap, from the inside out."""
    if task.members == 1:
        return []
    if _shares_batches(task):
        return [_axes(None, None, 0), _axes(0, 0, None)]
    return [_axes(0, 0, 0)]


def _axes(order: int | None, key: int | None, rate: int | None) -> Any:
    return Varied(order, key, rate)  # type: ignore[arg-type]  # axes stand where arrays will


def _epoch(task: Task) -> Callable[[State, Varied, list[Rows]], Any]:
    """Return the function that trains one member for an epoch and evaluates both slices."""
    update = {"adam": _adam, "sgd": _sgd}[task.optimizer["kind"]]
    loss_of = _cross_entropy if task.classification else _squared_error

    def step(state: State, rows: Array, varied: Varied, training: Rows) -> State:
        def batch_loss(layers: Layers) -> Array:
            key = jax.random.wrap_key_data(varied.key, impl="rbg")
            key = jax.random.fold_in(key, state.steps) if task.dropout else key
            return loss_of(_forward(layers, training.x[rows], task.dropout, key), training.y[rows]).mean()

        return update(state, jax.grad(batch_loss)(state.layers), varied.rate)

    def epoch(state: State, varied: Varied, data: list[Rows]) -> Any:
        training, *slices = data
        whole = len(varied.order) // task.batch_size * task.batch_size
        batches = varied.order[:whole].reshape(-1, task.batch_size)
        state, _ = lax.scan(lambda s, rows: (step(s, rows, varied, training), None), state, batches)
        if whole < len(varied.order):
            state = step(state, varied.order[whole:], varied, training)
        return state, [_evaluate(state.layers, rows, loss_of) for rows in slices]

    return epoch


def _forward(layers: Layers, x: Array, dropout: float = 0.0, key: Array | None = None) -> Array:
    for number, (weights, bias) in enumerate(layers[:-1]):
        x = jax.nn.relu(x @ weights + bias)
        if dropout and key is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    weights, bias = layers[-1]
    return x @ weights + bias


def _cross_entropy(outputs: Array, labels: Array) -> Array:
    shares = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(shares, labels[:, None], axis=1)[:, 0]


def _squared_error(outputs: Array, targets: Array) -> Array:
    return ((outputs - targets) ** 2)[:, 0]


def _evaluate(layers: Layers, rows: Rows, loss_of: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
    """Loss and accuracy per row, batch by batch."""

    def sums(x: Array, y: Array) -> Array:
        outputs = _forward(layers, x)
        return jnp.stack([loss_of(outputs, y).sum(), (outputs.argmax(1) == y.ravel()).sum()])

    n = len(rows.x)
    whole = n // EVALUATION_BATCH * EVALUATION_BATCH
    total = jnp.zeros(2)
    if whole:
        batches = [part[:whole].reshape(-1, EVALUATION_BATCH, *part.shape[1:]) for part in rows]
        total = lax.map(lambda batch: sums(*batch), batches).sum(0)
    if whole < n:
        total += sums(rows.x[whole:], rows.y[whole:])
    return total[0] / n, total[1] / n


def _adam(state: State, gradients: Layers, rate: Array) -> State:
    steps = state.steps + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state.first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state.second, gradients)
    size = rate / (1 - BETA1**steps)
    scale = jnp.sqrt(1 - BETA2**steps)

    def moved(parameter: Array, m: Array, v: Array) -> Array:
        return parameter - size * m / (jnp.sqrt(v) / scale + EPS)

    return State(jax.tree.map(moved, state.layers, first, second), first, second, steps)


def _sgd(state: State, gradients: Layers, rate: Array) -> State:
    layers = jax.tree.map(lambda parameter, g: parameter - rate * g, state.layers, gradients)
    return State(layers, state.first, state.second, state.steps + 1)
