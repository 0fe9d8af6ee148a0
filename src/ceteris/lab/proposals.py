"""What a search tries next: candidates drawn at random, laid out on a grid, or proposed from what is known.

Every function here depends on the search and on the candidates so far alone, so that a search which was
stopped goes on with the proposals that it would have made.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.draws import stream_key, uniforms
from ceteris.errors import CeterisError
from ceteris.records.plain_json import canonical_json
from ceteris.spec.experiment import Experiment
from ceteris.spec.patch import apply_patch, own_path
from ceteris.spec.search import Dimension, Sampler, Search
from ceteris.spec.space import ends_of, grid_values, planned, rounded, value_at

if TYPE_CHECKING:
    import optuna

Candidate = dict[str, Any]
"""Dotted path of a setting -> its value: a patch of the experiment."""
Known = Sequence[tuple[Candidate, float]]
"""Candidates that were trained, each with its score: lower is better, infinite for one that was lost."""

PURPOSE = "search"
TRIES = 100
"""Draws per candidate before a space counts as exhausted."""
ASKS = 10
"""Proposals per candidate before those that are missing are drawn at random."""
MISSING = (
    "a bayesian search is made by Optuna, which is not installed: `pip install 'ceteris[search]'`, or use "
    "`method: random`"
)


def propose(search: Search, base: Experiment, known: Known) -> list[Candidate]:
    """Return the next batch; empty once there are as many as were asked for, or the space has no more.

    Raises CeterisError where nothing in the space is a possible experiment, or Optuna is missing.
    """
    count = min(search.together, planned(search) - len(known))
    if count <= 0:
        return []
    fresh = _Fresh(base, [candidate for candidate, _ in known])
    if search.method == "grid":
        return fresh.take(_grid(search), count)
    if search.method == "bayesian" and known:
        found = fresh.take(_estimated(search, known, count), count)
        return found + fresh.take(_drawn(search), count - len(found))
    found = fresh.take(_drawn(search), count)
    if not found and not known:
        raise CeterisError(f"nothing in the search space is a possible experiment: {fresh.refusal}")
    return found


def check_installed(search: Search) -> None:
    """Raise CeterisError in one sentence where what proposes candidates is not installed."""
    if search.method != "bayesian":
        return
    try:
        import optuna  # noqa: F401  # is it there?
    except ImportError:
        raise CeterisError(MISSING) from None


class _Fresh:
    """Lets through candidates that are possible experiments and not those that were there before."""

    def __init__(self, base: Experiment, known: Iterable[Candidate]) -> None:
        self._base = base
        self._tried: set[str] = set()
        self._seen = {self._experiment(candidate) for candidate in known}
        self.refusal = ""
        """Why the last impossible candidate was none."""

    def take(self, candidates: Iterable[Candidate], count: int) -> list[Candidate]:
        """Return the first ``count`` new ones, or as many as there are."""
        return list(itertools.islice(filter(self._is_new, candidates), count))

    def _is_new(self, candidate: Candidate) -> bool:
        text = canonical_json(candidate)
        if text in self._tried:
            return False
        self._tried.add(text)
        try:
            experiment = self._experiment(candidate)
        except CeterisError as error:
            self.refusal = str(error)
            return False
        fresh = experiment not in self._seen
        self._seen.add(experiment)
        return fresh

    def _experiment(self, candidate: Candidate) -> str:
        return apply_patch(self._base, candidate).model_dump_json()


def _drawn(search: Search) -> Iterator[Candidate]:
    """Draw candidates, many more than are wanted; each setting from a stream of its own."""
    keys = {name: stream_key(search.seed, PURPOSE, own_path(name)) for name in search.space}
    rows = planned(search)
    for portion in range(TRIES):
        drawn = {name: uniforms(key, rows, 1, first_row=portion * rows)[:, 0] for name, key in keys.items()}
        for row in range(rows):
            yield {
                own_path(name): value_at(dimension, float(drawn[name][row]))
                for name, dimension in search.space.items()
            }


def _grid(search: Search) -> Iterator[Candidate]:
    paths = [own_path(name) for name in search.space]
    values = [grid_values(dimension, search.points) for dimension in search.space.values()]
    for row in itertools.product(*values):
        yield dict(zip(paths, row, strict=True))


def _estimated(search: Search, known: Known, count: int) -> Iterator[Candidate]:
    """Ask one of Optuna's samplers, all settings together, for one batch.

    A batch spreads out: to the Parzen estimator what waits for its training counts as bad meanwhile (constant
    liar), and a Gaussian process looks for what improves on it too.
    """
    check_installed(search)
    import optuna

    axes = {own_path(name): _Axis(dimension) for name, dimension in search.space.items()}
    distributions = {path: axis.distribution() for path, axis in axes.items()}
    seed = stream_key(search.seed, PURPOSE, f"after {len(known)}").k0
    study = _empty_study(seed, search.sampler or "tpe")
    for candidate, score in known:
        params = {path: axis.inward(candidate[path]) for path, axis in axes.items()}
        trial = optuna.trial.create_trial(params=params, distributions=distributions, value=score)
        study.add_trial(trial)
    for _ in range(ASKS * count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it clips the infinite score of what diverged
            asked = study.ask(distributions).params
        yield {path: axis.outward(asked[path]) for path, axis in axes.items()}


def _empty_study(seed: int, name: Sampler) -> optuna.Study:
    """Return a study in memory that minimises, without a word in the log."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of Optuna 4
            sampler: optuna.samplers.BaseSampler = (
                optuna.samplers.GPSampler(seed=seed, n_startup_trials=1)
                if name == "gp"
                else optuna.samplers.TPESampler(
                    seed=seed, multivariate=True, constant_liar=True, n_startup_trials=1
                )
            )
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(level)


class _Axis:
    """A dimension as Optuna has it: a range, or the places in a list of choices."""

    def __init__(self, dimension: Dimension) -> None:
        self._dimension = dimension
        self._choices = [canonical_json(choice) for choice in dimension.choices or ()]

    def distribution(self) -> optuna.distributions.BaseDistribution:
        """Return what Optuna draws from."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self._choices:
            return CategoricalDistribution(range(len(self._choices)))
        low, high = ends_of(self._dimension)
        if self._dimension.int is not None:
            return IntDistribution(int(low), int(high), log=self._dimension.logarithmic)
        return FloatDistribution(low, high, log=self._dimension.logarithmic)

    def inward(self, value: Any) -> Any:
        """Return a value as Optuna has it."""
        return self._choices.index(canonical_json(value)) if self._choices else value

    def outward(self, value: Any) -> Any:
        """Return what Optuna drew as a value of the setting."""
        if self._dimension.choices is not None:
            return self._dimension.choices[value]
        return value if self._dimension.int is not None else rounded(value, *ends_of(self._dimension))
