"""JAX: an epoch is one compiled program, a scan over the batches; members by vmap over seeds and variants.

In small networks the variants of a seed share its batches, fetched once, by one vmap within another; in
large ones a single vmap over all members measured up to 1.6 times faster. One network alone goes without.
Convolutions inside a scan took nine times as long on a processor (and under vmap they become grouped
ones): there a compiled step is called batch by batch, for one member. Programs are compiled ahead, once
per shape, as set-up; their state is donated, so that updates happen in place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.contestants.jax_network import Layer, Running, forward, initial_layers, initial_running
from benchmarks.task import EVALUATION_BATCH, Outcome, Rows, Task, float32_alone

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
MOST_SHARING = 100_000
"""So many weights a network may have for its variants to share batches."""


class State(NamedTuple):
    """What an epoch changes; ``first`` is Adam's first moment or SGD's velocity, ``second`` Adam's second."""

    layers: list[Layer]
    running: list[Running]
    first: list[Layer]
    second: list[Layer]
    steps: Array


class Varied(NamedTuple):
    """What differs between seeds (order, key) and between variants (rate)."""

    order: Any
    key: Any
    rate: Any


Epoch = Callable[[State, Varied, list[Rows]], Any]
_programs: dict[str, Any] = {}


def unsuited(task: Task) -> str:
    return float32_alone(task)


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    if task.convolutional:
        task = replace(task, seeds=task.seeds[:1], rates=task.rates[:1])
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


def _member_axes(task: Task, weights: int) -> tuple[int, ...]:
    """Leading axes of what a member has of its own: none, (members,) or (seeds, variants)."""
    if task.members == 1:
        return ()
    return (len(task.seeds), len(task.rates)) if weights <= MOST_SHARING else (task.members,)


def _weights(task: Task) -> int:
    return sum(layer.weights.size for layer in initial_layers(task, 0))


def _initial_state(task: Task) -> State:
    """One draw per seed, copied for its variants."""
    axes = _member_axes(task, _weights(task))
    per_seed = [initial_layers(task, seed) for seed in task.seeds]

    def for_members(*parts: Any) -> Array:
        copied = np.repeat(np.stack(parts), len(task.rates), axis=0)
        return jnp.asarray(copied.reshape(*axes, *parts[0].shape))

    layers = jax.tree.map(for_members, *per_seed)
    running = jax.tree.map(for_members, *map(initial_running, per_seed))
    first, second = (jax.tree.map(jnp.zeros_like, layers) for _ in range(2))
    return State(layers, running, first, second, jnp.zeros(axes, jnp.int32))


def _varied(task: Task, shuffles: np.random.Generator, epoch: int) -> Varied:
    """A new order per seed; dropout keys for XLA's own generator, which is the fastest on a processor."""
    orders = np.stack([shuffles.permutation(len(task.train.x)) for _ in task.seeds]).astype(np.int32)
    keys = np.stack([np.array([0, seed, 0, epoch], np.uint32) for seed in task.seeds])
    rates = np.asarray(task.rates, np.float32)
    if task.members == 1:
        return Varied(orders[0], keys[0], rates[0])
    if len(_member_axes(task, _weights(task))) == 2:
        return Varied(orders, keys, rates)
    variants, seeds = len(task.rates), len(task.seeds)
    return Varied(
        np.repeat(orders, variants, axis=0), np.repeat(keys, variants, axis=0), np.tile(rates, seeds)
    )


def _program(task: Task, state: State, varied: Varied, data: list[Rows]) -> Any:
    """Compile an epoch for all members, once for every shape."""
    key = repr((task.model, task.optimizer, task.batch_size, jax.tree.map(jnp.shape, (state, data))))
    if key not in _programs and task.convolutional:
        _programs[key] = _step_by_step(task, state, varied, data)
    elif key not in _programs:
        epoch = _over_members(task, _epoch(task))
        _programs[key] = jax.jit(epoch, donate_argnums=0).lower(state, varied, data).compile()
    return _programs[key]


def _over_members(task: Task, epoch: Epoch) -> Epoch:
    axes = len(_member_axes(task, _weights(task)))
    if axes == 0:
        return epoch
    if axes == 1:
        return jax.vmap(epoch, in_axes=(0, Varied(0, 0, 0), None))
    over_variants = jax.vmap(epoch, in_axes=(0, Varied(None, None, 0), None))
    return jax.vmap(over_variants, in_axes=(0, Varied(0, 0, None), None))


