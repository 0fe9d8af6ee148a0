"""From a data set and a seed to what a trial reads: scaled inputs, targets, and which rows are whose."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.label_noise import noisy_rows, with_label_noise
from ceteris.data.scaling import Scaling, fit_scaling, is_estimated, scaled, scaling_from_json
from ceteris.data.split import Split, split_rows, split_seed
from ceteris.data.stratify import first_of_each_class, stratified_order
from ceteris.data.target_scaling import TargetScaling, fit_targets
from ceteris.draws import stream_key
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds

Place = tuple[DataSpec, int, int, Folds | None]
"""Data, seed, fold and folds: what decides everything that is prepared."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What one trial reads. Arrays are shared between trials: nobody writes into them."""

    x: NDArray[np.float32]
    """(N, features), C-contiguous: all rows of the data set, prepared."""
    y: NDArray[Any]
    """(N,) int64 labels, or (N, outputs) float32: what is learned."""
    split: Split
    train_slice: NDArray[np.int64]
    """The training rows on which train_loss is measured: as many as validate, or all if fewer or none do."""
    key: str
    """Equal for two ``Prepared`` whose ``x`` and ``y`` are the same arrays."""
    fitted: Mapping[str, Any]
    """What was found, as plain JSON: shift, divisor, whether they were estimated, number of noisy labels, and
    `target` where targets are scaled."""
    measured: NDArray[Any]
    """What metrics compare outputs with: ``y``, or the targets in their own units where those are scaled."""
    targets: TargetScaling | None = None
    """How targets are scaled; None where they are as they were."""

    @property
    def absent(self) -> tuple[int, ...]:
        """Columns of ``x`` that are 0 in every row, since no training row has their category."""
        return tuple(self.fitted.get("absent") or ())

    def in_units(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a network's outputs (n, k) in the units of ``measured``."""
        if self.targets is None:
            return outputs
        with np.errstate(over="ignore"):
            return self.targets.restored(outputs).astype(np.float32)


class Preparation:
    """Prepares one data set for many trials; equal arrays are made once and shared.

    Where nothing is estimated, the inputs are one array for all seeds, kept as long as this object.
    Estimated inputs and noisy labels are shared while any ``Prepared`` still holds them, and so is a
    ``Prepared`` among the trials of one seed and fold.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._kept: dict[str, NDArray[Any]] = {"y": _targets(dataset)}
        self._in_use: WeakValueDictionary[str, NDArray[Any]] = WeakValueDictionary()
        self._prepared: WeakValueDictionary[Place, Prepared] = WeakValueDictionary()

    def prepare(self, spec: DataSpec, seed: int, fold: int = 0, folds: Folds | None = None) -> Prepared:
        """Split, scale and (where asked for) mislabel the rows for the trials of ``seed`` and ``fold``.

        Whatever is estimated is estimated on the training rows of that fold alone (law 5).
        Raises CeterisError for impossible sizes, noise on numbers, or data other than a record's.
        """
        check_content(self.dataset, spec)
        place = (spec, seed, fold, folds)
        prepared = self._prepared.get(place)
        if prepared is None:
            split = split_rows(self.dataset, spec, seed, fold, folds)
            prepared = self._prepared[place] = self._of_split(spec, seed, split)
        return prepared

    def _of_split(self, spec: DataSpec, seed: int, split: Split) -> Prepared:
        scaling = fit_scaling(self.dataset, spec.scale, split.train)
        x, x_key = self._inputs(scaling, spec)
        y, y_key, changed = self._labels(spec, split, seed)
        measured, targets = y, fit_targets(self.dataset, spec.target_scale, split.train)
        fitted = {"scale": spec.scale, **scaling.as_json(), "noisy_labels": changed}
        if targets is not None:
            fitted["target"] = targets.as_json()
            y, y_key = self._scaled_targets(targets)
        return Prepared(
            x=x,
            y=y,
            split=split,
            train_slice=self._train_slice(spec, split, seed),
            key=_digest(self.dataset.content, x_key, y_key),
            fitted=fitted,
            measured=measured,
            targets=targets,
        )

    def _inputs(self, scaling: Scaling, spec: DataSpec) -> tuple[NDArray[np.float32], str]:
        found = scaling.as_json()
        key = _digest(
            "x", json.dumps([found[name] for name in ("shift", "divisor", "absent") if name in found])
        )
        x = self._kept.get(key)
        if x is None:
            x = self._in_use.get(key)
        if x is None:
            x = scaled(self.dataset.x, scaling)
            self._in_use[key] = x
        if not is_estimated(self.dataset, spec.scale):
            self._kept[key] = x
        return x, key

    def _scaled_targets(self, targets: TargetScaling) -> tuple[NDArray[np.float32], str]:
        key = _digest("target", json.dumps(targets.as_json()))
        y = self._in_use.get(key)
        if y is None:
            y = self._in_use[key] = targets.scaled(self.dataset.y)
        return y, key

    def _labels(self, spec: DataSpec, split: Split, seed: int) -> tuple[NDArray[Any], str, int]:
        """Return targets, their key, and how many labels were replaced."""
        if spec.label_noise == 0:
            return self._kept["y"], "y", 0
        rows = noisy_rows(self.dataset, split.train, spec.label_noise, seed)
        if len(rows) == 0:
            return self._kept["y"], "y", 0
        key = _digest("noise", str(seed), hashlib.sha256(rows.tobytes()).hexdigest())
        y = self._in_use.get(key)
        if y is None:
            y = with_label_noise(self.dataset, rows, seed)
            self._in_use[key] = y
        return y, key, len(rows)

    def _train_slice(self, spec: DataSpec, split: Split, seed: int) -> NDArray[np.int64]:
        size = min(len(split.validation) or len(split.train), len(split.train))
        key = stream_key(split_seed(spec, seed), "train-slice")
        stratify = self.dataset.task == "classification"
        labels = self.dataset.y[split.train]
        order = stratified_order(labels, key, stratify=stratify)
        if spec.validation_balanced:
            counts = np.unique(labels, return_counts=True)[1]
            order = first_of_each_class(labels, order, min(size // len(counts), int(counts.min())))
        return split.train[np.sort(order[:size])]


def prepare_rows(x: NDArray[Any], fitted: Mapping[str, Any]) -> NDArray[np.float32]:
    """Prepare further rows (test rows, a user's own) as ``fitted`` says; (N, *shape) to (N, features)."""
    return scaled(x, scaling_from_json(fitted))


def check_content(dataset: Dataset, spec: DataSpec) -> None:
    """Refuse a data set other than the one that a record was made with (law 9).

    Where inputs were made of those of another data set, that one may be the one that is named.
    """
    known = [dataset.content, *([dataset.before.content] if dataset.before else [])]
    if spec.content is not None and spec.content not in known:
        message = (
            f"the record was made with data of SHA-256 {spec.content[:12]}..., and `{dataset.name}` "
            f"({dataset.origin or 'memory'}) now has {dataset.content[:12]}...: "
            "a repetition needs the same data"
        )
        raise CeterisError(Problem(message, where="experiment.data.content"))


def _targets(dataset: Dataset) -> NDArray[Any]:
    if dataset.task == "classification":
        return np.ascontiguousarray(dataset.y, dtype=np.int64)
    return np.ascontiguousarray(dataset.y.reshape(len(dataset.y), -1), dtype=np.float32)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()
