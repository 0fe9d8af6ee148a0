"""Which settings leave trials in one stack, and which part a run into cohorts.

Trials that differ only in settings that stack are trained together in one program; what separates costs a
cohort of its own. A training has to be laid out alike to be stacked: the same layers, the same batches, the
same number of steps, the same rows to read from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ceteris.spec.experiment import Experiment
from ceteris.spec.paths import parts, setting_paths

Mark = Literal["stacks", "separates", "by steps"]

SEPARATES = frozenset(
    {
        "data.source",
        "data.checksum",
        "data.target",
        "data.test",
        "data.ids",
        "data.drop",
        "data.parameters",
        "data.resize",
        "data.project",
        "data.content",
        "model.kind",
        "model.bias",
        "model.output",
        "model.hidden",
        "model.activation",
        "model.batch_norm",
        "model.batch_norm_eps",
        "model.batch_norm_eps_place",
        "model.batch_norm_momentum",
        "model.residual",
        "model.layer_norm",
        "model.convolutions",
        "model.kernel",
        "model.pool",
        "model.layers",
        "model.name",
        "model.arguments",
        "model.input",
        "model.source",
        "precision",
        "loss",
        "optimizer.kind",
        "batch_size",
        "last_batch",
        "accumulate",
        "epochs",
        "implementation",
        "metrics",
        "probes.layers",
        "probes.activation_rows",
        "probes.units",
        "probes.gradient_noise",
    }
)
"""Settings that part cohorts."""

BY_STEPS = frozenset({"data.rows", "data.validation", "data.validation_balanced"})
"""Settings that change how many rows train: they separate where an epoch then has more or fewer steps."""

ABOUT = """\
Trials that differ only in settings that stack are trained together as one program (a cohort); so are all
seeds and folds. A setting that separates makes a cohort of its own: the results are the same, the run takes
longer. What parts the cohorts of a run is told when it begins, and stands under `plan` of `--json`. `adam`
and `adamw` are one family and stack."""


def mark(path: str) -> Mark:
    """Tell whether levels of a setting, by its dotted path below ``experiment``, are trained in one stack."""
    return "separates" if path in SEPARATES else "by steps" if path in BY_STEPS else "stacks"


def leaves() -> tuple[str, ...]:
    """Return the paths of all settings that are values, not parts with settings of their own."""
    known = setting_paths(Experiment)
    return tuple(path for path in known if not any(other.startswith(f"{path}.") for other in known))


def stacking_table() -> str:
    """Return the settings that stack and that separate, part by part, as a Markdown table."""
    head = [
        "| part | stack | separate | separate where an epoch has other steps |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *_rows()])


def _rows() -> Iterator[str]:
    inner = [
        name
        for name in parts(Experiment)
        if name in {path.partition(".")[0] for path in leaves() if "." in path}
    ]
    for part in ("", *inner):
        own = [path for path in leaves() if (path.partition(".")[0] if "." in path else "") == part]
        cells = [
            ", ".join(f"`{path.removeprefix(f'{part}.')}`" for path in own if mark(path) == chosen)
            for chosen in ("stacks", "separates", "by steps")
        ]
        yield f"| {f'`{part}`' if part else '`experiment`'} | {' | '.join(cells)} |"
