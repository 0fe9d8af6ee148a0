"""Goes on with a recorded run, from the record alone: finishes what is missing, or adds seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ceteris.data.dataset import Dataset
from ceteris.errors import CeterisError, Problem
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import DataPlaces, found_again, load_sources
from ceteris.lab.listener import Listener, Stop, Unheard
from ceteris.lab.orders import Hello
from ceteris.lab.own_metrics import Metric
from ceteris.lab.own_modules import Factory, changed_sources, requests, resume_problems
from ceteris.lab.repeatable import (
    deciding_differences,
    other_differences,
    recorded_device,
    required_environment,
    with_scheme,
)
from ceteris.lab.search import Searching, is_searching
from ceteris.lab.sizes import sizes_of
from ceteris.lab.trials import (
    ENDED,
    as_entry,
    epochs_on_record,
    next_seeds,
    plan_trials,
    recorded_combinations,
    recorded_folds,
    unfinished,
)
from ceteris.lab.undertaking import (
    Means,
    Undertaking,
    greet,
    heed,
    hire_ahead,
    inspect_modules,
    key_of,
    make_setup,
    refuse,
    tell_loading,
    train_run,
)
from ceteris.nets.architecture import Architecture
from ceteris.records.checkpoints import sort_checkpoints
from ceteris.records.store import Store
from ceteris.records.views import RunRecord
from ceteris.spec.combine import Combination
from ceteris.spec.metrics import PROVIDED_METRICS
from ceteris.train.messages import CHECKPOINT_SECONDS
from ceteris.train.plan import TrialPlan


@dataclass(frozen=True)
class OwnCode:
    """What the user gives again, because a record keeps no code: metrics and networks by name."""

    metrics: Mapping[str, Metric]
    modules: Mapping[str, Factory]


@dataclass(frozen=True)
class Permissions:
    """What a user has to allow before a record may ask for it."""

    code: bool = False
    """Import the record's references to the user's own code."""
    other_numerics: bool = False
    """Go on although the last bits of new trials will differ from what the record would have got."""


def resume_run(
    run: str,
    *,
    runs_folder: Path,
    data_folder: Path | None = None,
    device: str | None = None,
    workers: int | None = None,
    metrics: Mapping[str, Metric] | None = None,
    modules: Mapping[str, Factory] | None = None,
    allow_code: bool = False,
    allow_other_numerics: bool = False,
    listener: Listener | None = None,
    stop: Stop | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> str:
    """Train what a run has not finished; return its identifier. Ended trials are kept as they are.

    Trials that were interrupted go on from their last checkpoint, which is that of their last epoch where
    epochs take a quarter of a second, under the identity that they have, with the bits of an undisturbed run;
    they begin anew where no checkpoint is whole, or where it was computed with other numerics than this
    machine's. ``device`` is that of the record unless another is named; the other arguments are those of
    ``run_study``.

    Raises:
        CeterisError: where the run, its data or its metrics are not to be had, or this machine would
            compute with other bits and ``allow_other_numerics`` is false.
    """
    means = Means(
        runs_folder, data_folder, workers, listener or Unheard(), stop or Stop(), checkpoint_seconds
    )
    permissions = Permissions(allow_code, allow_other_numerics)
    return _go_on(run, None, device, OwnCode(metrics or {}, modules or {}), permissions, means)


def extend_run(
    run: str,
    seeds: int,
    *,
    runs_folder: Path,
    data_folder: Path | None = None,
    device: str | None = None,
    workers: int | None = None,
    metrics: Mapping[str, Metric] | None = None,
    modules: Mapping[str, Factory] | None = None,
    allow_code: bool = False,
    allow_other_numerics: bool = False,
    listener: Listener | None = None,
    stop: Stop | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> str:
    """Add seeds to a run until it has ``seeds`` in all, and train what it has not finished.

    Ended trials are kept. The record counts one more look at the verdicts, for which evidence corrects.
    Arguments and errors are those of ``resume_run``; further, ``seeds`` has to be more than there are.
    """
    means = Means(
        runs_folder, data_folder, workers, listener or Unheard(), stop or Stop(), checkpoint_seconds
    )
    permissions = Permissions(allow_code, allow_other_numerics)
    return _go_on(run, seeds, device, OwnCode(metrics or {}, modules or {}), permissions, means)


def _go_on(
    run: str,
    seeds: int | None,
    device: str | None,
    own: OwnCode,
    permissions: Permissions,
    means: Means,
) -> str:
    with Store(means.runs_folder, create=False) as store:
        record = store.load_run(run)
        if record.status == "running":
            raise CeterisError(
                f"the run {record.id} is being trained by another process; stop that one first"
            )
        combinations = recorded_combinations(record.trials)
        more = () if seeds is None else next_seeds((trial.seed for trial in record.trials), seeds)
        folds = recorded_folds(record.study)
        left = unfinished(record.trials, folds)
        searching = is_searching(record)
        if searching and more:
            raise CeterisError(
                f"the search of run {record.id} is not done; "
                f"end it with `ceteris resume {record.id}`, then add seeds"
            )
        if not left and not more and not searching:
            means.listener.note(f"the run {record.id} is complete; nothing is left to train")
            return record.id
        experiments = [combination.experiment for combination in combinations]
        missing = resume_problems(experiments, own.modules, allow_code=permissions.code)
        refuse([*_code_problems(combinations, own.metrics, permissions), *missing])
        asked = device or recorded_device(record.device)
        exactly = bool(record.numerics.get("deterministic", False))
        setup = make_setup(asked, own.metrics, own.modules, experiments, deterministic=exactly)
        with Crew(setup, required_environment(record.numerics)) as crew:
            to_train = len(left) + len(more) * len(combinations) * (1 if folds is None else folds.k)
            first = hire_ahead(crew, setup.device, means.workers, to_train)
            places = _places(record, combinations, means)
            datasets = _load(places, means)
            seeds_used = tuple(dict.fromkeys([*(trial.seed for trial in record.trials), *more]))
            sizes = {
                c.label: sizes_of(datasets[c.experiment.data.reading], c.experiment.data, seeds_used, folds)
                for c in combinations
            }
            hello = greet(crew, first, means.listener, means.stop)
            refuse([*hello.problems, *changed_sources(experiments, hello.module_hashes)])
            wanted = requests(experiments, datasets)
            inspected, _ = inspect_modules(crew, first, wanted, means.listener, means.stop)
            refuse([p for found in inspected.values() if isinstance(found, tuple) for p in found])
            modules = {key: net for key, net in inspected.items() if isinstance(net, Architecture)}
            _compare(record, hello, permissions, means.listener)
            heed(means.stop)
            trials = (*left, *plan_trials(combinations, more, hello.numerics, folds))
            begun = _open(store, record, trials[len(left) :], key_of(hello))
            kept = len(record.trials) - len(left)
            work = Undertaking(trials, datasets, sizes, places, modules, kept, begun) if trials else None
            search = None
            if searching:
                names = [*own.metrics], [*own.modules]
                search = Searching(record.id, datasets, places, crew, hello, means, *names)
            train_run(store, record.id, work, crew, hello, means, search)
        return record.id


def _open(store: Store, record: RunRecord, added: Sequence[TrialPlan], numerics: str) -> dict[str, int]:
    """Become the writer of a run, plan the trials that are added, and drop epochs after checkpoints.

    Returns:
        The epochs that unended trials go on from, by identity.
    """
    store.begin(record.id)
    reached = {t.identity: epochs_on_record(t) for t in record.trials if t.status not in ENDED}
    begun = sort_checkpoints(store.checkpoints_folder(record.id), reached, numerics)
    store.restart_trials(record.id, reached, begun)
    if added:
        store.add_trials(record.id, [as_entry(trial) for trial in added])
        store.note_extension(record.id, record.looks + 1, record.first_seeds)
    return begun


def _code_problems(
    combinations: Sequence[Combination], given: Mapping[str, Metric], permissions: Permissions
) -> list[Problem]:
    problems = []
    for metric in dict.fromkeys(name for c in combinations for name in c.experiment.metrics):
        if ":" in metric and not permissions.code:
            message = f"the run measures `{metric}`, which is code of your own; allow it with --allow-code"
            problems.append(Problem(message))
        elif ":" not in metric and metric not in given and metric not in PROVIDED_METRICS:
            message = (
                f"the run measures `{metric}`, a function of your own; go on from Python and give it again"
            )
            problems.append(Problem(f"{message}: `metrics={{'{metric}': function}}`"))
    return problems


def _places(record: RunRecord, combinations: Sequence[Combination], means: Means) -> DataPlaces:
    """Find the record's data: in the folder that the user names now, or in the one named then."""
    then = record.facts.get("data_folder")
    kept = Path(then) if then and Path(then).is_dir() else None
    sources = dict.fromkeys(c.experiment.data.reading for c in combinations)
    moved = {source: found_again(source, means.runs_folder) for source in sources}
    return DataPlaces(means.data_folder or kept, moved, means.runs_folder)


