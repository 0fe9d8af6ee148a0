"""Modules of the user's own: fresh weights by seed, shared draws, what is trained and what is saved."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.errors import CeterisError
from ceteris.nets.architecture import Architecture
from ceteris.spec.model import ModuleModel
from ceteris.train.loop import train_cohort
from ceteris.train.modules.initial import make_module
from ceteris.train.modules.user import inspect_module, notes_on_module, remade_module
from ceteris.train.plan import ModuleRequest, TrialPlan, group_trials, module_key

from .runs import Outcome, Train, plan


class Small(nn.Module):
    def __init__(self, width: int = 6, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.hidden = nn.Linear(4 * 16, width)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.max_pool2d(torch.relu(self.norm(self.convolution(x))), 2).flatten(1)
        return self.head(self.drop(torch.relu(self.hidden(x))))


def inspected(factory: Callable[..., Any], n_out: int = 10, **arguments: Any) -> Architecture:
    model = ModuleModel(name="Net", arguments=arguments)
    return inspect_module(ModuleRequest(model, (8, 8), n_out, classes=True), factory)


def refusal(factory: Callable[..., Any], **options: Any) -> str:
    with pytest.raises(CeterisError) as caught:
        inspected(factory, **options)
    (problem,) = caught.value.problems
    return problem.message


def train_modules(
    plans: list[TrialPlan], factories: Mapping[str, Callable[..., Any]], digits: Preparation
) -> Outcome:
    rows = {p.identity: len(digits.prepare(p.experiment.data, p.seed).split.train) for p in plans}
    nets = {
        module_key(p.experiment, digits.dataset): inspect_module(
            ModuleRequest(p.experiment.model, (8, 8), 10, classes=True), factories[p.experiment.model.name]
        )
        for p in plans
    }
    outcome = Outcome()
    for cohort in group_trials(plans, digits.dataset, rows, nets):
        train_cohort(cohort, digits, modules=factories, emit=outcome.messages.append)
    return outcome


def own(name: str, seed: int = 0, module: str = "Net", **settings: Any) -> TrialPlan:
    arguments = settings.pop("arguments", {})
    return plan(name, seed, model={"kind": "module", "name": module, "arguments": arguments}, **settings)


# Weights


def test_known_layers_start_by_torchs_own_bounds_through_keyed_draws() -> None:
    module = make_module(lambda: nn.Sequential(nn.Linear(400, 300), nn.Conv2d(8, 16, 5)), {}, 0)
    for layer, fan_in in ((module[0], 400), (module[1], 200)):
        bound = 1 / math.sqrt(fan_in)
        assert layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)


def test_weights_depend_on_the_seed_and_role_not_on_what_stands_before() -> None:
    class Deep(nn.Module):
        def __init__(self, extra: bool) -> None:
            super().__init__()
            if extra:
                self.before = nn.Linear(50, 50)
            self.head = nn.Linear(20, 10)

    plain, behind = make_module(Deep, {"extra": False}, 5), make_module(Deep, {"extra": True}, 5)
    assert torch.equal(plain.head.weight, behind.head.weight)
    assert not torch.equal(plain.head.weight, make_module(Deep, {"extra": False}, 6).head.weight)


def test_wider_layers_begin_with_the_same_draws() -> None:
    narrow = make_module(lambda: nn.Sequential(nn.Linear(9, 4)), {}, 2)[0].weight
    wide = make_module(lambda: nn.Sequential(nn.Linear(9, 8)), {}, 2)[0].weight
    assert torch.equal(narrow, wide[:4])


def test_an_initialisation_of_the_users_own_is_kept() -> None:
    def factory() -> nn.Module:
        module = nn.Sequential(nn.Linear(30, 20), nn.Linear(20, 10))
        nn.init.constant_(module[0].weight, 0.25)
        nn.init.normal_(module[1].weight, std=0.01)
        return module

    module = make_module(factory, {}, 0)
    assert (module[0].weight == 0.25).all()
    assert module[1].weight.std().item() == pytest.approx(0.01, rel=0.2)
    assert torch.equal(module[1].weight, make_module(factory, {}, 0)[1].weight)


def test_making_a_module_leaves_torchs_own_random_numbers_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    make_module(lambda: nn.Sequential(nn.Linear(3, 3), nn.MultiheadAttention(4, 2)), {}, 0)
    assert torch.equal(torch.rand(3), expected)
    assert nn.Linear.reset_parameters.__module__ == "torch.nn.modules.linear"


def test_lazy_layers_find_their_sizes() -> None:
    net = inspected(lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)))
    assert [tensor.shape for tensor in net.parameters] == [(10, 64), (10,)]


# What a module consists of


def test_tied_layers_count_once_and_buffers_that_are_saved_are_listed() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(64, 64)
            self.second = self.first
            self.head = nn.Linear(64, 10)
            self.scale = nn.Parameter(torch.ones(()))
            self.register_buffer("constant", torch.arange(3))
            self.register_buffer("scratch", torch.zeros(5), persistent=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.second(torch.relu(self.first(x.flatten(1))))) * self.scale

    net = inspected(Tied)
    names = [tensor.name for tensor in net.parameters]
    assert names == ["scale", "first.weight", "first.bias", "head.weight", "head.bias"]
    assert net.n_parameters == 1 + 64 * 64 + 64 + 640 + 10
    assert [tensor.name for tensor in net.buffers] == ["constant"]


def test_multiplications_of_a_row_are_counted() -> None:
    assert inspected(Small).n_multiplications == 64 * 36 + 64 * 6 + 60


def test_convolutions_run_channels_last_unless_the_code_cannot() -> None:
    class Viewing(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.max_pool2d(self.convolution(x), 2)
            return self.head(self.hidden(x.view(len(x), -1)))

    (friendly,) = inspected(Small).layers
    (viewing,) = inspected(Viewing).layers
    assert friendly.channels_last
    assert friendly.normalises_batches
    assert not viewing.channels_last


# Refusals: one sentence each


def returning(value: Callable[[torch.Tensor], Any]) -> Callable[[], nn.Module]:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> Any:
            return value(self.layer(x.flatten(1)))

    return Net


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (returning(lambda y: (y, y)), "`Net` returns a tuple; it must return one tensor"),
        (returning(lambda y: y[:, :7]), "outputs of shape (2, 7) for two rows; the data needs (2, 10)"),
        (returning(lambda y: y / 0), "`Net` gives NaN or infinite outputs"),
        (returning(lambda y: y.argmax(1, keepdim=True).expand(2, 10)), "outputs of type torch.int64"),
        (returning(lambda y: y.detach()), "`Net` has no gradient"),
        (returning(lambda y: 1 / 0), "fails on two rows of shape (2, 1, 8, 8): ZeroDivisionError"),
        (lambda: 3, "gave a value of type int, not a torch.nn.Module"),
        (nn.Flatten, "has no parameters that can be trained"),
        (lambda width: nn.Linear(width, 10), "`Net` cannot be made: TypeError"),
        (lambda: nn.Linear(5, 10, dtype=torch.complex64), "has complex parameters"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(factory: Callable[..., Any], words: str) -> None:
    message = refusal(factory)
    assert words in message
    assert "\n" not in message


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.read(x)[0][:, -1])


class LookingUp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.places, self.words, self.head = nn.Embedding(5, 4), nn.Embedding(9, 4), nn.Linear(4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((self.words(x.long()) + self.places(torch.arange(5))).mean(dim=1))


@pytest.mark.parametrize(
    ("factory", "shape", "words"),
    [
        (Recurrent, (6, 3), "; with `model.input: data` it takes them"),
        (lambda: nn.Linear(18, 10), (6, 3), "; with `model.input: flat` it takes them"),
        (
            lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.LazyLinear(10)),
            (6, 5, 3),
            "turn the array with `x.transpose(0, 3, 1, 2)`",
        ),
    ],
)
def test_how_rows_would_have_to_come_is_told(
    factory: Callable[..., Any], shape: tuple[int, ...], words: str
) -> None:
    with pytest.raises(CeterisError, match=re.escape(words)):
        inspect_module(ModuleRequest(ModuleModel(name="Net"), shape, 10, classes=True), factory)


def test_an_embedding_that_scaled_tokens_reach_as_0_is_noted() -> None:
    request = ModuleRequest(ModuleModel(name="Net"), (5,), 10, True, whole=(0, 8), scaled=True)
    (note,) = notes_on_module(request, LookingUp)
    assert note.startswith("`words` in `Net` looks up 0 wherever an input lies in [0, 1)")
    assert notes_on_module(replace(request, scaled=False), LookingUp) == ()


def test_what_cannot_be_evaluated_is_told_in_one_line() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> Any:
            logits = self.layer(x.flatten(1))
            return logits if self.training else {"logits": logits}

    message = refusal(Net)
    assert "in evaluation mode `Net` returns a dict; it must return one tensor of shape" in message
    assert "\n" not in message


# Training


def test_members_are_the_same_alone_and_among_others_bit_for_bit(digits: Preparation) -> None:
    factories = {"Net": Small}
    mine = own("mine", seed=1, arguments={"dropout": 0.3}, epochs=1)
    others = [own(f"o{i}", seed=i, arguments={"dropout": 0.3}, epochs=1) for i in range(3)]
    alone = train_modules([mine], factories, digits)
    among = train_modules([others[0], others[2], mine, others[1]], factories, digits)
    assert np.array_equal(alone.final("mine"), among.final("mine"))
    assert np.array_equal(alone.curve("mine", "val_loss"), among.curve("mine", "val_loss"))
    assert not np.array_equal(among.final("mine"), among.final("o0"))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_convolutional_networks_do_not_depend_on_their_neighbours(train: Train, optimizer: str) -> None:
    cnn = {"kind": "cnn", "convolutions": [5, 7], "hidden": [13], "batch_norm": True, "dropout": 0.3}
    rate = {"kind": optimizer, "lr": 0.01}
    mine = plan("mine", 1, model=cnn, optimizer=rate, epochs=1)
    wild = plan("wild", 1, model=cnn, optimizer={"kind": optimizer, "lr": 1e30}, epochs=1)
    others = [plan(f"o{i}", i, model=cnn | {"dropout": i / 4}, optimizer=rate, epochs=1) for i in range(3)]
    alone, among = train(mine), train(wild, *others[:2], mine, others[2])
    assert among.ended["wild"].status == "diverged"
    assert np.array_equal(alone.final("mine"), among.final("mine"))
    for name in ("train_loss", "val_loss", "val_accuracy", "grad_norm", "train_loss_running"):
        assert np.array_equal(alone.curve("mine", name), among.curve("mine", name)), name


def test_dropout_layers_and_functions_are_repeated_by_the_seed(digits: Preparation) -> None:
    class Functional(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(super().forward(x), 0.2, self.training)

    plans = [own("a", arguments={"dropout": 0.3}, epochs=1), own("b", arguments={"dropout": 0.3}, epochs=1)]
    outcome = train_modules(plans, {"Net": Functional}, digits)
    assert np.array_equal(outcome.final("a"), outcome.final("b"))
    without = train_modules([own("a", epochs=1)], {"Net": Small}, digits)
    assert not np.array_equal(outcome.final("a"), without.final("a"))


def test_frozen_and_unused_parameters_stay_as_they_started(digits: Preparation) -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = nn.Linear(64, 20).requires_grad_(False)
            self.unused = nn.Linear(3, 3)
            self.head = nn.Linear(20, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.relu(self.frozen(x.flatten(1))))

    decaying = {"kind": "adamw", "lr": 0.01, "weight_decay": 0.1}
    ended = train_modules([own("a", epochs=1, optimizer=decaying)], {"Net": Partly}, digits).ended["a"]
    for name in ("frozen.weight", "frozen.bias", "unused.weight", "unused.bias"):
        assert np.array_equal(ended.initial[name], ended.final[name]), name
    assert not np.array_equal(ended.initial["head.weight"], ended.final["head.weight"])


def test_a_module_that_diverges_is_recorded_and_leaves_the_others_alone(digits: Preparation) -> None:
    wild = own("wild", optimizer={"kind": "sgd", "lr": 1e12}, epochs=1)
    calm = own("calm", optimizer={"kind": "sgd", "lr": 0.05}, epochs=1)
    both = train_modules([wild, calm], {"Net": Small}, digits)
    assert both.ended["wild"].status == "diverged"
    assert both.ended["wild"].diverged_step is not None
    assert both.ended["calm"].status == "finished"
    assert np.array_equal(both.final("calm"), train_modules([calm], {"Net": Small}, digits).final("calm"))


def test_buffers_and_whole_numbers_are_saved_and_set_again(digits: Preparation) -> None:
    trial = own("a", epochs=1, arguments={"width": 7})
    ended = train_modules([trial], {"Net": Small}, digits).ended["a"]
    assert ended.final["norm.num_batches_tracked"] == 36  # 1,150 rows in batches of 32
    module = remade_module(trial.experiment.model, Small, (8, 8), 0, ended.final)
    assert module.norm.num_batches_tracked.dtype == torch.int64
    for name, value in module.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), ended.final[name].astype(value.numpy().dtype))
    with pytest.raises(CeterisError, match="the recorded weights are not those of `Net` as it is made now"):
        remade_module(ModuleModel(name="Net"), Small, (8, 8), 0, ended.final)
