"""Law 7 over threads: who does a piece, and how many share the work, changes no bit."""

from __future__ import annotations

from threading import current_thread
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from ceteris.nets.architecture import architecture, random_places
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.assistants import assisted
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.cpu.team import next_for_assistant, next_piece, post
from ceteris.train.engine import Feed, StackSpec
from ceteris.train.schedules import Schedules
from ceteris.train.streams import place_keys

from . import oracle
from .runs import Train, plan

OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3},
    {"kind": "adam", "lr": 0.002, "biases": {"lr": 0.01}},
    {"kind": "rmsprop", "lr": 0.001, "centered": True, "momentum": 0.5},
    {"kind": "adagrad", "lr": 0.01},
]
FURTHER: list[dict[str, Any]] = [
    {},
    {"penalty": {"kind": "l1", "weight": 1e-4, "on": "all"}},
    {"penalty": {"kind": "l2", "form": "norm", "weight": 1e-3}, "clip": {"norm": 0.1}},
    {"clip": {"value": 0.01}, "accumulate": 2},
]
MODELS: list[dict[str, Any]] = [
    {"hidden": [300], "activation": "relu"},
    {"hidden": [280, 270], "activation": "tanh", "dropout": 0.3, "batch_norm": True},
    {"hidden": [270, 270], "activation": "gelu", "residual": True, "drop_connect": 0.2, "input_noise": 0.1},
    {"hidden": [90, 300], "activation": "sigmoid", "layer_norm": True, "dropout": [0.1, 0.2]},
]
"""Networks whose products are cut into pieces for the batches below."""


