"""Exporting one trained network of a run, and holding the file against the network on real rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch

from ceteris.api.export.facts import input_facts, output_facts, trial_facts
from ceteris.api.export.files import (
    INPUT,
    OUTPUT,
    Format,
    check_libraries,
    read_parameters,
    write_parameters,
    write_program,
)
from ceteris.api.export.program import Program, as_rows, program_for
from ceteris.api.networks import recorded_network
from ceteris.errors import CeterisError, Problem, unknown_name, writing
from ceteris.records.folders import given_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ceteris.api.own_modules import OwnModel
    from ceteris.data.scaling import Scaling
    from ceteris.records.views import RunRecord, TrialRecord

ROWS = 256
"""Rows on which a file is held against the network."""
LARGEST_DIFFERENCE = 1e-4
"""Relative to the largest output; a file that differs by more is not left behind."""
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True)
class Exported:
    """A network in a file, with what is known about it in a second one."""

    path: Path
    facts_path: Path
    """JSON: what goes in, how it is prepared, what comes out."""
    format: Format
    level: str
    seed: int
    fold: int
    rows: int
    """Rows of the data on which the file was held against the network."""
    difference: float
    """The largest absolute difference of an output."""
    largest: float
    """The largest absolute output, to judge the difference by."""
    reader: str
    """The library that read the file for that."""


def export_trial(
    run: RunRecord,
    trial: TrialRecord,
    path: str | Path | None = None,
    form: str | None = None,
    *,
    data_dir: str | Path | None = None,
    model: OwnModel | None = None,
) -> Exported:
    """Write one trained network, read the file again, and compare it on rows of the run's data.

    Args:
        run: the recorded run.
        trial: one that has finished.
        path: where to write; else ``RUN.FORMAT`` in this folder.
        form: ``pt2``, ``onnx`` or ``safetensors``; else what the path ends in, else ``pt2``.
        data_dir: where data files are looked for first.
        model: what makes a network of the user's own.

    Raises ``CeterisError`` where the data is gone, the network cannot be exported, or the file disagrees.
    """
    path = None if path is None else given_path(path, "path")
    form = _format(form, path)
    check_libraries(form)
    target = Path(path or f"{run.id}.{form}")
    source = _Source(run, trial, data_dir, model)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        written = _write_parameters(source, target) if form == "safetensors" else _write(source, target, form)
    return written


class _Source:
    """The network of a trial with the rows that it validated on and how they were prepared."""

    def __init__(
        self, run: RunRecord, trial: TrialRecord, data_dir: str | Path | None, model: OwnModel | None
    ) -> None:
        from ceteris.api.final_rows import final_rows_of
        from ceteris.spec.experiment import Experiment

        self.run, self.trial, self.given = run, trial, model
        self.experiment = Experiment.model_validate(dict(trial.experiment))
        rows = final_rows_of(run, data_dir)[self.experiment.data.reading]
        self.dataset = rows.preparation.dataset
        prepared = rows.preparation.prepare(self.experiment.data, trial.seed, trial.fold, rows.folds)
        self.prepared, self.fitted = prepared, prepared.fitted
        chosen = prepared.split.validation if len(prepared.split.validation) else prepared.split.train
        self.rows = self.dataset.x[chosen[:ROWS]]

    def network(self) -> torch.nn.Module:
        """Make the network with its recorded weights, in evaluation mode."""
        return recorded_network(self.run, self.trial, "final", self.given)

    @cached_property
    def program(self) -> Program:
        """The network with its preparation."""
        targets = self.prepared.targets
        return program_for(self.network(), self.scaling, self.row_shape, self.rows, targets)

    @cached_property
    def scaling(self) -> Scaling:
        """How rows were prepared for this trial."""
        from ceteris.data.scaling import scaling_from_json

        return scaling_from_json(self.fitted)

    @cached_property
    def wanted(self) -> NDArray[Any]:
        """What the network says of the rows, prepared as they were in training."""
        from ceteris.api.final_rows import as_inputs_of
        from ceteris.data import prepare_rows
        from ceteris.train.scoring import outputs_of

        prepared = torch.from_numpy(prepare_rows(self.rows, self.fitted))
        inputs = as_inputs_of(self.experiment, self.dataset, prepared, self.fitted)
        outputs = outputs_of(self.network(), inputs).numpy()
        return self.prepared.in_units(outputs)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape in which the network takes one prepared row."""
        from ceteris.spec.model import ModuleModel
        from ceteris.train.modules.layout import row_shape

        if isinstance(self.experiment.model, ModuleModel):
            return row_shape(self.experiment.model, self.dataset.shape)
        return (self.dataset.features - len(self.prepared.absent),)

    def facts(self) -> dict[str, Any]:
        """Return all that has to be known."""
        from ceteris.train.objective import resolved_loss

        loss = resolved_loss(self.experiment, self.dataset)
        parameters = dict(self.program.network.named_parameters())
        return {
            **trial_facts(self.run, self.trial, self.experiment),
            "parameters": sum(p.numel() for p in parameters.values()),
            "input": input_facts(self.dataset, self.experiment, self.fitted),
            "output": output_facts(self.dataset, loss),
        }