def _step_by_step(task: Task, state: State, varied: Varied, data: list[Rows]) -> Epoch:
    """Return an epoch that is a loop over compiled steps."""
    training, *slices = data
    last = len(varied.order) % task.batch_size
    step = jax.jit(_step(task), donate_argnums=0)
    steps = {
        size: step.lower(state, varied.order[:size], varied.key, varied.rate, training).compile()
        for size in {task.batch_size, last} - {0}
    }
    evaluations = [jax.jit(partial(_evaluate, task)).lower(state, rows).compile() for rows in slices]

    def epoch(state: State, varied: Varied, data: list[Rows]) -> Any:
        for begin in range(0, len(varied.order), task.batch_size):
            rows = varied.order[begin : begin + task.batch_size]
            state = steps[len(rows)](state, rows, varied.key, varied.rate, training)
        return state, [evaluate(state, rows) for evaluate, rows in zip(evaluations, slices, strict=True)]

    return epoch


def _epoch(task: Task) -> Epoch:
    """Return the function that trains one member for an epoch and evaluates both slices."""
    step = _step(task)

    def epoch(state: State, varied: Varied, data: list[Rows]) -> Any:
        training, *slices = data
        order, key, rate = varied
        whole = len(order) // task.batch_size * task.batch_size
        batches = order[:whole].reshape(-1, task.batch_size)
        state, _ = lax.scan(lambda s, rows: (step(s, rows, key, rate, training), None), state, batches)
        if whole < len(order):
            state = step(state, order[whole:], key, rate, training)
        return state, [_evaluate(task, state, rows) for rows in slices]

    return epoch


def _step(task: Task) -> Callable[..., State]:
    """Return the function that does one optimisation step of one member."""
    momentum = task.optimizer.get("momentum", 0.0)
    update = _adam if task.optimizer["kind"] == "adam" else partial(_sgd, momentum=momentum)

    def step(state: State, rows: Array, key: Array, rate: Array, training: Rows) -> State:
        key = jax.random.fold_in(jax.random.wrap_key_data(key, impl="rbg"), state.steps)

        def batch_loss(layers: list[Layer]) -> tuple[Array, list[Running]]:
            outputs, running = forward(task, layers, state.running, training.x[rows], key)
            return _losses(task, outputs, training.y[rows]).mean(), running

        gradients, running = jax.grad(batch_loss, has_aux=True)(state.layers)
        return update(state._replace(running=running), gradients, rate)

    return step


def _losses(task: Task, outputs: Array, targets: Array) -> Array:
    """Loss of each row."""
    if not task.classification:
        return ((outputs - targets) ** 2)[:, 0]
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], axis=1)[:, 0]


def _evaluate(task: Task, state: State, rows: Rows) -> tuple[Array, Array]:
    """Loss and accuracy per row, batch by batch."""

    def sums(x: Array, y: Array) -> Array:
        outputs, _ = forward(task, state.layers, state.running, x)
        return jnp.stack([_losses(task, outputs, y).sum(), (outputs.argmax(1) == y.ravel()).sum()])

    n = len(rows.x)
    whole = n // EVALUATION_BATCH * EVALUATION_BATCH
    total = jnp.zeros(2)
    if whole:
        batches = [part[:whole].reshape(-1, EVALUATION_BATCH, *part.shape[1:]) for part in rows]
        total = lax.map(lambda batch: sums(*batch), batches).sum(0)
    if whole < n:
        total += sums(rows.x[whole:], rows.y[whole:])
    return total[0] / n, total[1] / n


def _adam(state: State, gradients: list[Layer], rate: Array) -> State:
    steps = state.steps + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state.first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state.second, gradients)
    size = rate / (1 - BETA1**steps)
    scale = jnp.sqrt(1 - BETA2**steps)

    def moved(parameter: Array, m: Array, v: Array) -> Array:
        return parameter - size * m / (jnp.sqrt(v) / scale + EPS)

    layers = jax.tree.map(moved, state.layers, first, second)
    return state._replace(layers=layers, first=first, second=second, steps=steps)


def _sgd(state: State, gradients: list[Layer], rate: Array, momentum: float) -> State:
    if momentum:
        gradients = jax.tree.map(lambda velocity, g: momentum * velocity + g, state.first, gradients)
        state = state._replace(first=gradients)
    layers = jax.tree.map(lambda parameter, g: parameter - rate * g, state.layers, gradients)
    return state._replace(layers=layers, steps=state.steps + 1)