def trained(
    members: list[Experiment], seeds: list[int], n_in: int, rows: int, threads: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train for an epoch and evaluate; return parameters, measured norms and results."""
    net = architecture(members[0].model, n_in, 3)
    stack = initial_stack(net, [one.model for one in members], seeds, np.float32)
    rng = np.random.default_rng(rows)
    x, y = rng.normal(size=(rows, n_in)).astype(np.float32), rng.integers(3, size=rows)
    batches = -(-rows // members[0].batch_size)
    steps, places = -(-batches // members[0].accumulate), random_places(net)
    spec = StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=members[0].batch_size,
        steps=steps,
        experiments=tuple(members),
        rates=stack.rates,
        keys=np.stack([place_keys(seed, places) for seed in seeds]),
        class_weights=np.ones((len(members), 3)),
        feeds=(Feed(x, y, np.arange(len(members))),),
        threads=threads,
    )
    engine, active = CompiledEngine(spec, stack), np.ones(len(members), dtype=np.bool_)
    engine.begin_epoch(0, [rng.permutation(rows)], Schedules(members, steps).rates(0))
    engine.run_steps(0, 1, active)
    engine.run_steps(1, steps, active)
    results, _ = engine.evaluate([np.arange(rows)], active, keep_outputs=False)
    return engine.parameters(), engine.gradient_probes().norms, results


@settings(max_examples=12)
@given(
    model=st.sampled_from(MODELS),
    optimizer=st.sampled_from(OPTIMIZERS),
    further=st.sampled_from(FURTHER),
    n_in=st.integers(150, 300),
    batch=st.sampled_from([17, 32, 64, 70, 130]),
    threads=st.integers(2, 3),
    members=st.integers(1, 2),
)
def test_threads_and_neighbours_change_no_bit(
    model: dict[str, Any],
    optimizer: dict[str, Any],
    further: dict[str, Any],
    n_in: int,
    batch: int,
    threads: int,
    members: int,
) -> None:
    common = {"data": "digits", "loss": "cross_entropy", "batch_size": batch} | further
    own = [
        Experiment(
            **common, model={"kind": "mlp"} | model, optimizer=optimizer | {"lr": optimizer["lr"] * (1 + i)}
        )
        for i in range(members)
    ]
    rows = 2 * batch + 9  # a last batch of another size
    alone = trained(own[:1], [3], n_in, rows, threads=1)
    shared = trained(own, [3, 4][:members], n_in, rows, threads)
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one[0], other[0])


@njit(nogil=True)
def count_as_leader(done, jobs, pieces, team):  # type: ignore[no-untyped-def]
    for job in range(jobs):
        post(team, 0, job, 0, 0, pieces)
        piece = next_piece(team, -1, pieces)
        while piece >= 0:
            done[job, piece] += 1
            piece = next_piece(team, piece, pieces)
        if done[job].sum() != pieces:
            return job
    return jobs


@njit(nogil=True)
def count_as_assistant(done, own, team):  # type: ignore[no-untyped-def]
    piece = next_for_assistant(team, -1)
    while piece >= 0:
        done[team[25], piece] += 1
        own[0] += 1
        piece = next_for_assistant(team, piece)


def test_every_piece_is_done_once_and_before_the_next_job() -> None:
    done, own = np.zeros((20_000, 7), np.int64), np.zeros((3, 1), np.int64)
    count_as_leader(done[:1], 1, 7, np.zeros(0, np.int64))
    count_as_assistant(done, own[0], np.ones(32, np.int64))  # closed: compiled before it counts
    done[:] = 0
    assistants = [lambda team, place=place: count_as_assistant(done, own[place], team) for place in range(3)]
    with assisted(assistants) as team:
        assert count_as_leader(done, len(done), 7, team) == len(done)
    assert (done == 1).all()
    assert own.sum() <= done.sum()


def test_a_leader_whose_assistants_never_run_does_all() -> None:
    done = np.zeros((5, 40), np.int64)
    with assisted([lambda team: None]) as team:
        assert count_as_leader(done, 5, 40, team) == 5
    assert (done == 1).all()


def test_assistants_end_with_the_block_whatever_ends_it() -> None:
    done, own, begun = np.zeros((1, 1), np.int64), np.zeros(1, np.int64), []

    def assistant(team: np.ndarray) -> None:
        begun.append(current_thread())
        count_as_assistant(done, own, team)

    def interrupted() -> None:
        with assisted([assistant, assistant]):
            while len(begun) < 2:
                sleep(0.001)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not any(thread.is_alive() for thread in begun)


@njit(nogil=True)
def halve(number, out):  # type: ignore[no-untyped-def]
    out[0] = number[0] * np.float32(0.5)


@pytest.mark.parametrize("flush", [True, False])
def test_assistants_flush_denormals_as_their_leader_does(flush: bool) -> None:
    smallest, out = np.array([np.finfo(np.float32).tiny]), np.ones((2, 1), np.float32)
    try:
        torch.set_flush_denormal(flush)
        with assisted([lambda team: halve(smallest, out[1])]):
            halve(smallest, out[0])
    finally:
        torch.set_flush_denormal(False)
    assert (out == 0).all() if flush else (out > 0).all()


@pytest.mark.parametrize(("hidden", "batch"), [([300], 32), ([40, 270], 64), ([270, 130], 100)])
def test_wide_layers_equal_torch(hidden: list[int], batch: int) -> None:
    own = Experiment(
        data="digits",
        model={"kind": "mlp", "hidden": hidden, "activation": "tanh"},
        optimizer={"kind": "adam", "lr": 0.01},
        loss="cross_entropy",
        batch_size=batch,
    )
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 260)), rng.integers(4, size=150)
    orders = [rng.permutation(150) for _ in range(2)]
    stack = oracle.stack_of([own], 260, 4)
    module = oracle.network(own, stack.member(0), 260, 4)
    found = oracle.run("compiled", [own], stack, x, y, orders).parameters()[0]
    oracle.train(own, module, x, y, orders)
    expected = np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])
    assert np.linalg.norm(found - expected) < 1e-9 * np.linalg.norm(expected)


def test_a_cohort_trained_by_two_threads_leaves_what_it_leaves_by_one(train: Train) -> None:
    own = plan("own", model={"kind": "mlp", "hidden": [600]}, optimizer={"kind": "adam", "lr": 0.01})
    alone, shared = train(own), train(own, threads=2)
    assert np.array_equal(alone.final("own"), shared.final("own"))
    for name in ("train_loss", "val_loss", "val_accuracy", "grad_norm", "train_loss_running"):
        assert np.array_equal(alone.curve("own", name), shared.curve("own", name)), name
