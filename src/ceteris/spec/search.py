"""A search: settings whose values are proposed, trained on the same rows, and ranked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ceteris.spec.base import Number, Spec, Switch, Whole, wrong
from ceteris.spec.labels import format_label, shown
from ceteris.spec.plain import plain_data

Method = Literal["random", "bayesian", "grid"]
Sampler = Literal["tpe", "gp"]
End = Annotated[Number, Field(title="end of a range")]
WholeEnd = Annotated[Whole, Field(title="end of a range")]
Ends = tuple[End, End]
WholeEnds = tuple[WholeEnd, WholeEnd]
Choice = Annotated[Any, BeforeValidator(plain_data)]

MOST_TRIALS = 1_000
"""Candidates that one search may have."""


class Dimension(Spec):
    """Where one setting is searched: exactly one range, or `choices`. A list alone is short for `choices`."""

    uniform: Annotated[Ends | None, Field(title="range of numbers")] = None
    """`[low, high]`: any number between, all equally likely."""

    log: Annotated[Ends | Switch | None, Field(title="logarithmic range")] = None
    """`[low, high]`, both above 0: every factor of ten is equally likely. `true`: so is `int`."""

    int: Annotated[WholeEnds | None, Field(title="range of whole numbers")] = None
    """`[low, high]`: whole numbers, both ends among them."""

    choices: Annotated[tuple[Choice, ...] | None, Field(title="list of choices")] = None
    """Values of the setting, as a factor's levels are listed in `vary`."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        ranges = {"uniform": self.uniform, "int": self.int, "choices": self.choices}
        given = [name for name, value in ranges.items() if value is not None]
        given += ["log"] if isinstance(self.log, tuple) else []
        if len(given) != 1:
            what = f"{' and '.join(f'`{name}`' for name in given)} are given" if given else "none is given"
            raise wrong(f"a setting is searched in one of `uniform`, `log`, `int` and `choices`; {what}")
        if self.log is True and self.int is None:
            raise wrong("`log: true` goes with `int`; a logarithmic range is `log: [low, high]`", "log")
        return self

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        name = next((n for n in ("uniform", "int") if getattr(self, n) is not None), "log")
        if self.ends is None:
            return self
        low, high = self.ends
        if low >= high:
            turned = f"; did you mean [{shown(high)}, {shown(low)}]?" if low > high else ""
            raise wrong(f"the range from {shown(low)} to {shown(high)} is empty{turned}", name)
        if low <= 0 and self.logarithmic:
            raise wrong(f"a logarithmic range lies above 0, and {shown(low)} does not", name)
        return self

    @field_validator("choices")
    @classmethod
    def _choices_differ(cls, choices: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        labels = [format_label(choice) for choice in choices or ()]
        for label in labels:
            if labels.count(label) > 1:
                raise wrong(f"the choice {label} is listed twice")
        if choices is not None and len(choices) < 2:
            raise wrong("one choice leaves nothing to search; give two or more, or set it in `experiment`")
        return choices

    @property
    def logarithmic(self) -> bool:
        """Whether the range is even on a logarithmic axis."""
        return bool(self.log)

    @property
    def ends(self) -> tuple[float, float] | None:
        """The ends of the range; None for choices."""
        found = self.uniform or self.int or (self.log if isinstance(self.log, tuple) else None)
        return None if found is None else (found[0], found[1])


def _list_only(value: object) -> object:
    """Expand the short form: ``[a, b]`` means ``{choices: [a, b]}``."""
    return {"choices": list(value)} if isinstance(value, list | tuple) else value


class Halving(Spec):
    """Successive halving: every candidate is tried small, and only the best go on to the next round.

    A candidate that goes on is trained anew at the larger size, and a schedule that is spread over the
    epochs is spread over those of its round. Ranked are those that were trained in full.
    Source: Jamieson and Talwalkar 2016 (successive halving), with rounds of growing size.
    """

    factor: Annotated[Whole, Field(ge=2, le=10, title="factor of halving")] = 3
    """One in so many goes on, to a size that is so many times larger."""

    rounds: Annotated[Whole, Field(ge=2, le=6, title="number of rounds")] = 3
    """Rounds at most, the last of which trains in full."""

    by: Annotated[Literal["epochs", "rows"], Field(title="size of a round")] = "epochs"
    """What grows from round to round: epochs, or training rows (the rows that validate stay the same)."""


def _factor_only(value: object) -> object:
    """Expand the short form: ``3`` means ``{factor: 3}``."""
    return {"factor": value} if isinstance(value, int) and not isinstance(value, bool) else value


HalvingSpec = Annotated[Halving | None, BeforeValidator(_factor_only), Field(title="way of halving")]
DimensionSpec = Annotated[Dimension, BeforeValidator(_list_only)]


class Search(Spec):
    """A search for hyper-parameters. Every candidate is trained on the seeds and folds of the study, so all
    of them read the same rows in the same order; the test rows are not touched."""

    space: Annotated[dict[str, DimensionSpec], Field(title="space")]
    """Dotted path of a setting -> where it is searched: `{optimizer.lr: {log: [1e-4, 0.1]}}`. Numbers are
    rounded to three digits before they are trained with."""

    method: Annotated[Method, Field(title="method of search")] = "random"
    """`random`: each candidate drawn by itself; `bayesian`: after a first batch at random, each batch by
    `sampler` from what the earlier ones came to (needs `pip install 'ceteris[search]'`); `grid`: every value
    with every other."""

    sampler: Annotated[Sampler | None, Field(title="sampler")] = None
    """Of a `bayesian` search. `tpe`: a tree-structured Parzen estimator, all settings together, the default;
    `gp`: a Gaussian process with expected improvement, which models numbers better from few candidates and
    takes a second or two for each proposal. Both are Optuna's."""

    trials: Annotated[Whole, Field(ge=2, le=MOST_TRIALS, title="number of candidates")] = 20
    """How many candidates; a grid has as many as its points make. No two are the same experiment, so a
    small space may have fewer."""

    metric: Annotated[str | None, Field(min_length=1, title="validation metric")] = None
    """What ranks the candidates, at the last epoch (at the best one with early stopping). Default:
    `val_accuracy` for classes, `val_loss` for numbers to predict."""

    batch: Annotated[Whole | None, Field(ge=1, le=MOST_TRIALS, title="number of candidates")] = None
    """Candidates that are proposed and trained together. Default: 8 with `bayesian`, else all."""

    points: Annotated[Whole, Field(ge=2, le=100, title="number of points")] = 5
    """Values that a grid takes of every range, evenly spaced on its axis, both ends among them."""

    halving: HalvingSpec = None
    """Successive halving, `3` for short: all candidates on a ninth of the epochs, the best third of them on a
    third, the best third of these in full."""

    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1, title="seed")] = 0
    """Of the proposals; the seeds of training are the study's."""

    @field_validator("space")
    @classmethod
    def _something_is_searched(cls, space: dict[str, Dimension]) -> dict[str, Dimension]:
        if not space:
            raise wrong("the space is empty; name a setting, such as `optimizer.lr: {log: [1e-4, 0.1]}`")
        return space

    @model_validator(mode="after")
    def _sampler_has_its_method(self) -> Self:
        if self.sampler is not None and self.method != "bayesian":
            raise wrong(f"`{self.method}` has no sampler; use `method: bayesian`, or leave it out", "sampler")
        return self

    @property
    def together(self) -> int:
        """How many candidates a batch has at most."""
        if self.batch is not None:
            return self.batch
        return 8 if self.method == "bayesian" else MOST_TRIALS
