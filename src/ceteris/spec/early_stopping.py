"""When a training ends before its epochs are over."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ceteris.spec.base import Number, Spec, Whole


class EarlyStopping(Spec):
    """A trial ends once a metric has stopped improving, has reached a target, or hardly changes any more.

    Every trial stops by itself, at the end of the first epoch at which one of the given rules says so
    (`patience`: Prechelt 1998). Losses and errors improve downwards, accuracies and scores upwards, other
    metrics as the experiment says in `better`. The recorded curves are those of the training up to its last
    epoch. With `patience` the network is that of the best epoch, also where a trial trains to the end, and
    ``at: best`` in a claim takes the curve where the network stands; with the other rules alone it is that of
    the last.
    """

    patience: Annotated[Whole | None, Field(ge=1, title="number of epochs")] = None
    """Epochs without improvement after which a trial ends, and its best epoch is restored; left out, nothing
    is restored."""

    metric: Annotated[str, Field(title="recorded metric")] = "val_loss"
    """What is watched, on the validation rows (`val_loss`, `val_accuracy`, a metric of your own) or on the
    training rows (`train_loss`, ...), both in evaluation mode."""

    min_delta: Annotated[Number, Field(ge=0, title="smallest improvement")] = 0.0
    """By how much the metric has to improve on its best value to count for `patience`."""

    target: Annotated[Number | None, Field(title="target")] = None
    """The value of the metric that is good enough: a trial ends with the first epoch that reaches it."""

    min_change: Annotated[Number | None, Field(gt=0, title="smallest change")] = None
    """A trial ends with the first epoch whose metric is nearer than this to that of the epoch before."""

    @property
    def acts(self) -> bool:
        """Whether any rule is given."""
        return (self.patience, self.target, self.min_change) != (None, None, None)
