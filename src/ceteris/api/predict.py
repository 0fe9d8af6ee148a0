"""Predictions for rows without targets: the networks of one level, each by its own preparation, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ceteris.api.choice import best_trial, finished_trials, level_to_use
from ceteris.api.final_rows import FinalRows, final_rows_of, given_rows
from ceteris.api.networks import recorded_network
from ceteris.errors import CeterisError, unknown_name, writing

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from numpy.typing import NDArray

    from ceteris.api.own_modules import OwnModel
    from ceteris.records.views import RunRecord
    from ceteris.spec.data import DataSpec

Members = Literal["ensemble", "best"]
TEST = "test"
"""What stands for the test rows of a run's own data."""
PURPOSE = "prediction"


@dataclass(frozen=True, repr=False)
class Predictions:
    """What the networks of one level predict, averaged over them. It prints as a table."""

    run: str
    level: str
    members: tuple[tuple[int, int], ...]
    """Seed and fold of every network that was averaged."""
    values: NDArray[Any]
    """Numbers (N,) or (N, outputs), in the units of the targets; for classes the mean of the probabilities
    (N, classes), or the share of networks that choose each class where a network gives no probabilities."""
    classes: tuple[str, ...]
    """Names of the classes; empty for numbers."""
    target: str = "prediction"
    ids: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """What names the rows, (N,) by column: the `ids` of a table, the `file` of an image, else `row`, counted
    from 0."""
    notes: tuple[str, ...] = ()
    """What a reader has to know: that the networks are of a quick look, or have never seen a category."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each row; empty for numbers."""
        return tuple(self.classes[place] for place in self.values.argmax(axis=1)) if self.classes else ()

    def frame(self) -> pd.DataFrame:
        """Return one row per row that was predicted: what names it, then the prediction.

        For classes the probability of each stands behind it.
        """
        import pandas as pd

        columns: dict[str, Any] = dict(self.ids)
        if self.classes:
            columns[self.target] = self.labels
            for place, name in enumerate(self.classes):
                columns[f"probability_{name}"] = self.values[:, place]
        elif self.values.ndim == 1:
            columns[self.target] = self.values
        else:
            for place in range(self.values.shape[1]):
                columns[f"{self.target}_{place}"] = self.values[:, place]
        return pd.DataFrame(columns)

    def write(self, path: str | Path) -> Path:
        """Write ``frame`` as a CSV file and return its path. Raises ``CeterisError``."""
        from ceteris.records.folders import given_path

        target = given_path(path, "path") or Path(f"{self.run}-predictions.csv")
        with writing(target):
            self.frame().to_csv(target, index=False)
        return target

    def __repr__(self) -> str:
        count = len(self.members)
        return (
            f"{len(self):,} predictions of run {self.run}, level {self.level}, by {count} "
            f"network{'' if count == 1 else 's, averaged'}\n{self.frame()}"
            + "".join(f"\n- {note}" for note in self.notes)
        )


