"""Mistakes 8 and 14 of the catalogue: in networks of the user's own, told by name and kept with the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import arrays
from ceteris.errors import CeterisError
from ceteris.lab.own_outputs import output_notes, output_problems
from ceteris.spec.combine import Combination
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.modules.user import inspect_module, notes_on_module
from ceteris.train.plan import ModuleRequest, module_key
from tests.pages import text_of

from .conftest import Run


class Detached(nn.Module):
    """Reads one of its parameters through ``.data`` and keeps a constant as a plain attribute (N1)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(64, 10) * 0.1)
        self.bias = nn.Parameter(torch.zeros(10))
        self.frozen = nn.Parameter(torch.ones(10), requires_grad=False)
        self.offset = torch.ones(10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight.data * self.frozen + self.bias + self.offset


def ending(last: Callable[[torch.Tensor], torch.Tensor], outputs: int = 10) -> Callable[[], nn.Module]:
    """Make a network whose logits go through a function."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, outputs)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return last(self.linear(x.flatten(1)))

    return Net


def kind(factory: Callable[[], nn.Module], outputs: int = 10) -> str:
    request = ModuleRequest(ModuleModel(name="Net"), (8, 8), outputs, classes=True)
    (whole,) = inspect_module(request, factory).layers
    return str(whole.outputs)  # type: ignore[union-attr]


def doubts(factory: Callable[[], nn.Module]) -> tuple[str, ...]:
    return notes_on_module(ModuleRequest(ModuleModel(name="Net"), (8, 8), 10, classes=True), factory)


def test_8_what_gets_no_gradient_and_what_is_not_saved_is_told_by_name(run: Run) -> None:
    result = run(seeds=1, epochs=1, own_model=Detached)
    told = [note for note in result.assessment.notes if "`Detached`" in note]
    assert told[0].startswith(
        "`Detached` keeps the tensor `offset` as a plain attribute: it is neither saved"
    )
    assert told[1].startswith(
        "No gradient reaches `weight` in `Detached` from two rows that were looked at; "
    )
    assert len(told) == 2, "a parameter that was frozen on purpose is no mistake"
    page = text_of(result.report())
    assert "No gradient reaches `weight`" in page
    assert "the tensor `offset` as a plain attribute" in page
    trial = result.trials[0]
    np.testing.assert_array_equal(trial.weights()["weight"], trial.weights("initial")["weight"])
    assert (trial.curves["update_ratio/weight"] == 0).all()
    assert (trial.curves["update_ratio/bias"] > 0).all()


def test_8_many_such_parameters_are_counted() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Linear(64, 10)
            self.idle = nn.ModuleList([nn.Linear(2, 2) for _ in range(5)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.used(x.flatten(1))
            return outputs

    (told,) = doubts(Unused)
    assert "`idle.2.bias` and 4 more in `Net` from two rows" in told


HEALTHY: dict[str, Callable[[], nn.Module]] = {
    "logits": ending(lambda z: z),
    "positive logits": ending(torch.relu),
    "batch norm": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10)),
    "dropout": lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10)),
    "log-probabilities": ending(lambda z: z.log_softmax(1)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_told_of_healthy_networks(name: str) -> None:
    assert doubts(HEALTHY[name]) == ()
    assert kind(HEALTHY[name]) == ("log-probabilities" if name == "log-probabilities" else "")


class Ending(nn.Module):
    """A linear network that ends as told."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last = last
        self.linear = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z: torch.Tensor = self.linear(x.flatten(1))
        return {"logits": z, "softmax": z.softmax(1), "of the batch": z.softmax(0)}[self.last]


def test_14_a_softmax_under_cross_entropy_and_one_over_the_batch_are_told(run: Run) -> None:
    levels = [{"last": last} for last in ("logits", "softmax", "of the batch")]
    result = run({"model.arguments": levels}, seeds=1, epochs=1, own_model=Ending)
    twice, axis = (note for note in result.assessment.notes if note.startswith("The outputs of `Ending`"))
    assert "are a softmax already, and cross-entropy takes another (last=softmax)" in twice
    assert "the loss cannot come below 1.46;" in twice  # ln(e + 9) - 1
    assert result.trial("last=softmax").metrics["train_loss"] > 1.46
    assert "over the rows of a batch (last=of the batch): its softmax is over the wrong axis" in axis
    (beside,) = (
        note for note in result.assessment.notes if note.startswith("In evaluation mode the outputs")
    )
    assert "of `Ending` for a row depend on the other rows of its batch" in beside
    page = text_of(result.report())
    assert "are a softmax already" in page
    assert "over the wrong axis" in page


def test_14_a_loss_of_log_probabilities_refuses_logits_before_anything_is_trained(run: Run) -> None:
    with pytest.raises(CeterisError) as told:
        run(seeds=1, own_model=ending(lambda z: z), loss="nll")
    assert str(told.value) == (
        "experiment.loss: nll is of log-probabilities, and the outputs of `Net` are none: return "
        "`log_softmax(..., dim=1)`, or use cross_entropy, which takes logits"
    )


@pytest.mark.parametrize(
    ("loss", "last", "outputs", "noted", "refused"),
    [
        ("nll", lambda z: z.log_softmax(1), 10, "", ""),
        ("nll", lambda z: z.softmax(1), 10, "", "nll is of log-probabilities"),
        ("cross_entropy", lambda z: z.softmax(1), 10, "a softmax already", ""),
        (
            "binary_cross_entropy",
            torch.sigmoid,
            1,
            "is a sigmoid already, and its loss takes another (base)",
            "",
        ),
        ("binary_cross_entropy", lambda z: torch.sigmoid(z)[:, 0], 1, "return the logit, or use", ""),
        ("binary_cross_entropy", lambda z: z, 1, "", ""),
        ("binary_cross_entropy_probabilities", torch.sigmoid, 1, "", ""),
        (
            "binary_cross_entropy_probabilities",
            lambda z: z - 9,
            1,
            "",
            "gives numbers outside [0, 1]: return",
        ),
    ],
)
def test_14_outputs_that_a_loss_is_not_made_for_are_noted_or_refused(
    loss: str, last: Any, outputs: int, noted: str, refused: str
) -> None:
    model = ModuleModel(name="Net")
    experiment = Experiment(data="arrays", model=model, loss=loss)
    classes = max(outputs, 2)
    rows = arrays(np.zeros((2 * classes, 8, 8)), np.arange(2 * classes) % classes, name="arrays")
    net = inspect_module(ModuleRequest(model, (8, 8), outputs, classes=True), ending(last, outputs))
    problems = [message for _, message in output_problems(experiment, rows, net)]
    assert len(problems) == bool(refused)
    assert all(refused in message for message in problems)
    modules = {module_key(experiment, rows): net}
    notes = output_notes([Combination("base", {}, experiment)], {"arrays": rows}, modules)
    assert len(notes) == bool(noted)
    assert all(noted in note for note in notes)
