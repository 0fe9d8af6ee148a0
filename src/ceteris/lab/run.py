"""Runs a study: checked against its data, then recorded, then trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ceteris.data.dataset import Dataset
from ceteris.data.doubts import doubts, unscaled_targets
from ceteris.data.facts import facts
from ceteris.lab.binding import Bound, bind
from ceteris.lab.constant import constants_of
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import (
    DataPlaces,
    LoadedData,
    lasting_source,
    load_sources,
    rename_combination,
    rename_sources,
)
from ceteris.lab.initial_values import Read, read_all, with_content
from ceteris.lab.listener import Listener, Stop, Unheard
from ceteris.lab.orders import Hello
from ceteris.lab.own_metrics import Metric
from ceteris.lab.own_modules import Factory, requests, with_sources
from ceteris.lab.own_outputs import output_notes
from ceteris.lab.repeatable import with_scheme
from ceteris.lab.search import (
    ALL_ROWS,
    Searching,
    corner_study,
    first_batch,
    metric_problems,
    training_rows,
    work_ahead,
)
from ceteris.lab.trials import as_entry, plan_trials
from ceteris.lab.undertaking import (
    Means,
    Undertaking,
    greet,
    heed,
    hire_ahead,
    inspect_modules,
    make_setup,
    refuse,
    tell_loading,
    train_run,
)
from ceteris.records.store import Store
from ceteris.records.views import CHANGED, CONSTANT, DOUBTS, REMARK
from ceteris.spec.combine import Combination, combinations, seed_list
from ceteris.spec.data import DataSpec
from ceteris.spec.dump import study_to_dict
from ceteris.spec.parse import ParsedStudy
from ceteris.spec.study import Study
from ceteris.train.messages import CHECKPOINT_SECONDS


def run_study(
    parsed: ParsedStudy,
    *,
    study_name: str = "",
    remark: str = "",
    changed: bool = False,
    runs_folder: Path,
    data_folder: Path | None = None,
    device: str = "auto",
    deterministic: bool = False,
    workers: int | None = None,
    dataset: Dataset | None = None,
    metrics: Mapping[str, Metric] | None = None,
    modules: Mapping[str, Factory] | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> str:
    """Train every trial of a study and record it; return the run's identifier.

    Args:
        parsed: the study.
        study_name: the named study or file that it came from.
        remark: what everybody who reads its verdicts has to know, for the record; may be empty.
        changed: whether it is another study than that file or name says, for the record.
        runs_folder: where records lie.
        data_folder: where data files are looked for first.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        deterministic: whether a device takes only kernels that give the same bits every time.
        workers: how many cores train, a process each or threads of a process where trials are few; by default
            all, and one process on a card.
        dataset: rows in memory, where the study's source is ``arrays``.
        metrics: the user's own functions, by the names that experiments have for them.
        modules: what makes the user's own networks, by the names that experiments have for them.
        listener: is told what happens.
        stop: is looked at while training; a run that was stopped can be resumed.
        checkpoint_seconds: the least time between two checkpoints of a trial; 0 for one after every epoch.

    Raises:
        CeterisError: with all problems of the study at once, before anything is recorded; or for what
            went wrong while training, when everything up to then is kept.
        KeyboardInterrupt: where a stop is asked for before the run is begun.
    """
    means = Means(
        runs_folder, data_folder, workers, listener or Unheard(), stop or Stop(), checkpoint_seconds
    )
    own, factories = dict(metrics or {}), dict(modules or {})
    checked = parsed if parsed.study.search is None else corner_study(parsed)
    experiments = [combination.experiment for combination in combinations(checked.study)]
    folds = 1 if parsed.study.folds is None else parsed.study.folds.k
    trials_in_all = len(experiments) * len(seed_list(parsed.study)) * folds
    with Crew(make_setup(device, own, factories, experiments, deterministic=deterministic)) as crew:
        first = hire_ahead(crew, device, workers, trials_in_all)
        sources = [experiment.data.reading for experiment in experiments]
        data = load_sources(sources, data_folder, dataset, tell_loading(means))
        of_data = tell_doubts(data, [experiment.data for experiment in experiments], means.listener)
        initial = read_all(experiments, runs_folder)
        bound, problems = bind(checked, data, list(own), list(factories), initial=initial)
        hello = greet(crew, first, means.listener, means.stop)
        if checked is not parsed:
            problems += metric_problems(parsed, data.datasets.values())
        refuse([*problems, *hello.problems])
        if checked is not parsed:
            parsed = first_batch(parsed, *data.datasets.values())
            bound, problems = bind(parsed, data, list(own), list(factories), initial=initial)
            refuse(problems)
        wanted = requests([found.experiment for found in bound.combinations], data.datasets)
        inspected, of_modules = inspect_modules(crew, first, wanted, means.listener, means.stop)
        if inspected:
            bound, problems = bind(parsed, data, list(own), list(factories), inspected, initial)
            refuse(problems)
        names = {source: lasting_source(source, own, runs_folder) for source, own in data.datasets.items()}
        contents = {source: own.content for source, own in data.datasets.items()}
        study = _with_kind_of_folds(rename_sources(parsed.study, names, contents), data)
        found = tuple(
            _as_recorded(rename_combination(c, names, contents), hello, initial, runs_folder)
            for c in bound.combinations
        )
        trials = plan_trials(found, seed_list(study), hello.numerics, study.folds)
        datasets = {names[source]: own for source, own in data.datasets.items()}
        heed(means.stop)
        told = run_facts(found, bound, datasets, hello, data_folder)
        told[CONSTANT] = constants_of(found, datasets, seed_list(study), study.folds)
        told[DOUBTS] = [*of_data, *of_modules, *output_notes(found, datasets, bound.modules)]
        told |= ({REMARK: remark} if remark else {}) | ({CHANGED: True} if changed else {})
        if study.search is not None:
            told[ALL_ROWS] = training_rows(study, *datasets.values())
        with Store(runs_folder) as store:
            run = store.create_run(
                study_to_dict(study),
                study_name,
                study.title,
                [as_entry(trial) for trial in trials],
                told,
                with_scheme(hello.versions),
                hello.numerics,
                hello.device_name,
            )
            store.begin(run)
            places = DataPlaces(data_folder, initial=runs_folder)
            work = Undertaking(trials, datasets, bound.sizes, places, bound.modules)
            more = None
            if study.search is not None:
                work = replace(work, ahead=work_ahead(study, told[ALL_ROWS]))
                more = Searching(run, datasets, places, crew, hello, means, [*own], [*factories])
            train_run(store, run, work, crew, hello, means, more)
    return run


def tell_doubts(data: LoadedData, specs: Sequence[DataSpec], listener: Listener) -> tuple[str, ...]:
    """Note what is doubtful about the rows, and about how experiments read them; return the notes."""
    found = [doubt for dataset in data.datasets.values() for doubt in doubts(dataset)]
    if not any(spec.target_scale != "none" for spec in specs):  # else the study knows of it
        read = [(data.datasets[spec.reading], spec) for spec in specs if spec.reading in data.datasets]
        found += [unscaled_targets(dataset, spec) for dataset, spec in read]
    notes = tuple(dict.fromkeys(filter(None, found)))
    for note in notes:
        listener.note(note)
    return notes


def _as_recorded(combination: Combination, hello: Hello, initial: Read, runs_folder: Path) -> Combination:
    """Return the combination with the hashes of the user's own code and of its initial values filled in."""
    experiment = with_sources(combination.experiment, hello.module_hashes)
    return replace(combination, experiment=with_content(experiment, initial, runs_folder))


