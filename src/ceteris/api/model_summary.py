"""The network of an experiment as it would be trained: structure, shapes, parameters, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.studies import StudySource, plan
from ceteris.errors import CeterisError, Problem, unknown_name

if TYPE_CHECKING:
    import torch

    from ceteris.data import Dataset
    from ceteris.data.download import Report
    from ceteris.nets.summary import Part, Summary
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.model import ModuleModel
    from ceteris.spec.parse import ParsedStudy
    from ceteris.spec.study import Study

FLOAT_BYTES = 4
ROWS = 2
"""Rows on which a network is tried; in evaluation mode they do not mix."""
BASE = "base"
MOST_TOLD = 4
"""Levels that are named where the base's network is shown, at most."""


@dataclass(frozen=True)
class ModelSummary:
    """What a network consists of, and the memory in bytes that one member takes while it trains."""

    level: str
    """Label of the level whose network it is, or ``base``."""
    data: str
    batch_size: int
    optimizer: str
    summary: Summary
    memory: Mapping[str, int]
    """``parameters``, ``gradients``, ``optimizer`` (its state), ``activations`` (of one batch: the outputs of
    all layers and operations), ``total``."""
    notes: tuple[str, ...] = ()
    """What a network of one's own keeps where it is not saved, moved or trained; which levels have others."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as ``ceteris model show --json`` prints it."""
        summary, trace = self.summary, self.summary.trace
        return {
            "level": self.level,
            "data": self.data,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer,
            "network": summary.kind,
            "input": list(trace.nodes[0].shape),
            "output": list(trace.nodes[trace.output].shape),
            "layers": [_layer(part) for part in summary.parts],
            "own": {name: list(shape) for name, shape in summary.own},
            "parameters": summary.parameters,
            "trainable": summary.trainable,
            "buffers": summary.buffers,
            "memory": dict(self.memory),
        }


def model_summary(
    source: StudySource | None = None,
    *,
    level: str | None = None,
    data: Any = None,
    sets: Sequence[str] = (),
    data_dir: str | Path | None = None,
    allow_code: bool = False,
    report: Report | None = None,
) -> ModelSummary:
    """Lay out the network of a study's base experiment, or of one of its levels, and look at it.

    Args:
        source: the study; without one, ``data`` and ``sets`` (``model=...``) say what there is.
        level: label of a level of the study.
        data: replaces the study's data (arrays, or a name).
        sets: settings to change, ``path=value``.
        data_dir: folder with data files.
        allow_code: whether code of the user's own (``package.module:Name``) may be run.
        report: is told how far a download has come.

    Raises:
        CeterisError: where there is no such study or level, or the network does not fit the data.
    """
    from ceteris.nets.summary import summarize
    from ceteris.train.modules.doubts import doubts

    if source is None and data is None:
        raise CeterisError("there is no network to show: give a study, or `--data` with `--set model=...`")
    source = (
        {"experiment": {"data": data if isinstance(data, str) else "arrays"}} if source is None else source
    )
    planned = plan(source, data=data, sets=sets, allow_code=allow_code)
    experiment, place = _experiment(planned.parsed, level)
    dataset = _loaded(experiment.data.reading, data_dir, planned.dataset, report)
    try:
        module, rows = _module(experiment, dataset)
    except CeterisError as error:
        raise CeterisError(place(p.where or "experiment.model", p.message) for p in error.problems) from error
    found = summarize(module, rows)
    return ModelSummary(
        level or BASE,
        dataset.name,
        experiment.batch_size,
        experiment.optimizer.kind,
        found,
        _memory(found, experiment),
        (
            *(doubts(experiment.model.name, module, rows) if experiment.model.kind == "module" else ()),
            *(_others(planned.parsed.study) if level is None else ()),
        ),
    )


def _others(study: Study) -> Iterator[str]:
    """Say which levels change the network, of which the base's alone is shown."""
    from ceteris.spec.combine import combinations

    changed = [one.label for one in combinations(study) if one.experiment.model != study.experiment.model]
    if changed:
        told = "; ".join(f"`{label}`" for label in changed[:MOST_TOLD])
        more = f" and {len(changed) - MOST_TOLD} more" if len(changed) > MOST_TOLD else ""
        yield f"this is the base; --level shows those of levels that change it: {told}{more}"


def _layer(part: Part) -> dict[str, Any]:
    return {
        "path": part.path,
        "kind": part.kind,
        "settings": part.settings,
        "output": None if part.shape is None else list(part.shape),
        "tensors": {name: list(shape) for name, shape in part.tensors},
        "parameters": part.parameters,
        "shared_with": list(part.shared),
    }


def _experiment(parsed: ParsedStudy, level: str | None) -> tuple[Experiment, Callable[[str, str], Problem]]:
    """Return the base experiment or that of a level, and what puts its problems into their places."""
    from ceteris.spec.combine import combinations

    if level is None:
        return parsed.study.experiment, parsed.problem
    found = {combination.label: combination for combination in combinations(parsed.study)}
    if level not in found:
        raise CeterisError(unknown_name("level", level, list(found)))
    return found[level].experiment, partial(parsed.combination_problem, found[level])


def _loaded(
    reading: str, data_dir: str | Path | None, given: Dataset | None, report: Report | None
) -> Dataset:
    """Return what an experiment reads, reduced inputs included; raises what the source raises."""
    from ceteris.lab.datasets import load_sources

    found = load_sources([reading], Path(data_dir) if data_dir else None, given, report)
    for error in found.errors.values():
        raise error
    return found.datasets[reading]


def _module(experiment: Experiment, dataset: Dataset) -> tuple[torch.nn.Module, torch.Tensor]:
    """Return the network of seed 0 with rows in the shape that it takes."""
    import torch

    from ceteris.nets.stacked import initial_stack
    from ceteris.spec.model import ModuleModel
    from ceteris.train.plan import network

    model = experiment.model
    if isinstance(model, ModuleModel):
        return _own_module(model, experiment, dataset)
    net = network(experiment, dataset, {})
    rows = torch.linspace(0, 1, ROWS)[:, None].expand(ROWS, net.n_in).contiguous()
    return initial_stack(net, [model], [0]).member(0), rows


def _own_module(
    model: ModuleModel, experiment: Experiment, dataset: Dataset
) -> tuple[torch.nn.Module, torch.Tensor]:
    """Import what makes a network of the user's own, which was allowed, and make it as training does."""
    from ceteris.api.own_modules import factory_for
    from ceteris.lab import own_modules
    from ceteris.train.modules.user import inspect_module, look_rows, made_module

    if ":" in model.name:
        loaded = own_modules.load(b"", [model.name])
        if loaded.problems:
            raise CeterisError(loaded.problems)
        factory = loaded.factories[model.name]
    else:
        factory = factory_for(model.name, model.source, None)
    (request,) = own_modules.requests([experiment], {experiment.data.reading: dataset}).values()
    inspect_module(request, factory)
    return made_module(model, factory, dataset.shape, 0), look_rows(model, dataset.shape, request.whole)


def _memory(found: Summary, experiment: Experiment) -> dict[str, int]:
    from ceteris.train.hyper import state_slots

    numbers = {
        "parameters": found.parameters,
        "gradients": found.trainable,
        "optimizer": found.trainable * state_slots([experiment.optimizer]),
        "activations": found.trace.activations * experiment.batch_size,
    }
    memory = {name: FLOAT_BYTES * count for name, count in numbers.items()}
    return {**memory, "total": sum(memory.values())}
