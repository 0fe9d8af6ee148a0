"""A search as a run that grows: candidates become levels, batch by batch, and are trained as others are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ceteris.data.dataset import Dataset
from ceteris.errors import CeterisError, Problem
from ceteris.evidence.trial_scores import level_scores
from ceteris.lab.binding import Bound, bind
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import DataPlaces, LoadedData
from ceteris.lab.halving import rounds, size_path, survivors
from ceteris.lab.initial_values import read_all, with_content
from ceteris.lab.orders import Hello
from ceteris.lab.own_modules import requests, with_sources
from ceteris.lab.proposals import Candidate, check_installed, propose
from ceteris.lab.sizes import sizes_of
from ceteris.lab.trials import ENDED, as_entry, plan_trials
from ceteris.lab.undertaking import Means, Undertaking, inspect_modules, refuse
from ceteris.records.store import Store
from ceteris.records.views import RunRecord, TrialRecord
from ceteris.spec.combine import Combination, combinations, merged_patch, seed_list
from ceteris.spec.dump import study_from_dict, study_to_dict
from ceteris.spec.factors import Places
from ceteris.spec.labels import combination_label, format_label
from ceteris.spec.metrics import direction
from ceteris.spec.parse import ParsedStudy
from ceteris.spec.patch import own_path
from ceteris.spec.search import Search
from ceteris.spec.space import corner_rows, corners, planned
from ceteris.spec.study import Factor, Level, Study

ALL_ROWS = "search_rows"
"""Fact of a run: on how many rows the base experiment of a search trains."""

Row = dict[str, str]
"""Factor -> label of its level: one combination."""


def corner_study(parsed: ParsedStudy) -> ParsedStudy:
    """Return a study of the base and the ends of every dimension, one after another, for the first checks.

    Raises CeterisError where what proposes candidates is not installed.
    """
    search = _search_of(parsed.study)
    check_installed(search)
    read = corners(search)
    factors, rows = corner_rows(read.factors)
    study = parsed.study.model_copy(update={"vary": factors, "combine": rows})
    different: dict[str, Row] = {}
    for combination in combinations(study):
        different.setdefault(combination.experiment.model_dump_json(), combination.coordinates)
    study = study.model_copy(update={"combine": tuple(different.values())})
    return replace(parsed, study=study, places=read.places)


def metric_problems(parsed: ParsedStudy, datasets: Iterable[Dataset]) -> Iterator[Problem]:
    """Yield why the data of a search gives its metric no values."""
    study = parsed.study
    search, folded = _search_of(study), study.folds is not None
    for dataset in datasets:
        if search.metric == "val_accuracy" and dataset.task == "regression":
            message = f"`{dataset.name}` has numbers to predict, which have no accuracy; rank by a loss"
            yield parsed.problem("search.metric", message)
    if study.experiment.data.validation == 0 and not folded:
        yield parsed.problem(
            "search", "with `data.validation: 0` no rows validate, and a search ranks by those that do"
        )


def first_batch(parsed: ParsedStudy, dataset: Dataset) -> ParsedStudy:
    """Return the study with its metric named and its first candidates as levels.

    Raises CeterisError where nothing in the space can be trained.
    """
    study, search = parsed.study, _search_of(parsed.study)
    if search.metric is None:
        metric = "val_accuracy" if dataset.task == "classification" else "val_loss"
        study = study.model_copy(update={"search": search.model_copy(update={"metric": metric})})
    batch = next_batch(study, (), training_rows(study, dataset))
    if batch is None:
        raise CeterisError("the search has no candidates")
    return replace(parsed, study=batch.study, places=_places(batch.study))


def _places(study: Study) -> Places:
    """Say that the values of candidates come from the space."""
    names = {own_path(name): name for name in _search_of(study).space}
    return {
        (factor.name, level.label, path): f"search.space.{names[path]}" if path in names else "search.halving"
        for factor in study.vary
        for level in factor.levels
        for path in level.patch
    }


def training_rows(study: Study, dataset: Dataset) -> int:
    """Return how many rows the base experiment trains on."""
    return sizes_of(dataset, study.experiment.data, seed_list(study), study.folds).training


def work_ahead(study: Study, all_rows: int) -> float:
    """Return how much is still to be proposed after the last batch, as a multiple of that batch's work.

    Of halving, the rounds that follow: fewer candidates, each of which takes that much longer.
    """
    search, done = _search_of(study), len(_rows(study))
    if search.halving is None:
        batch = (done - 1) % search.together + 1
        return (planned(search) - done) / batch
    halving = search.halving
    sizes = rounds(halving, study.experiment, all_rows)
    path, labels = size_path(halving), [size.label for size in sizes]
    reached = max(labels.index(row[path]) for row in _rows(study))
    now = sum(row[path] == labels[reached] for row in _rows(study))
    total, count = 0.0, now
    for step in range(1, len(sizes) - reached):
        count = math.ceil(count / halving.factor)
        total += count * halving.factor**step
    return total / now


def is_searching(record: RunRecord) -> bool:
    """Tell whether a run is a search that has candidates to train or to propose."""
    study = study_from_dict(record.study)
    if study.search is None:
        return False
    if any(trial.status not in ENDED for trial in record.trials):
        return True
    return next_batch(study, record.trials, record.facts[ALL_ROWS]) is not None


@dataclass(frozen=True)
class Batch:
    """A study that has grown by some candidates, and the combinations that are new in it."""

    study: Study
    rows: tuple[Row, ...]


def next_batch(study: Study, trials: Sequence[TrialRecord], all_rows: int) -> Batch | None:
    """Return the study with its next candidates, or None where the search is done.

    Args:
        study: the study with the candidates so far as combinations of levels.
        trials: their trials, all of which have ended.
        all_rows: on how many rows the base experiment trains.
    """
    search = _search_of(study)
    scores = _scores(study, trials)
    if search.halving is None:
        known = [(_candidate(study, row), scores[combination_label(row)]) for row in _rows(study)]
        return _grown(study, propose(search, study.experiment, known), None)
    sizes = rounds(search.halving, study.experiment, all_rows)
    path = size_path(search.halving)
    if not _rows(study):
        return _grown(study, propose(search, study.experiment, ()), Factor(name=path, levels=(sizes[0],)))
    labels = [size.label for size in sizes]
    reached = max(labels.index(row[path]) for row in _rows(study))
    if reached + 1 == len(sizes):
        return None
    of_round = {combination_label(row): row for row in _rows(study) if row[path] == labels[reached]}
    best = survivors({label: scores[label] for label in of_round}, search.halving.factor)
    going_on = [_candidate(study, of_round[label], but=path) for label in best]
    return _grown(study, going_on, Factor(name=path, levels=(sizes[reached + 1],)))


def _scores(study: Study, trials: Sequence[TrialRecord]) -> dict[str, float]:
    metric = _search_of(study).metric
    better = direction(metric, study.experiment.better) if metric else None
    return level_scores(trials, metric, better) if metric and better else {}


def _search_of(study: Study) -> Search:
    if study.search is None:
        raise ValueError("the study has no search")
    return study.search


def _rows(study: Study) -> tuple[Row, ...]:
    """Return the combinations that the study has; none before the first candidates."""
    return () if isinstance(study.combine, str) else study.combine


def _candidate(study: Study, row: Mapping[str, str], but: str = "") -> Candidate:
    """Return the values of a combination by their paths, without what sets the size of a round."""
    return {path: value for path, value in merged_patch(study.vary, row).items() if path != but}


def _grown(study: Study, candidates: Sequence[Candidate], size: Factor | None) -> Batch | None:
    """Add candidates to a study: their values as levels, themselves as combinations."""
    if not candidates:
        return None
    names = [own_path(name) for name in _search_of(study).space]
    levels: dict[str, dict[str, Level]] = {name: {} for name in names}
    for factor in study.vary:
        levels.setdefault(factor.name, {}).update({level.label: level for level in factor.levels})
    rows: list[Row] = []
    for candidate in candidates:
        row = {}
        for name in names:
            level = Level(label=format_label(candidate[name]), patch={name: candidate[name]})
            row[name] = levels[name].setdefault(level.label, level).label
        if size is not None:
            (level,) = size.levels
            row[size.name] = levels.setdefault(size.name, {}).setdefault(level.label, level).label
        rows.append(row)
    factors = tuple(Factor(name=name, levels=tuple(own.values())) for name, own in levels.items())
    update = {"vary": factors, "combine": (*_rows(study), *rows)}
    return Batch(study.model_copy(update=update), tuple(rows))


@dataclass(frozen=True)
class Searching:
    """Goes on with the search of a run: asked whenever all of its trials have ended (`undertaking.More`)."""

    run: str
    datasets: Mapping[str, Dataset]
    """The data of the run by its recorded name; there is one."""
    places: DataPlaces
    crew: Crew
    hello: Hello
    means: Means
    metrics: Sequence[str]
    """Names of the user's own metrics that were given."""
    modules: Sequence[str]
    """Names of the user's own networks that were given."""

    def __call__(self, store: Store) -> Undertaking | None:
        """Propose the next candidates, record them and return their trials; None once the search is done.

        Raises CeterisError where a candidate does not fit the data.
        """
        record = store.load_run(self.run)
        study = study_from_dict(record.study)
        batch = next_batch(study, record.trials, record.facts[ALL_ROWS])
        if batch is None:
            return None
        seeds = tuple(dict.fromkeys(trial.seed for trial in record.trials))
        bound, found = self._bound(batch, seeds)
        trials = plan_trials(found, seeds, self.hello.numerics, study.folds)
        store.add_levels(self.run, study_to_dict(batch.study), [as_entry(trial) for trial in trials])
        self._tell(study, record.trials, batch)
        work = Undertaking(trials, self.datasets, bound.sizes, self.places, bound.modules)
        return replace(work, kept=len(record.trials), ahead=work_ahead(batch.study, record.facts[ALL_ROWS]))

    def _bound(self, batch: Batch, seeds: tuple[int, ...]) -> tuple[Bound, tuple[Combination, ...]]:
        study = batch.study.model_copy(update={"combine": batch.rows, "seeds": seeds})
        data = LoadedData(self.datasets, {})
        experiments = [combination.experiment for combination in combinations(study)]
        wanted = requests(experiments, data.datasets)
        first = self.crew.ready[0]
        inspected, _ = inspect_modules(self.crew, first, wanted, self.means.listener, self.means.stop)
        parsed, initial = (
            ParsedStudy(study, places=_places(study)),
            read_all(experiments, self.means.runs_folder),
        )
        bound, problems = bind(parsed, data, self.metrics, self.modules, inspected, initial)
        refuse(problems)
        hashes, folder = self.hello.module_hashes, self.means.runs_folder
        return bound, tuple(
            replace(c, experiment=with_content(with_sources(c.experiment, hashes), initial, folder))
            for c in bound.combinations
        )

    def _tell(self, study: Study, trials: Sequence[TrialRecord], batch: Batch) -> None:
        search, scores = _search_of(study), _scores(study, trials)
        best = min(scores, key=lambda label: scores[label])
        lower = direction(str(search.metric), study.experiment.better) == "lower"
        value = scores[best] if lower else -scores[best]
        done = len(_rows(study))
        going = f"{len(batch.rows)} more" if search.halving is None else f"{len(batch.rows)} go on"
        total = f" of {planned(search)}" if search.halving is None else ""
        self.means.listener.note(
            f"{done}{total} candidates trained, {going}; "
            f"the best {search.metric} so far is {value:.4g} ({best})"
        )