def run_predict(
    run: RunRecord,
    x: Any = TEST,
    *,
    level: object = None,
    members: Members = "ensemble",
    metric: str | None = None,
    data_dir: str | Path | None = None,
    model: OwnModel | None = None,
    name: str = "x",
) -> Predictions:
    """Predict rows with the finished trials of one level.

    Args:
        run: the recorded run, a refit one too.
        x: rows (N, *shape), a pandas frame for a table, the path of a file with either, a list of paths of
            images, the path of a folder of them, or ``"test"``: the rows without a target, or else the test
            rows, that the run's data brings along. The latter reading is counted.
        level: which one; else the one that the validation rows choose.
        members: ``ensemble`` averages all seeds and folds; ``best`` takes the one trial that validated best.
        metric: the validation metric that chooses.
        data_dir: where data files are looked for first.
        model: what makes a network of the user's own.
        name: what messages call the rows.

    Raises ``CeterisError`` where nothing finished, nothing is known of a level, or the rows do not fit.
    """
    import torch

    from ceteris.spec.experiment import Experiment
    from ceteris.train.objective import resolved_loss
    from ceteris.train.scoring import in_units, outputs_of

    if members not in get_args(Members):
        raise CeterisError(unknown_name("choice of members", str(members), get_args(Members)))
    label = level_to_use(run, level, metric)
    trials = [trial for trial in finished_trials(run, "predict with") if trial.level == label]
    if members == "best":
        trials = [best_trial(run, trials, metric)]
    spec = Experiment.model_validate(dict(trials[0].experiment)).data
    rows = _rows(run, spec, x, data_dir, name)
    dataset = rows.preparation.dataset
    total = torch.zeros(())
    for trial in trials:
        experiment = Experiment.model_validate(dict(trial.experiment))
        network = recorded_network(run, trial, "final", model)
        outputs = outputs_of(network, rows.inputs(experiment, trial.seed, trial.fold)).double()
        outputs = in_units(outputs, rows.target_scaling(experiment, trial.seed, trial.fold))
        loss = resolved_loss(experiment, dataset)
        total = total + (class_shares(loss, outputs) if dataset.classes else outputs)
    values = (total / len(trials)).numpy()
    return Predictions(
        run=run.id,
        level=label,
        members=tuple((trial.seed, trial.fold) for trial in trials),
        values=values[:, 0] if dataset.y.ndim == 1 and not dataset.classes else values,
        classes=dataset.classes,
        target=dataset.table.target if dataset.table else "prediction",
        ids=rows.ids or {"row": _counted(len(values))},
        notes=(*_quick_notes(run), *rows.unknown),
    )


def _quick_notes(run: RunRecord) -> tuple[str, ...]:
    """Say that networks are of a quick look, or of a refit of one."""
    from ceteris.lab.quick import MARK
    from ceteris.records.views import REMARK

    if run.facts.get(REMARK):
        return (f"The networks are not trained out. {run.facts[REMARK]}",)
    if f"({MARK})" in run.title:
        return (f"The networks are not trained out: run {run.id} is of a quick look, and {MARK}.",)
    return ()


def class_shares(loss: str, outputs: torch.Tensor) -> torch.Tensor:
    """Return what outputs (N, k) say of each class, (N, classes), each row summing to 1.

    Probabilities where the loss makes outputs into them; else 1 for the class that is chosen.
    """
    import torch

    from ceteris.spec.losses import ONE_OUTPUT

    if loss in ("cross_entropy", "nll"):
        return outputs.softmax(dim=1)
    if loss not in ONE_OUTPUT:
        return torch.nn.functional.one_hot(outputs.argmax(dim=1), outputs.shape[1]).double()
    second = outputs[:, 0]
    if loss == "binary_cross_entropy":
        second = second.sigmoid()
    elif loss != "binary_cross_entropy_probabilities":
        second = (second > 0).double()
    return torch.stack([1 - second, second], dim=1)


def _rows(run: RunRecord, spec: DataSpec, x: Any, data_dir: str | Path | None, name: str) -> FinalRows:
    """Return the rows to predict."""
    from ceteris.data.sources import load_unlabelled
    from ceteris.lab.datasets import found_again

    if not (isinstance(x, str) and x == TEST):
        return given_rows(run, spec, x, data_dir, name)
    folder = data_dir or run.facts.get("data_folder")
    place = Path(folder) if folder else None
    table = load_unlabelled(found_again(spec.reading, run.folder.parent), place)
    if table is not None:
        return given_rows(run, spec, table, data_dir, "test")
    rows = final_rows_of(run, data_dir)[spec.reading]
    _count_reading(run, rows)
    rows.unknown, rows.ids = rows.read.notes, dict(rows.read.ids)
    return rows


def _count_reading(run: RunRecord, rows: FinalRows) -> None:
    """Count a reading of labelled test rows (law 4); refuse where there are none."""
    from ceteris.records.store import Store

    content = rows.preparation.dataset.content
    if not len(rows.rows[0]):
        raise CeterisError(f"`{rows.source}` has no test rows to predict")
    with Store(run.folder.parent, create=False) as store:
        store.record_test_reading(content, run.id, PURPOSE)


def _counted(rows: int) -> NDArray[Any]:
    import numpy as np

    return np.arange(rows)
