"""The test rows of a recorded run, prepared as each trial's own training rows were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ceteris.data.dataset import Dataset, Rows
    from ceteris.data.preparation import Preparation
    from ceteris.data.target_scaling import TargetScaling
    from ceteris.records.views import RunRecord
    from ceteris.spec.data import DataSpec
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.folds import Folds

Place = tuple[str, int, int]
"""Data settings as JSON, seed and fold: what decides how rows are prepared."""


@dataclass
class FinalRows:
    """The test rows of one data set, read once; ``inputs`` are kept for trials that prepare alike.

    ``given`` are other rows (N, *shape) to prepare in their stead; the test rows are then not read.
    """

    source: str
    folder: Path | None
    folds: Folds | None
    given: NDArray[Any] | None = field(default=None, repr=False)
    unknown: tuple[str, ...] = ()
    """Which texts of given rows of a table no training row has, one sentence each."""
    ids: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What names given rows, (N,) by column: the `ids` of a table, or the files of images."""
    _last: tuple[Place, torch.Tensor, Mapping[str, Any]] | None = field(default=None, repr=False)

    @cached_property
    def preparation(self) -> Preparation:
        """What prepares rows as the training rows were."""
        from ceteris.data import Preparation, load

        return Preparation(load(self.source, self.folder))

    @cached_property
    def read(self) -> Rows:
        """The unprepared test rows with what names them."""
        from ceteris.data.sources import load_test_rows

        return load_test_rows(self.source, self.folder)

    @property
    def rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The unprepared test rows (x, y)."""
        return self.read.x, self.read.y

    def inputs(self, experiment: Experiment, seed: int, fold: int) -> torch.Tensor:
        """Return the rows as the network of a trial takes them.

        Raises ``CeterisError`` where the data is not the recorded one.
        """
        import torch

        from ceteris.data import prepare_rows

        place = experiment.data.model_dump_json(), seed, fold
        if self._last is None or self._last[0] != place:
            fitted = self.preparation.prepare(experiment.data, seed, fold, self.folds).fitted
            raw = self.rows[0] if self.given is None else self.given
            self._last = place, torch.from_numpy(prepare_rows(raw, fitted)), fitted
        return as_inputs_of(experiment, self.preparation.dataset, *self._last[1:])

    def target_scaling(self, experiment: Experiment, seed: int, fold: int) -> TargetScaling | None:
        """Return how the network of a trial learned its targets; None where they were as they are."""
        if experiment.data.target_scale == "none":
            return None
        return self.preparation.prepare(experiment.data, seed, fold, self.folds).targets


def as_inputs_of(
    experiment: Experiment, dataset: Dataset, inputs: torch.Tensor, fitted: Mapping[str, Any]
) -> torch.Tensor:
    """Return prepared rows (N, features) as a trial's network takes them.

    A built-in one takes the columns of a table that its training rows had (``fitted``), (N, columns); one of
    the user's own takes rows in their shape.
    """
    import numpy as np

    from ceteris.spec.model import ModuleModel

    if isinstance(experiment.model, ModuleModel):
        from ceteris.train.modules.layout import row_shape

        return inputs.reshape(-1, *row_shape(experiment.model, dataset.shape))
    absent = fitted.get("absent")
    return inputs[:, np.delete(np.arange(inputs.shape[1]), absent)] if absent else inputs


def final_rows_of(run: RunRecord, data_dir: str | Path | None = None) -> dict[str, FinalRows]:
    """Return the test rows of every data set that a run reads, by the source's recorded name.

    Reads nothing yet.
    """
    from ceteris.lab.datasets import found_again
    from ceteris.spec.data import DataSpec
    from ceteris.spec.dump import study_from_dict

    folder = data_dir or run.facts.get("data_folder")
    folds = study_from_dict(run.study).folds
    read = {trial.level: DataSpec.model_validate(trial.experiment["data"]) for trial in run.trials}
    sources = dict.fromkeys(spec.reading for spec in read.values())
    place = None if folder is None else Path(folder)
    return {source: FinalRows(found_again(source, run.folder.parent), place, folds) for source in sources}


def given_rows(
    run: RunRecord, spec: DataSpec, x: Any, data_dir: str | Path | None = None, name: str = "x"
) -> FinalRows:
    """Return rows of the user's own, to be prepared as the training rows of a run's trials were.

    Args:
        run: the recorded run.
        spec: the data of its trials.
        x: rows (N, *shape); for a table also a pandas frame with the columns that are inputs; or the path of
            a file with either, or the paths of image files and folders of them.
        data_dir: where data files are looked for first.
        name: what messages call the rows.

    Raises ``CeterisError`` where the trials' data is gone, or for rows of another shape or other columns.
    """
    from ceteris.api.rows_in_files import paths_in, rows_in
    from ceteris.data.frames import as_pandas, is_frame
    from ceteris.data.reduction import split_reading
    from ceteris.data.table_stream import id_texts
    from ceteris.data.user_arrays import as_inputs

    rows = final_rows_of(run, data_dir)[spec.reading]
    dataset, reduction = rows.preparation.dataset, split_reading(spec.reading)[1]
    if paths := paths_in(x):
        x, rows.ids = rows_in(paths, dataset, reduction, name)
        name = str(paths[0])
    if dataset.table is not None:
        if not is_frame(x):
            raise CeterisError(
                f"`{name}` has no columns with names; give a frame with those of {called(dataset)}"
            )
        x = as_pandas(x)
        rows.given = dataset.table.expand(x, name)
        rows.unknown = dataset.table.unknown_texts(x)
        rows.ids = {column: id_texts(x, column) for column in dataset.table.ids if column in x}
        return rows
    inputs, own = as_inputs(x, name), dataset.before or dataset
    if inputs.shape[1:] != own.shape:
        single = getattr(x, "shape", None) == own.shape
        hint = f"; a single row is given as `{name}[None]`" if single else ""
        raise CeterisError(
            f"`{name}` has rows of shape {inputs.shape[1:]}; those of {called(dataset)} are {own.shape}{hint}"
        )
    rows.given = reduction.rows(inputs, name)
    return rows


def called(dataset: Dataset) -> str:
    """Return what messages call a data set: by its name, unless that is the hash of a file of the records."""
    from ceteris.data.sources import KEPT

    return "the training rows" if KEPT.fullmatch(dataset.name) else f"`{dataset.name}`"


def check_has_rows(rows: FinalRows) -> None:
    """Raise ``CeterisError`` where a data set has no labelled test rows, with what can be done instead."""
    try:
        x, y = rows.rows
    except CeterisError as error:
        raise CeterisError(
            f"{error}; a final assessment needs test rows that took no part in anything"
        ) from error
    if len(x) == 0 or len(y) != len(x):
        raise CeterisError(
            f"`{rows.source}` has {len(x)} test rows with {len(y)} targets; there is nothing to judge by"
        )
