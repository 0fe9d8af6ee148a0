"""Mixed precision of stacked modules, as on a device, against the same members one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.engine import Feed
from ceteris.train.hyper import hyper_vectors
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.precision import LossScales
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.scales import StackedScales

from .digit_stacks import stack_spec

SEEDS, STEPS = (1, 2), 8
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": [24, 16], "batch_norm": True},
    "plain": {"kind": "mlp", "hidden": [24, 16]},
    "cnn": {"kind": "cnn", "convolutions": [4, 6], "hidden": [12], "batch_norm": True},
}


SGD = tuple({"kind": "sgd", "lr": lr, "momentum": 0.9} for lr in (0.05, 0.02))


def trained(
    kind: type,
    name: str,
    precision: str,
    digits: Preparation,
    optimizers: Sequence[dict[str, Any]] = SGD,
    scale: str | float = "unit",
) -> tuple[Any, np.ndarray]:
    """Train two members; return the engine and how far the parameters moved, (M, P)."""
    experiments = tuple(
        Experiment(
            data={"source": "digits", "scale": scale},
            model=NETWORKS[name],
            precision=precision,
            optimizer=optimizer,
        )
        for optimizer in optimizers
    )
    prepared = [digits.prepare(experiments[0].data, seed) for seed in SEEDS]
    net = architecture(experiments[0].model, 64, 10, (8, 8))
    stack = initial_stack(net, [e.model for e in experiments], list(SEEDS))
    before = stack.parameters.copy()
    feeds = [Feed(own.x, own.y, np.array([place])) for place, own in enumerate(prepared)]
    spec = stack_spec(net, stack, experiments, feeds, STEPS, precision=precision)
    engine = ModuleEngine(spec, stack) if kind is ModuleEngine else kind(spec, stack, "cpu")
    orders = [epoch_order(seed, 0, own.split.train, 0) for seed, own in zip(SEEDS, prepared, strict=True)]
    engine.begin_epoch(0, orders, hyper_vectors(spec.optimizers)[:, :, :1])
    engine.run_steps(0, STEPS, np.ones(2, dtype=np.bool_))
    return engine, np.array(engine.parameters()) - before


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_stacked_members_train_as_those_one_after_another(
    name: str, precision: str, digits: Preparation
) -> None:
    apart, expected = trained(ModuleEngine, name, precision, digits)
    together, found = trained(StackedModuleEngine, name, precision, digits)
    assert together.reason == ""
    _, full = trained(ModuleEngine, name, "float32", digits)
    for mine, theirs, exact in zip(found, expected, full, strict=True):
        # As many bits are lost in both.
        lost = np.linalg.norm(mine - exact) / np.linalg.norm(theirs - exact)
        assert 0.2 < lost < 5
        assert np.linalg.norm(mine - exact) < 0.5 * np.linalg.norm(exact)
    np.testing.assert_allclose(together.totals().loss, apart.totals().loss, rtol=0.01)
    if precision == "float16":
        np.testing.assert_array_equal(together.totals().loss_scale, apart.totals().loss_scale)
        np.testing.assert_array_equal(together.totals().skipped, apart.totals().skipped)


class Products(TorchDispatchMode):
    """Notes the types of numbers that products and convolutions read."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(name in func.name() for name in ("convolution", "bmm", "addmm")):
            self.types |= {own.dtype for own in args if isinstance(own, torch.Tensor)}
        return func(*args, **(kwargs or {}))


def test_a_first_step_that_is_left_out_is_no_step_of_adams(digits: Preparation) -> None:
    adam = [{"kind": "adam", "lr": lr} for lr in (0.001, 0.002)]
    settings = ("plain", "float16", digits, adam, 0.125)  # inputs up to 128: the first gradients overflow
    apart, expected = trained(ModuleEngine, *settings)
    together, found = trained(StackedModuleEngine, *settings)
    skipped = together.totals().skipped
    assert (skipped > 0).all()
    np.testing.assert_array_equal(skipped, apart.totals().skipped)
    assert (together.totals().diverged < 0).all()
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_all_products_and_convolutions_are_computed_in_it(
    name: str, precision: str, digits: Preparation
) -> None:
    with Products() as products:
        trained(StackedModuleEngine, name, precision, digits)
    assert products.types == {getattr(torch, precision)}


def test_the_scales_follow_the_rules_member_by_member() -> None:
    apart, together = LossScales(3, "float16"), StackedScales(3, "float16", torch.device("cpu"))
    rng = np.random.default_rng(0)
    for step in range(2100):
        broken = np.array([step in (3, 50, 51), rng.random() < 0.001, False])
        scaled = np.where(broken, np.inf, apart.scale).astype(np.float32)
        expected = [apart.unscale(place, scaled[place : place + 1].copy()) for place in range(3)]
        gradients = {"w": torch.from_numpy(scaled)[:, None]}
        taken = together.unscale(gradients, torch.ones(3, dtype=torch.bool))
        assert taken.tolist() == expected
        assert gradients["w"][taken].tolist() == [[1.0]] * int(taken.sum())
    scale, skipped = together.read()
    np.testing.assert_array_equal(scale, apart.scale)
    np.testing.assert_array_equal(skipped, apart.skipped)
    assert together.taken(torch.tensor(10)).tolist() == (10 - apart.skipped).tolist()
    assert all(
        together.state(place)["loss scale"].tolist() == apart.state(place)["loss scale"].tolist()
        for place in range(3)
    )


def test_a_member_that_rests_keeps_its_scale() -> None:
    scales = StackedScales(2, "float16", torch.device("cpu"))
    before = scales.read()[0]
    taken = scales.unscale({"w": torch.full((2, 1), torch.inf)}, torch.tensor([True, False]))
    assert taken.tolist() == [False, False]
    assert scales.read()[0].tolist() == [before[0] / 2, before[1]]
