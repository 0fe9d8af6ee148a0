"""Mistakes of the notes' programs, made by hand beside what Ceteris does instead.

python docs/examples/mistakes.py          all of them
python docs/examples/mistakes.py 5 13     those with these numbers
"""

import random
import sys
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import ceteris
from ceteris.data import Preparation, load
from ceteris.data.folds import fold_parts
from ceteris.draws import stream_key
from ceteris.scratch import functions as scratch
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds
from ceteris.train.modules.dropout import Clock, mask

SGD = {"kind": "sgd", "lr": 0.1}


def trained(model: Any = "linear", epochs: int = 3, **settings: Any) -> Any:
    """Return the only trial of a small run on 400 of the digits' rows."""
    experiment = {"data": {"source": "digits", "rows": 400}, "optimizer": SGD, "epochs": epochs}
    if isinstance(model, str | dict):
        study = {"experiment": {**experiment, "model": model, **settings}}
        return ceteris.run(study, seeds=1, progress=False).trials[0]
    study = {"experiment": {**experiment, "model": "linear", **settings}}
    return ceteris.run(study, seeds=1, model=model, progress=False).trials[0]


def rows_of(trial: Any) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """Return the prepared rows and labels, and the numbers of those that train and validate."""
    own = Preparation(load("digits")).prepare(DataSpec.model_validate(trial.experiment["data"]), trial.seed)
    return torch.from_numpy(own.x), torch.from_numpy(own.y), own.split


def mistake_5() -> None:
    """Averages by the wrong number."""
    trial = trained(optimizer={"kind": "sgd", "lr": 1e-12}, epochs=1)  # a rate that changes nothing
    x, y, split = rows_of(trial)
    rows = torch.from_numpy(split.train)
    with torch.no_grad():
        losses = functional.cross_entropy(trial.network()(x), y, reduction="none")[rows]
    means = torch.stack([batch.mean() for batch in losses.split(32)])  # 12 batches of 32, one of 16
    print(f"means of batches summed, by the number of rows:  {means.sum() / len(rows):.4f}")
    print(f"mean of the means, the last of half a batch:     {means.mean():.4f}")
    print(f"the last batch alone:                            {means[-1]:.4f}")
    print(f"mean over all rows:                              {losses.mean():.4f}")
    print(f"train_loss_running of Ceteris:                   {trial.metrics['train_loss_running']:.4f}")


def mistake_7() -> None:
    """A dropout mask from a normal distribution."""
    p, x = 0.5, torch.ones(2000, 100)
    torch.manual_seed(0)
    normal = (torch.randn(x.shape) > p).float() / (1 - p)  # as in the note
    ours = torch.from_numpy(
        mask(stream_key(0, "dropout", "hidden.0"), p, *x.shape, Clock(), np.dtype("float64"))
    )
    for name, drawn in (("normal distribution", normal), ("Ceteris", ours)):
        print(
            f"{name:20} drops {(drawn == 0).double().mean():.3f} where {p} is meant, mean {drawn.mean():.3f}"
        )


