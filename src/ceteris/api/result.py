"""What a run came to: verdicts, tables, curves, and what its networks are used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.trial import Trial
from ceteris.errors import CeterisError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from ceteris.api.ensembles import Ensemble
    from ceteris.api.export.export import Exported
    from ceteris.api.final_test import FinalTest
    from ceteris.api.initial import Functions
    from ceteris.api.landscape_views import Landscape
    from ceteris.api.metrics import Metrics
    from ceteris.api.own_code import OwnCode
    from ceteris.api.own_modules import Factory, OwnModel
    from ceteris.api.predict import Members, Predictions
    from ceteris.evidence.assessment import Assessment, Verdict
    from ceteris.evidence.searched import SearchSummary
    from ceteris.evidence.summaries import LevelEvidence
    from ceteris.records.views import RunRecord


@dataclass(frozen=True, repr=False)
class Result:
    """A run with its verdicts. It prints as a table and the claims in words."""

    run: RunRecord
    assessment: Assessment = field(compare=False)

    @property
    def id(self) -> str:
        """The run's name, as ``ceteris show`` and ``ceteris.load_run`` take it."""
        return self.run.id

    @property
    def status(self) -> str:
        """``finished``, ``stopped`` or ``running``."""
        return self.run.status

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One per claim: text, verdict, effect, low, high, p, seeds_needed, explanation."""
        return self.assessment.verdicts

    @property
    def claims(self) -> tuple[Verdict, ...]:
        """The same as ``verdicts``."""
        return self.assessment.verdicts

    @property
    def levels(self) -> tuple[LevelEvidence, ...]:
        """What each level came to: means with intervals, best epochs, curves with bands."""
        return self.assessment.levels

    @property
    def search(self) -> SearchSummary | None:
        """What a search found: candidates, the best, and by how much its score flatters it; else None."""
        return self.assessment.search

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """All trials."""
        return tuple(Trial(trial, self.run) for trial in self.run.trials)

    def trial(self, level: object, seed: int = 0, fold: int = 0) -> Trial:
        """Return the trial of a level (its label or value, or one of ``levels``) with a seed.

        Raises ``CeterisError`` with what there is where there is none.
        """
        from ceteris.api.choice import level_label

        label = level_label(level)
        matching = [trial for trial in self.trials if trial.level == label]
        if not matching:
            known = list(dict.fromkeys(trial.level for trial in self.trials))
            raise CeterisError(unknown_name("level", label, known))
        for trial in matching:
            if (trial.seed, trial.fold) == (seed, fold):
                return trial
        seeds = ", ".join(dict.fromkeys(str(trial.seed) for trial in matching))
        raise CeterisError(f"level `{label}` has no trial with seed {seed}, fold {fold} (seeds: {seeds})")

    def best(self, metric: str | None = None) -> Trial:
        """Return the finished trial with the best value of a metric at the end of training.

        Without ``metric``: validation accuracy, or validation loss for numbers. Being chosen for it,
        its value flatters it; what a level came to stands in ``levels``. Raises ``CeterisError``
        where no trial finished or none has the metric.
        """
        from ceteris.api.output import promised_metrics
        from ceteris.spec.metrics import direction, unknown_direction

        wanted = metric or ("val_accuracy" if "val_accuracy" in promised_metrics(self.run) else "val_loss")
        finished = [trial for trial in self.trials if trial.metrics]
        if not finished:
            raise CeterisError(f"no trial of run {self.id} has finished")
        known = [trial for trial in finished if wanted in trial.metrics]
        if not known:
            raise CeterisError(unknown_name("metric", wanted, list(finished[0].metrics)))
        better = direction(wanted, self.run.study.get("experiment", {}).get("better"))
        if better is None:
            raise CeterisError(unknown_direction(wanted))
        sign = 1 if better == "lower" else -1
        return min(known, key=lambda trial: sign * trial.metrics[wanted])

    def table(self) -> pd.DataFrame:
        """Return one row per level: trials, and per metric mean, ``_low``, ``_high``, ``_best``."""
        from ceteris.api.frames import level_frame

        return level_frame(self.assessment)

    def curves(self, *metrics: str) -> pd.DataFrame:
        """Return curves, long: level, seed, fold, epoch (from 1), metric, value; of all metrics unless named.

        Raises ``CeterisError`` for a metric that was not recorded.
        """
        from ceteris.api.frames import curve_frame

        return curve_frame(self.run, metrics)

    def histograms(self) -> pd.DataFrame:
        """Return all histograms, long: level, seed, fold, epoch, kind, name, low, high, count.

        Epoch 0 is before training; ``kind`` is ``parameter`` or ``activation``. Numbers that are
        not finite are a row without ``low`` and ``high``.
        """
        from ceteris.api.probed import histogram_frame

        return histogram_frame(self.run)

    def grid(self) -> pd.DataFrame:
        """Return all fitted curves, long: level, seed, fold, epoch (0: before training), x, output, y."""
        from ceteris.api.probed import grid_frame

        return grid_frame(self.run)

    def confusion(self) -> pd.DataFrame:
        """Return all confusion counts, long: level, seed, fold, epoch, true, predicted, count."""
        from ceteris.api.probed import confusion_frame

        return confusion_frame(self.run)

    def test(
        self,
        metric: str | None = None,
        *,
        level: object = None,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
        metrics: Metrics | None = None,
    ) -> FinalTest:
        """Read the test rows and return what every level comes to on them, the chosen one marked.

        A level is chosen by ``metric`` on the validation rows (accuracy for classes, else loss); the test
        rows only judge, and every reading is counted. With ``level``, named beforehand, only that one is
        read and judged; the only level of a run without validation rows needs no name. ``model`` and
        ``metrics`` give again what is code of your own. Raises ``CeterisError`` where there are no test
        rows, nothing finished, or nothing chooses.
        """
        from ceteris.api.final_test import run_final_test

        own = self._code(metrics).metrics
        return run_final_test(
            self.run, metric=metric, level=level, data_dir=data_dir, model=model, metrics=own
        )

    def refit(
        self,
        level: object = None,
        *,
        metric: str | None = None,
        seeds: int = 1,
        model: OwnModel | None = None,
        metrics: Metrics | None = None,
        initial: Functions | None = None,
        data_dir: str | Path | None = None,
        progress: bool = True,
    ) -> Result:
        """Train one level again on all training rows, as networks for use, and return that run.

        Without ``level``, the one that ``metric`` on the validation rows chooses (accuracy for classes,
        else loss). ``model``, ``metrics`` and ``initial`` give again what is code of your own and was not
        given in this Python process. Nothing validates a refit: what it is worth, the run that chose it
        says. Raises ``CeterisError`` for an unknown level, or one whose schedule watches the validation
        rows.
        """
        from ceteris.api.initial import named_functions
        from ceteris.api.own_modules import named_modules
        from ceteris.api.refit import refit_study
        from ceteris.api.runs import run

        code = self._code(metrics, {**named_modules(model), **named_functions(initial)})
        return run(
            refit_study(self.run, level, metric, seeds),
            model=code.modules,
            metrics=code.metrics,
            runs_dir=self.run.folder.parent,
            data_dir=data_dir or self.run.facts.get("data_folder"),
            progress=progress,
        )

    def ensemble(
        self,
        level: object = None,
        *,
        metric: str | None = None,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
        metrics: Metrics | None = None,
    ) -> Ensemble:
        """Return what the average of a level's networks over seeds comes to on the validation rows.

        For that, all seeds have to validate on the same rows: `data.split: fixed`, without folds.
        Probabilities are averaged, or numbers; of linear networks that is the network with the averaged
        parameters. `ceteris test` judges the average of every run by the test rows. Without ``level``, the
        one that ``metric`` on the validation rows chooses. Raises ``CeterisError`` where seeds validate on
        rows of their own.
        """
        from ceteris.api.ensembles import run_ensemble

        own = self._code(metrics).metrics
        return run_ensemble(self.run, level, metric=metric, data_dir=data_dir, model=model, metrics=own)

    def predict(
        self,
        x: Any = "test",
        level: object = None,
        *,
        members: Members = "ensemble",
        metric: str | None = None,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
    ) -> Predictions:
        """Return what the networks of one level predict for rows, averaged over its seeds and folds.

        ``x`` is (rows, ...) of the data's kind, a pandas frame for a table, the path of a file with either,
        a list of paths of images or the path of a folder of them, or ``"test"``: the rows that the data
        brings along. Each network gets them prepared as its own
        training rows were. Without ``level``, the one that ``metric`` on the validation rows chooses;
        ``members="best"`` takes the one network that validated best. ``predictions.values`` are numbers in
        the units of the targets, or probabilities of ``classes``; ``.notes`` tell what else is to be known;
        ``.write(path)`` makes a CSV file. Raises ``CeterisError`` for rows that do not fit.
        """
        from ceteris.api.predict import run_predict

        return run_predict(
            self.run, x, level=level, members=members, metric=metric, data_dir=data_dir, model=model
        )

    def export(
        self,
        path: str | Path | None = None,
        format: str | None = None,
        *,
        level: object = None,
        seed: int | None = None,
        fold: int | None = None,
        metric: str | None = None,
        data_dir: str | Path | None = None,
        model: OwnModel | None = None,
    ) -> Exported:
        """Write one trained network as a program to deploy: see ``Trial.export``.

        It is the named trial; without ``level`` one of the level that ``metric`` on the validation rows
        chooses, and without ``seed`` or ``fold`` the one that validated best of it.
        """
        from ceteris.api.choice import trial_to_use
        from ceteris.api.export.export import export_trial

        trial = trial_to_use(self.run, level, seed, fold, metric)
        return export_trial(self.run, trial, path, format, data_dir=data_dir, model=model)

    def landscape(self, level: object = None, weights: Sequence[str] | None = None, **more: Any) -> Landscape:
        """Compute the loss around the trained weights, for the next ``report``; ``.flatness`` says how flat.

        Over two random directions, or along two weights, ``["head.weight[0,0]", "head.weight[0,1]"]``.
        ``more`` is what ``ceteris.api.landscape.run_landscape`` takes besides: ``radius``, ``points``,
        ``seed``, ``data_dir``, ``model``. Raises ``CeterisError`` where nothing finished or data is gone.
        """
        from inspect import signature

        from ceteris.api.landscape import run_landscape

        known = [name for name in signature(run_landscape).parameters if name != "run"]
        if wrong := [name for name in more if name not in known]:
            raise CeterisError(unknown_name("option of a landscape", wrong[0], known))
        return run_landscape(self.run, level=level, weights=weights, **more)

    def _code(self, metrics: Metrics | None, modules: Mapping[str, Factory] | None = None) -> OwnCode:
        """Return code of the user's own: what is given now, and what the run was given in this process."""
        from ceteris.api.metrics import named_metrics
        from ceteris.api.own_code import OwnCode, recalled

        return recalled(self.run.folder).under(OwnCode(named_metrics(metrics), modules or {}))

    def report(self, path: str | Path | None = None) -> Path:
        """Write the HTML report of what is on record now, beside the records or to ``path``.

        A final assessment since then is in it. Returns where it is.
        """
        from ceteris.api.reports import write
        from ceteris.api.runs import load_run

        now = load_run(self)
        return write(now.run, now.assessment, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``ceteris run --json`` prints."""
        from ceteris.api.output import run_object
        from ceteris.api.reports import report_of

        return run_object(self.run, self.assessment, report_of(self.run))

    def __repr__(self) -> str:
        from ceteris.api.text import as_text

        return as_text(self.run, self.assessment)

    def _repr_html_(self) -> str:
        from ceteris.api.reports import fragment

        return fragment(self.run, self.assessment)