def _write(source: _Source, path: Path, form: Format) -> Exported:
    program = source.program
    rows = as_rows(source.rows, program.shift.dtype)
    # One row in an array of two: a batch of one would be taken for a constant.
    written = write_program(program, rows[:1].repeat(2, *[1] * (rows.dim() - 1)), path, form)
    dtype = str(program.shift.dtype).removeprefix("torch.")
    facts = source.facts()
    facts["input"] = {"name": INPUT, "dtype": dtype, "prepared": "inside", **facts["input"]}
    facts["output"] = {"name": OUTPUT, "shape": [None, source.wanted.shape[1]], **facts["output"]}
    return _finish(source, path, form, written.outputs(rows), written.reader, facts)


def _write_parameters(source: _Source, path: Path) -> Exported:
    import safetensors

    facts = source.facts()
    facts["input"] = {"dtype": "float32", "prepared": "before", **facts["input"]}
    metadata = {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}
    tied = write_parameters(source.network(), metadata, path)
    read = read_parameters(path)
    fresh = recorded_network(source.run, source.trial, "initial", source.given)
    fresh.load_state_dict(read | {name: read[first] for name, first in tied.items()})
    program = Program(fresh, source.scaling, source.row_shape, torch.float64)
    with torch.no_grad():
        outputs = program(as_rows(source.rows, torch.float64)).numpy()
    return _finish(
        source, path, "safetensors", outputs, f"safetensors {safetensors.__version__}", facts | {"tied": tied}
    )


def _finish(
    source: _Source, path: Path, form: Format, outputs: NDArray[Any], reader: str, facts: dict[str, Any]
) -> Exported:
    """Compare, and write the facts; a file that disagrees is removed."""
    wanted = source.wanted
    difference = float(np.abs(outputs - wanted).max(initial=0.0))
    largest = float(np.abs(wanted).max(initial=0.0))
    if not difference <= LARGEST_DIFFERENCE * max(1.0, largest):
        path.unlink(missing_ok=True)
        raise CeterisError(
            f"the {form} file was read again by {reader}, and on {len(wanted)} rows its outputs differ by up "
            f"to {difference:.2g} from the network's; it was removed"
        )
    agreement = {"rows": len(wanted), "largest_difference": difference, "reader": reader}
    facts_path = path.with_name(path.name + ".json")
    facts_path.write_text(json.dumps({"format": form, **facts, "agreement": agreement}, indent=2) + "\n")
    trial = source.trial
    return Exported(
        path, facts_path, form, trial.level, trial.seed, trial.fold, len(wanted), difference, largest, reader
    )


def _format(form: str | None, path: str | Path | None) -> Format:
    """Return the format that was named, else the one that the path ends in."""
    ending = Path(path).suffix.removeprefix(".") if path is not None else ""
    wanted = form or ending or "pt2"
    for known in FORMATS:
        if known == wanted:
            return known
    where = "format" if form else str(path)
    raise CeterisError(Problem(unknown_name("format", wanted, FORMATS), where=where))
