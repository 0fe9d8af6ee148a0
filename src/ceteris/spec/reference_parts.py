"""The parts of the settings' reference: their order, a word on each, and examples from studies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from ceteris.spec.augment import Augment
from ceteris.spec.claim import Claim, Equal, Interaction, Within
from ceteris.spec.clip import Clip
from ceteris.spec.data import DataSpec
from ceteris.spec.early_stopping import EarlyStopping
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.init import InitSpec
from ceteris.spec.layers import LayerSpec
from ceteris.spec.model import ModelSpec
from ceteris.spec.optimizer import GroupSettings, OptimizerSpec
from ceteris.spec.paths import members
from ceteris.spec.penalty import PenaltySpec
from ceteris.spec.probing import Grid, Probes, Sharpness
from ceteris.spec.reference_tables import LOSSES, METRICS, SOURCES, TAKES
from ceteris.spec.schedule import ScheduleSpec
from ceteris.spec.search import Dimension, Halving, Search
from ceteris.spec.study import Factor, Level, Quick, Study
from ceteris.spec.synthetic import SYNTHETIC


@dataclass(frozen=True)
class Part:
    """A section: what it is about, the classes whose settings it lists, and examples in YAML."""

    title: str
    about: str
    classes: tuple[type[BaseModel], ...] = ()
    examples: tuple[str, ...] = ()
    depth: int = 2


STUDY = Part(
    "Study",
    "The file as a whole. Only `experiment` is required; a study without `vary` trains one level.",
    (Study,),
    (
        """\
title: Which learning rate?
experiment: {data: digits, model: {kind: mlp, hidden: [32]}, epochs: 20}
vary: {optimizer.lr: [0.1, 0.01]}
seeds: 5
claims:
  - {text: The larger rate ends with a lower loss., metric: val_loss, less: [0.1, 0.01]}
""",
    ),
)
EXPERIMENT = Part(
    "experiment",
    "One training run except its seed. Its parts follow below; each may be given as a mapping, and where it "
    "has kinds, also by the name of the kind alone (`optimizer: adam`).",
    (Experiment,),
    (
        """\
experiment:
  data: digits
  model: {kind: mlp, hidden: [64, 32], dropout: 0.25}
  optimizer: {kind: adam, lr: 0.01}
  batch_size: 32
  epochs: 20
""",
    ),
)
DATA = Part(
    "experiment.data",
    SOURCES,
    (DataSpec,),
    ("experiment:\n  data: {source: digits, scale: standardize, rows: 300, label_noise: 0.2}\n",),
    3,
)
SYNTHETIC_DATA = Part(
    "synthetic data",
    "Sources that are drawn from a formula, with their `parameters`. The truth behind the rows stands in the "
    "facts of the data. A linear network on unscaled inputs (`scale: none`) records how far its coefficients "
    "are from the truth as `weight_error` and `bias_error`. The rows are drawn by the data's own seed, once "
    "for all seeds of trials, which part them anew. That every seed may take rows of its own, draw many and "
    "use few: "
    "`data: {source: high-dimensional, parameters: {n: 10000}, rows: 20, validation: 100}`.",
    tuple(SYNTHETIC.values()),
    ("experiment:\n  data: {source: polynomial, parameters: {features: 20, n: 100}, scale: none}\n",),
    4,
)
AUGMENT = Part(
    "experiment.data.augment",
    "Off unless one of the settings is given.",
    (Augment,),
    ("experiment:\n  data: {source: digits, augment: {shift: 1, rotate: 10}}\n",),
    4,
)
MODEL = Part(
    "experiment.model",
    "The output layer is not listed in `hidden`: it has one output per class, or per number to predict.",
    members(ModelSpec),
    ("experiment:\n  model: {kind: mlp, hidden: [128, 64], activation: tanh, dropout: [0.5, 0.2]}\n",),
    3,
)
LAYERS = Part(
    "experiment.model.layers",
    "The layers of a `sequential` network. A layer is its kind alone (`relu`, `batch_norm`, `flatten`), its "
    "kind with its main setting (`{linear: 64}`, `{conv: 16}`, `{dropout: 0.2}`, `{max_pool: 2}`), or a "
    "mapping (`{conv: {channels: 16, stride: 2}, name: stem}`). A path leads into one, counted from 0: "
    "`--vary model.layers.2.p=0.1,0.5`. Sums and ties are checked against the data: "
    "what goes into `residual` and what comes out have one shape, and so has what a tied layer reads.",
    members(LayerSpec),
    (
        """\