class Detached(torch.nn.Module):
    """Reads its weight through ``.data``, and keeps a constant and a layer where torch does not see them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(64, 10) / 8)
        self.bias = torch.nn.Parameter(torch.zeros(10))
        self.shift = torch.full((10,), 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight.data + self.bias + self.shift


def mistake_8() -> None:
    """A parameter without a gradient; a constant that is neither saved nor moved."""
    result = ceteris.run("digits/learning-rate", model=Detached, seeds=1, epochs=2)  # its notes tell
    trial = result.trials[0]
    for name in ("weight", "bias"):
        print(f"update_ratio/{name}: {trial.metrics[f'update_ratio/{name}']:.4f}")
    print(f"saved: {', '.join(trial.network(model=Detached).state_dict())}")


def mistake_9() -> None:
    """The step outside the loop over batches."""
    trial = trained()
    x, y, split = rows_of(trial)
    network = trial.network("initial").train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(3):
        for batch in torch.from_numpy(split.train).split(32):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[batch]), y[batch]).backward()
        optimizer.step()  # once an epoch, on the last batch's gradient
    with torch.no_grad():
        loss = functional.cross_entropy(network(x[split.validation]), y[split.validation])
    print(f"val_loss with the step outside the loop: {loss:.3f}")
    print(f"val_loss of Ceteris, a step a batch:     {trial.metrics['val_loss']:.3f}")


def mistake_13() -> None:
    """Statistics that have seen the validation rows; folds that drop rows."""
    data = load("iris")
    own = Preparation(data).prepare(DataSpec(source="iris", scale="standardize"), 0)
    for name, rows in (("all rows", data.x), ("training rows", data.x[own.split.train])):
        print(f"mean of the first input over {name + ':':15} {rows[:, 0].mean():.4f}")
    print(f"mean that Ceteris takes off:                 {own.fitted['shift'][0]:.4f}")
    size = len(data.x) // 7
    print(f"rows in 7 folds of {len(data.x)} // 7: {7 * size} of {len(data.x)}")
    validated = np.concatenate([fold_parts(data, Folds(k=7), 0, fold)[1] for fold in range(7)])
    print(f"rows in 7 folds of Ceteris:    {len(np.unique(validated))} of {len(data.x)}")


def mistake_14() -> None:
    """Exponentials without the log-sum-exp trick; softmax over the wrong axis."""
    logits, labels = torch.tensor([[1e4, 0.0], [0.0, 1e4]]), torch.tensor([0, 1])
    powers = logits.exp()
    print(f"exp(x) / sum(exp(x)):        {(powers / powers.sum(dim=1, keepdim=True)).tolist()}")
    print(f"ceteris.scratch:             {scratch.softmax(logits).tolist()}")
    print(f"its cross-entropy:           {scratch.cross_entropy(logits, labels).abs():.4f}")
    scores = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    print(f"softmax over the wrong axis: rows add up to {scores.softmax(dim=0).sum(dim=1).tolist()}")
    print(f"ceteris.scratch:             rows add up to {scratch.softmax(scores).sum(dim=1).tolist()}")


class Watchful(torch.nn.Module):
    """Counts how often a graph is built in evaluation mode."""

    graphs: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(64, 10)
        self.register_buffer("graphs", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled() and not self.training:
            self.graphs += 1
        return self.head(x.flatten(1))


def mistake_17() -> None:
    """Evaluation that keeps building the graph."""
    network = Watchful().eval()
    network(torch.zeros(1, 64))
    print(f"graphs built by a call in evaluation mode: {int(network.graphs)}")
    trial = trained(Watchful, epochs=1)
    rows = len(rows_of(trial)[2].validation)
    print(f"graphs built by Ceteris, evaluating {rows} rows: {int(trial.network().graphs)}")


def mistake_18() -> None:
    """Figures in the training loop, and figures that lie."""
    result = ceteris.run("digits/learning-rate", seeds=1, epochs=2, progress=False)
    page = result.report()
    seconds = sum(trial.seconds for trial in result.run.trials)
    print(f"seconds of training: {seconds:.2f}, with no figure in them")
    print(f"the figures are drawn from the record, when asked for: {page.name}")


def mistake_19() -> None:
    """A training accuracy over an epoch of changing weights, against a validation accuracy at its end."""
    trial = trained({"kind": "mlp", "hidden": [32], "dropout": 0.5}, epochs=6)
    for name in ("train_accuracy_running", "train_accuracy", "val_accuracy"):
        print(f"{name:24} {trial.metrics[name]:.3f}")
    print("the gap is that of the last two, both in evaluation mode at the end of the epoch")


def mistake_20() -> None:
    """A training loss with the penalty in it, against a validation loss without."""
    trial = trained(penalty={"kind": "l1", "weight": 0.01})
    for name in ("train_loss", "val_loss", "penalty"):
        print(f"{name:12} {trial.metrics[name]:.3f}")
    print("neither loss holds the penalty, which is a curve of its own")


def mistake_22() -> None:
    """One library is seeded, and the run is called reproducible."""
    starts = []
    for seed in (1, 2):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        starts.append(trained({"kind": "mlp", "hidden": [16], "dropout": 0.5}).weights())
    same = all(np.array_equal(starts[0][name], starts[1][name]) for name in starts[0])
    print(f"whatever the libraries were seeded with, the same bits after training: {same}")


if __name__ == "__main__":
    known = {name.partition("_")[2]: made for name, made in globals().items() if name.startswith("mistake_")}
    for number in sys.argv[1:] or known:
        print(f"{number}. {known[number].__doc__}")
        known[number]()
        print()