def _with_kind_of_folds(study: Study, data: LoadedData) -> Study:
    """Return the study with the kind of its folds filled in, unless levels read data of two tasks."""
    tasks = {dataset.task for dataset in data.datasets.values()}
    if study.folds is None or len(tasks) > 1:
        return study
    return study.model_copy(update={"folds": study.folds.resolved(*tasks)})


def run_facts(
    found: tuple[Combination, ...],
    bound: Bound,
    datasets: Mapping[str, Dataset],
    hello: Hello,
    folder: Path | None,
) -> dict[str, Any]:
    """Return what a record keeps about the data: that of the first level, and where others differ.

    ``train_rows`` and ``validation_rows`` are those of the first level; ``rows_by_level`` has all. With
    folds they are the rows that the first fold trains on and that all folds of a seed validate on.
    """
    first = found[0]
    sizes = bound.sizes[first.label]
    told = facts(datasets[first.experiment.data.reading])
    told |= {
        "source": first.experiment.data.reading,
        "train_rows": sizes.training,
        "validation_rows": sizes.validation,
        "rows_by_level": {
            label: {"train": own.training, "validation": own.validation} for label, own in bound.sizes.items()
        },
    }
    if len(sizes.of_first_seed) > 1:
        training, validation = zip(*sizes.of_first_seed, strict=True)
        told["rows_by_fold"] = {"train": list(training), "validation": list(validation)}
    if len(datasets) > 1:
        told["other_data"] = {
            source: facts(own) for source, own in datasets.items() if source != told["source"]
        }
    if folder is not None:
        told["data_folder"] = str(folder.expanduser().absolute())
    if hello.metric_hashes:
        told["metrics"] = dict(hello.metric_hashes)
    if hello.module_hashes:
        told["modules"] = dict(hello.module_hashes)
    return told