experiment:
  data: digits
  model:
    kind: sequential
    layers:
      - {conv: 8}
      - relu
      - residual: [{conv: 8}, batch_norm, relu]
      - {max_pool: 2}
      - flatten
      - {linear: 32, name: first}
      - tanh
      - block: [{linear: 32, name: shared}, relu, {use: shared}, {dropout: 0.2}]
        name: middle
""",
    ),
    4,
)
INIT = Part(
    "experiment.model.init",
    "How weights start.",
    members(InitSpec),
    (
        "experiment:\n  model: {kind: mlp, hidden: [32], init: {kind: normal, std: 0.1}}\n",
        "experiment:\n  model: {kind: mlp, hidden: [32], init: {from: net.safetensors, only: [hidden]}}\n",
    ),
    4,
)
LOSS = Part("experiment.loss", LOSSES, depth=3)
OPTIMIZER = Part(
    "experiment.optimizer",
    "Names, defaults and meanings are PyTorch's. `biases` and `norms` set a rate and a decay of their own.",
    (*members(OptimizerSpec), GroupSettings),
    ("experiment:\n  optimizer: {kind: sgd, lr: 0.1, momentum: 0.9, biases: {weight_decay: 0}}\n",),
    3,
)
SCHEDULE = Part(
    "experiment.schedule",
    "How the learning rate changes while training. Every kind may begin with a `warmup`.",
    members(ScheduleSpec),
    ("experiment:\n  schedule: {kind: cosine, warmup: 2}\n",),
    3,
)
PENALTY = Part(
    "experiment.penalty",
    "Terms added to the loss that is trained on. A list adds several up.",
    members(PenaltySpec),
    ("experiment:\n  penalty: {kind: l2, weight: 0.001}\n",),
    3,
)
CLIP = Part("experiment.clip", "Limits on the gradient.", (Clip,), ("experiment:\n  clip: {norm: 1.0}\n",), 3)
STOPPING = Part(
    "experiment.early_stopping",
    "Off unless `patience`, `target` or `min_change` is given.",
    (EarlyStopping,),
    (
        "experiment:\n  early_stopping: {patience: 5, metric: val_loss}\n",
        "experiment:\n  early_stopping: {metric: train_loss, target: 0.05, min_change: 1e-6}\n",
    ),
    3,
)
PROBES = Part(
    "experiment.probes",
    "Curves (`layers`, `gradient_noise`, `sharpness`) are on record as metrics, for claims too; what else is "
    "measured at chosen epochs as arrays, which `result.histograms()`, `result.grid()` and "
    "`result.confusion()` read in Python.",
    (Probes, Grid, Sharpness),
    ("experiment:\n  probes: {histograms: [0, 1, 10], confusion: last, sharpness: {epochs: last}}\n",),
    3,
)
VARY = Part(
    "vary and combine",
    "`vary` maps each factor to its levels. A factor is the dotted path of a setting with a list of values, "
    "or a name of your own with labelled levels, each a mapping of paths to values (`{}`: the base itself). "
    "On the command line: `--vary optimizer.lr=0.1,0.01`, and `--set optimizer.lr=0.1` for a setting of the "
    "base.\n\nSeveral factors are crossed: every level of one with every level of the others. `combine: zip` "
    "pairs them level by level, and a list of mappings names the combinations one by one.\n\nRecords write "
    "`vary` in full, as a list of factors; the tables below are about that form.",
    (Factor, Level),
    (
        "vary:\n  optimizer.lr: [0.1, 0.01]\n  batch_size: [32, 64]\n",
        """\
vary:
  regularisation:
    none: {}
    dropout: {model.dropout: 0.25, epochs: 40}
""",
        "vary:\n  optimizer.lr: [0.1, 0.01]\n  batch_size: [32, 64]\ncombine: zip\n",
        """\
vary:
  optimizer.lr: [0.1, 0.01]
  batch_size: [32, 64]
combine:
  - {optimizer.lr: 0.1, batch_size: 32}
  - {optimizer.lr: 0.01, batch_size: 32}
  - {optimizer.lr: 0.01, batch_size: 64}
""",
    ),
)
SEARCH = Part(
    "search",
    "Instead of `vary`: candidates are proposed from a `space`, trained on the same seeds and folds, and "
    "ranked by a validation metric. `ceteris search STUDY` (or `ceteris run`) runs it. Its candidates become "
    "combinations of levels, so everything that shows a run shows a search. A candidate that diverges in one "
    "trial counts as worst. The more candidates are tried, the more the best score flatters its candidate; "
    "the result says by how much.",
    (Search, Dimension, Halving),
    (
        """\