def _load(places: DataPlaces, means: Means) -> dict[str, Dataset]:
    """Load the record's data under the names that its experiments have for them."""
    loaded = load_sources(list(places.moved.values()), places.folder, None, tell_loading(means))
    refuse([problem for error in loaded.errors.values() for problem in error.problems])
    return {source: loaded.datasets[place] for source, place in places.moved.items()}


def _compare(record: RunRecord, hello: Hello, permissions: Permissions, listener: Listener) -> None:
    """Refuse to mix numerics unless that is allowed; tell every other difference in one sentence."""
    now = with_scheme(hello.versions)
    deciding = deciding_differences(record.numerics, hello.numerics, record.versions, now)
    if deciding and not permissions.other_numerics:
        raise CeterisError(
            f"new trials of {record.id} would not be computed as its others were ({'; '.join(deciding)}); "
            "install what the record names, or allow it with --allow-other-numerics"
        )
    if deciding:
        listener.note(f"new trials are not computed as the others of the run were: {'; '.join(deciding)}")
    others = other_differences(record.versions, now)
    if others:
        listener.note(f"versions that do not change results differ: {'; '.join(others)}")
    changed = [
        name
        for name, digest in record.facts.get("metrics", {}).items()
        if hello.metric_hashes.get(name, digest) != digest
    ]
    if changed:
        listener.note(f"the source of {', '.join(f'`{name}`' for name in changed)} has changed since the run")
