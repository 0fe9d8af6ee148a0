"""When a training ends before its epochs are over."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ceteris.spec.base import Number, Spec, Whole


class EarlyStopping(Spec):
    """A trial ends once a validation metric has stopped improving; its network is that of the best epoch.

    Every trial stops by itself (Prechelt 1998). Losses and errors improve downwards, accuracies and scores
    upwards, other metrics as the experiment says in `better`. The recorded curves are those of the training
    up to its last epoch; a trial that trains to the end hands out its best epoch too. ``at: best`` in a
    claim takes the curve where the network stands.
    """

    patience: Annotated[Whole | None, Field(ge=1, title="number of epochs")] = None
    """Epochs without improvement after which a trial ends; left out, nothing stops or is restored."""

    metric: Annotated[str, Field(title="validation metric")] = "val_loss"

    min_delta: Annotated[Number, Field(ge=0, title="smallest improvement")] = 0.0
    """By how much the metric has to improve on its best value to count."""