experiment: {data: digits, model: {kind: mlp, hidden: [32]}, epochs: 20}
search:
  method: random
  trials: 30
  space:
    optimizer.lr: {log: [1e-4, 0.1]}
    model.dropout: {uniform: [0, 0.5]}
    batch_size: {int: [16, 256], log: true}
    model.hidden: [[32], [64], [32, 32]]
seeds: 3
""",
        """\
search: {halving: 3, trials: 27, space: {optimizer.lr: {log: [1e-4, 0.1]}}}
""",
    ),
)
FOLDS = Part(
    "folds",
    "Cross-validation instead of one validation split.",
    (Folds,),
    ("folds: {k: 5, kind: stratified}\n",),
)
QUICK = Part(
    "quick",
    "What `--quick` makes of the study, where its point needs more than 3 epochs or bears fewer rows.",
    (Quick,),
    ("quick: {epochs: 12, rows: 2000}\n",),
)
CLAIMS = Part(
    "claims",
    "A claim takes one number from each trial (`metric`, `at`), compares levels of one factor, and has "
    "exactly one relation: `order`, `greater`, `less`, `differ`, `equal`, `within` or `interaction`. Levels "
    "are named by their labels or values. What spans orders of magnitude (variances, norms) is judged with "
    "`scale: log`.\n\n"
    "With several factors, `factor` says whose levels are compared, and `where` holds others at a level. "
    "Over the rest the numbers are averaged, and the claim is looked at within each of their levels too: "
    "where its effect is shown to differ between them (paired t tests, Holm, at 5%), the average is no "
    f"verdict, unless `over: average` says so.\n\n{TAKES}",
    (Claim, Equal, Within, Interaction),
    (
        """\
vary:
  optimizer.lr: [0.1, 0.01, 0.001]
claims:
  - text: The loss rises as the rate falls.
    metric: val_loss
    order: [0.1, 0.01, 0.001]
  - text: The best epoch of 0.1 is better than that of 0.001.
    metric: val_accuracy
    at: best
    greater: [0.1, 0.001]
  - text: With 0.1 an accuracy of 0.8 is reached sooner.
    metric: val_accuracy
    at: epochs_until
    reach: 0.8
    less: [0.1, 0.001]
  - text: With 0.1 the loss falls at every epoch.
    metric: val_loss
    at: largest_change
    within: {levels: [0.1], high: 0}
  - text: With 0.1 the loss still falls in the second half.
    metric: val_loss
    at: change
    between: [5, 10]
    within: {levels: [0.1], high: 0}
  - text: The two larger rates end within a hundredth of each other.
    metric: val_accuracy
    equal: {levels: [0.1, 0.01], margin: 0.01}
  - text: The smallest rate ends more than ten points below the largest.
    metric: val_accuracy
    less: [0.001, 0.1]
    by: 0.1
  - text: The rate of 0.1 ends above 0.9.
    metric: val_accuracy
    within: {levels: [0.1], low: 0.9}
  - text: With 0.1 the gradient ends with a smaller norm than with 0.001.
    metric: grad_norm
    scale: log
    less: [0.1, 0.001]
""",
        """\
vary:
  optimizer.lr: [0.1, 0.01]
  batch_size: [32, 64]
claims:
  - text: With batches of 32 the larger rate ends lower.
    metric: val_loss
    factor: optimizer.lr
    where: {batch_size: 32}
    less: [0.1, 0.01]
  - text: What the rate does depends on the batch size.
    metric: val_loss
    interaction: {factors: {optimizer.lr: [0.1, 0.01], batch_size: [32, 64]}, sign: any}
""",
    ),
)
METRIC = Part("metrics", METRICS)

PARTS = (
    STUDY,
    VARY,
    SEARCH,
    FOLDS,
    QUICK,
    CLAIMS,
    METRIC,
    EXPERIMENT,
    DATA,
    AUGMENT,
    SYNTHETIC_DATA,
    MODEL,
    LAYERS,
    INIT,
    LOSS,
    OPTIMIZER,
    SCHEDULE,
    PENALTY,
    CLIP,
    STOPPING,
    PROBES,
)
"""In the order of the reference."""


def part_of(owner: type[BaseModel]) -> Part | None:
    """Return the part that lists the settings of a class."""
    return next((part for part in PARTS if owner in part.classes), None)


def reachable(owner: type[BaseModel] = Study) -> Iterator[type[BaseModel]]:
    """Yield every class whose settings a file may hold, the owner first; some more than once."""
    yield owner
    for field in owner.model_fields.values():
        for member in members(field.annotation):
            yield from reachable(member)
