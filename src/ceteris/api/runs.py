"""Running studies from Python, and finding what was run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ceteris.api.execution import (
    Means,
    Permissions,
    extend_recorded,
    recorded_result,
    resume_recorded,
    run_planned,
)
from ceteris.api.experiment import Experiment
from ceteris.api.initial import Functions, Initial, initial_in_messages, initial_settings, named_functions
from ceteris.api.interrupt import stopping_by_interrupt
from ceteris.api.metrics import Metric, Metrics, directions, named_metrics
from ceteris.api.own_modules import (
    Factory,
    OwnModel,
    is_own_model,
    module_settings,
    named_modules,
    remember,
)
from ceteris.api.progress import showing_progress
from ceteris.api.result import Result
from ceteris.api.studies import StudySource, plan
from ceteris.api.undisturbed import undisturbed
from ceteris.errors import CeterisError, Problem
from ceteris.records.folders import given_path, records_folder
from ceteris.spec.experiment import Experiment as SpecifiedExperiment
from ceteris.spec.study import Study

if TYPE_CHECKING:
    from ceteris.records.views import RunSummary


@undisturbed
def run(
    study: StudySource | Experiment,
    *,
    data: Any = None,
    test: Any = None,
    metrics: Metrics | None = None,
    model: OwnModel | None = None,
    initial: Initial | None = None,
    seeds: int | None = None,
    epochs: int | None = None,
    quick: bool = False,
    search: Mapping[str, Any] | None = None,
    device: str = "auto",
    deterministic: bool = False,
    workers: int | None = None,
    runs_dir: str | Path | None = None,
    data_dir: str | Path | None = None,
    allow_code: bool = False,
    progress: bool = True,
) -> Result:
    """Run a study: train every level over several seeds, record everything, judge the claims.

    Args:
        study: made with ``vary``, a mapping, the path of a YAML file, the name of a named study, or an
            experiment alone, which is trained with five seeds.
        data: instead of the study's own: arrays ``(X, y)``, or the name of a data set.
        test: the test rows ``(X_test, y_test)`` of these arrays: only ``result.test()`` reads them.
        metrics: functions of (outputs, targets), torch tensors: ``{"top2": function}`` or ``[function]``;
            recorded as ``train_<name>`` and ``val_<name>``.
        model: instead of the study's own: a class or function that makes a ``torch.nn.Module``. Or several
            by name, ``{"wide": function, ...}``, for a study that names them: ``model={"kind": "module",
            "name": "wide", "arguments": {...}}``.
        initial: how parameters start, instead of the base experiment's own: values by name, ``{name: array}``
            (the others are drawn), a network or the file of one, whose values all start from, or a function
            that ``torch.nn.Module.apply`` is to call, as in ``initial=init_weights``; functions by name for a
            study that names them.
        seeds: how many seeds instead of the study's own.
        epochs: how many epochs instead of the base experiment's own.
        quick: run a small version, to see whether it works.
        search: settings of the study's search by name, see ``ceteris.search``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        deterministic: whether a card takes only kernels that give the same bits every time; recorded, and
            kept by ``resume`` and ``extend``. The processor always does.
        workers: how many cores train: a process each, or threads of a process where trials are few.
        runs_dir: folder of the records (else ``CETERIS_RUNS``, else ``./ceteris-runs``).
        data_dir: folder with data files (else ``CETERIS_DATA``, else the user's cache).
        allow_code: whether a file may name code of your own, ``package.module:Name``; what is made in
            Python may anyway.
        progress: whether a line shows how far it is.

    Ctrl-C (or interrupting the notebook's cell) stops after the current epoch and returns what is there;
    a second one stops at once with ``KeyboardInterrupt``. ``ceteris.resume`` goes on.

    Raises:
        CeterisError: with every problem that was found, before anything is trained.
    """
    study = Study(experiment=study) if isinstance(study, SpecifiedExperiment) else study
    functions = _functions_of(study) | named_metrics(metrics)
    started = initial_settings(initial, records_folder(runs_dir))
    modules = _modules_of(study) | named_modules(model) | started.functions
    with _in_python():
        planned = plan(
            study,
            model=module_settings(model)[0] if is_own_model(model) else None,
            data=data,
            test=test,
            initial=started.settings,
            metric_names=list(functions),
            better=directions(functions),
            seeds=seeds,
            epochs=epochs,
            quick=quick,
            search=search,
            allow_code=allow_code or not isinstance(study, str | Path),
        )
    with (
        _in_python(),
        initial_in_messages(started),
        _means(
            runs_dir, data_dir, device, workers, progress, functions, modules, deterministic=deterministic
        ) as means,
    ):
        for note in planned.parsed.notes:
            means.listener.note(note)
        return _interruptible(lambda: run_planned(planned, means), means)


@undisturbed
def search(
    study: StudySource | Experiment,
    space: Mapping[str, Any] | None = None,
    *,
    method: Literal["random", "bayesian", "grid"] | None = None,
    sampler: Literal["tpe", "gp"] | None = None,
    trials: int | None = None,
    metric: str | None = None,
    batch: int | None = None,
    halving: int | Mapping[str, Any] | None = None,
    **options: Any,
) -> Result:
    """Search for good settings: train candidates on the same seeds and folds, and rank them.

    Args:
        study: a study that has a ``search``, or an experiment or a study whose base is searched from.
        space: {path: range}, where a range is ``{"log": [1e-4, 0.1]}``, ``{"uniform": [low, high]}``,
            ``{"int": [low, high]}`` or a list of choices; it replaces the study's own.
        method: how candidates are proposed.
        sampler: of a Bayesian search, a Parzen estimator or a Gaussian process.
        trials: how many candidates.
        metric: the validation metric that ranks them; else accuracy for classes, loss for numbers.
        batch: how many are proposed and trained together.
        halving: one in so many goes on to a longer training.
        options: those of ``run``, whose errors and whose answer to Ctrl-C are the same; ``resume`` goes on
            with the proposals that would have come.

    The test rows are not read.
    """
    given = {"space": space, "method": method, "sampler": sampler, "trials": trials, "metric": metric}
    given |= {"batch": batch, "halving": halving}
    settings = {name: value for name, value in given.items() if value is not None}
    return run(study, search=settings, **options)


OPTIONS = ("seeds", "epochs", "method", "sampler", "trials", "metric", "batch", "halving")
"""Arguments that the command line has too."""


@contextmanager
def _in_python() -> Iterator[None]:
    """Tell problems with options by the names that Python has for them."""
    try:
        yield
    except CeterisError as error:
        raise CeterisError(map(_named_in_python, error.problems)) from error.__cause__


def _named_in_python(problem: Problem) -> Problem:
    if problem.where.startswith("--set data.source="):
        return replace(problem, where="data")
    if problem.where.startswith(tuple(f"--{name} " for name in OPTIONS)):
        return replace(problem, where=problem.where.removeprefix("--").partition(" ")[0])
    return problem


def _functions_of(study: StudySource) -> dict[str, Metric]:
    """Return the metrics that the study's experiment was given as functions."""
    experiment = getattr(study, "experiment", None)
    return experiment.functions if isinstance(experiment, Experiment) else {}


def _modules_of(study: StudySource) -> dict[str, Factory]:
    """Return what makes the network of the study's experiment, where it was given as code."""
    experiment = getattr(study, "experiment", None)
    return experiment.modules if isinstance(experiment, Experiment) else {}


@contextmanager
def _means(
    runs_dir: str | Path | None,
    data_dir: str | Path | None,
    device: str | None,
    workers: int | None,
    progress: bool,
    metrics: Mapping[str, Metric],
    modules: Mapping[str, Factory],
    *,
    deterministic: bool = False,
) -> Iterator[Means]:
    remember(modules)
    with showing_progress(progress) as listener:
        yield Means(
            runs_folder=records_folder(runs_dir),
            data_folder=None if data_dir is None else given_path(data_dir, "data_dir"),
            device=device,
            deterministic=deterministic,
            workers=workers,
            metrics=metrics,
            modules=modules,
            listener=listener,
        )


def _interruptible(execute: Callable[[], Result], means: Means) -> Result:
    """Run with Ctrl-C stopping after the epoch, write the report, and return the result."""
    with stopping_by_interrupt(means.stop, means.listener.note):
        result = execute()
    result.report()
    if means.stop.at_once:
        raise KeyboardInterrupt
    return result


@undisturbed
def resume(
    run: str | Result = "last",
    *,
    metrics: Metrics | None = None,
    model: OwnModel | None = None,
    initial: Functions | None = None,
    device: str | None = None,
    workers: int | None = None,
    runs_dir: str | Path | None = None,
    data_dir: str | Path | None = None,
    allow_code: bool = False,
    allow_other_numerics: bool = False,
    progress: bool = True,
) -> Result:
    """Finish what is missing of a run; trials that have ended are kept.

    Args:
        run: its name, the beginning of it, ``last``, or a result.
        metrics: the functions that the run measures, given again.
        model: the class or function that makes the run's network, or several by name, given again.
        initial: the function that starts the run's networks, or several by name, given again.
        device: instead of the recorded one.
        workers: how many cores train: a process each, or threads of a process where trials are few.
        runs_dir: folder of the records.
        data_dir: folder with data files.
        allow_code: whether the record may name code of your own.
        allow_other_numerics: whether to go on where this machine computes with other last bits.
        progress: whether a line shows how far it is.

    Raises:
        CeterisError: where the run, its data or its metrics are not to be had.
    """
    run, runs_dir = _named(run, runs_dir)
    permissions = Permissions(allow_code, allow_other_numerics)
    functions = named_metrics(metrics)
    modules = named_modules(model) | named_functions(initial)
    with _means(runs_dir, data_dir, device, workers, progress, functions, modules) as means:
        return _interruptible(lambda: resume_recorded(run, means, permissions), means)


@undisturbed
def extend(
    run: str | Result = "last",
    *,
    seeds: int,
    metrics: Metrics | None = None,
    model: OwnModel | None = None,
    initial: Functions | None = None,
    device: str | None = None,
    workers: int | None = None,
    runs_dir: str | Path | None = None,
    data_dir: str | Path | None = None,
    allow_code: bool = False,
    allow_other_numerics: bool = False,
    progress: bool = True,
) -> Result:
    """Add seeds to a run until it has ``seeds`` in all; verdicts are corrected for the earlier look.

    The other arguments and the errors are those of ``resume``.
    """
    if not isinstance(seeds, int) or isinstance(seeds, bool):
        raise CeterisError(
            Problem(f"{seeds!r} is not a number of seeds; give the number in all", where="seeds")
        )
    run, runs_dir = _named(run, runs_dir)
    permissions = Permissions(allow_code, allow_other_numerics)
    functions = named_metrics(metrics)
    modules = named_modules(model) | named_functions(initial)
    with _means(runs_dir, data_dir, device, workers, progress, functions, modules) as means:
        return _interruptible(lambda: extend_recorded(run, seeds, means, permissions), means)


def load_run(run: str | Result = "last", *, runs_dir: str | Path | None = None) -> Result:
    """Return a run's result by its name, the beginning of it, or ``last``, or of a result anew.

    Raises ``CeterisError`` for an unknown one, with the nearest and the most recent.
    """
    run, runs_dir = _named(run, runs_dir)
    return recorded_result(run, records_folder(runs_dir))


def _named(run: str | Result, runs_dir: str | Path | None) -> tuple[str, str | Path | None]:
    """Return the name of a run, and the folder of its records where a result knows it."""
    if isinstance(run, Result):
        return run.id, runs_dir or run.run.folder.parent
    if not isinstance(run, str):
        message = f"a value of type {type(run).__name__} is no run; give its name, `last`, or a result"
        raise CeterisError(Problem(message, where="run"))
    return run, runs_dir


def list_runs(*, runs_dir: str | Path | None = None) -> tuple[RunSummary, ...]:
    """Return one line per run, the newest first; none where nothing was run yet."""
    from ceteris.records.database import DATABASE_NAME
    from ceteris.records.store import Store

    folder = records_folder(runs_dir)
    if not (folder / DATABASE_NAME).is_file():
        return ()
    with Store(folder, create=False) as store:
        return store.list_runs()
