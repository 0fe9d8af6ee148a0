"""Tables of the settings' reference: sources of rows, losses, and what a claim may be about."""

from __future__ import annotations

from collections.abc import Sequence


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


_SOURCES = (
    ("a name: `digits`, `wine`, `fashion-mnist`, ...", "Those of `ceteris data list`."),
    (
        "an `.npz` file",
        "The arrays `x` and `y` (and `x_test`, `y_test`). Whole numbers or text in `y` are classes, floats "
        "are numbers to predict.",
    ),
    (
        "a folder with `x.npy` and `y.npy`",
        "The same, read piece by piece: `x` need not fit into memory.",
    ),
    (
        "a table: `.csv`, `.tsv` or `.parquet`",
        "With a `target`: `{source: houses.csv, target: price, ids: [house]}`, and `test: more-houses.csv` "
        "for test rows.",
    ),
    (
        "a folder of images (PNG, JPEG)",
        "A subfolder for each class, all of them in `train` and `test` or not.",
    ),
    (
        "an address: `https://...`",
        "Of such a file, or of a zip or tar archive, downloaded once and kept. A file inside the archive is "
        "named behind a `#`: `https://example.org/houses.zip#train.csv`.",
    ),
)
_LOSSES = (
    ("`cross_entropy`", "classes", "of logits"),
    ("`nll`", "classes", "of log-probabilities: `model.output: log_softmax`"),
    ("`binary_cross_entropy`", "two classes, one output", "of a logit z"),
    (
        "`binary_cross_entropy_probabilities`",
        "two classes, one output",
        "of a probability: `model.output: sigmoid`",
    ),
    ("`hinge`", "two classes, one output", "max(0, 1 - t z) with t = -1 or 1"),
    ("`perceptron`", "two classes, one output", "max(0, -t z), whose step at t z <= 0 is the perceptron's"),
    (
        "`mse`",
        "numbers, classes",
        "squared error; with classes the outputs are compared with one-hot targets",
    ),
    ("`mse_half`", "numbers, classes", "half of `mse`"),
    ("`l1`", "numbers", "absolute error"),
    ("`smooth_l1`, `huber`", "numbers", "a parabola near 0 and lines outside, which meet at `loss_beta`"),
)
_TAKES = (
    ("`first`, `last`", "the first or the last epoch"),
    (
        "`best`",
        "the best epoch: lowest for losses, errors and gaps, highest for accuracies and scores, else as the "
        "experiment says in `better`",
    ),
    ("`change`", "the last epoch minus the first"),
    (
        "`largest_change`, `smallest_change`",
        "of the changes from one epoch to the next, with their sign: every epoch lowers the metric where the "
        "largest is below 0, and raises it where the smallest is above 0",
    ),
    ("`fluctuation`", "the standard deviation of the differences between adjacent epochs"),
    ("`epochs_until`", "the epochs until the metric reaches `reach`"),
)
_METRICS = (
    (
        "`train_loss`, `val_loss`",
        "The plain data loss, without penalty, smoothing and class weights, in evaluation mode at the end of "
        "an epoch.",
    ),
    (
        "`train_accuracy`, `val_accuracy`",
        "The share of right answers, measured like these; of classes only.",
    ),
    (
        "`train_loss_running`, `train_accuracy_running`",
        "Means over the rows of an epoch as they were trained on, the loss without the penalty.",
    ),
    (
        "`train_<name>`, `val_<name>`",
        "A metric of `experiment.metrics`: one of your own, or `rmse` or `log_rmse`.",
    ),
    (
        "`gap_loss`, `gap_accuracy`",
        "Validation minus training loss, training minus validation accuracy, with their sign.",
    ),
    (
        "`gap_size_loss`, `gap_size_accuracy`",
        "How far apart the two are, whichever is larger.",
    ),
    (
        "`lr`",
        "The learning rate of the weights at the epoch's last step.",
    ),
    (
        "`penalty`",
        "The value of the penalty, of trials that have one.",
    ),
    (
        "`weight_norm`, `weight_norm/<parameter>`",
        "The norm of all parameters, or of one.",
    ),
    (
        "`grad_norm`, `grad_norm/<parameter>`",
        "The norm of a step's gradient, penalties included and before clipping.",
    ),
    (
        "`update_ratio/<parameter>`",
        "The size of a step over the size of the parameter.",
    ),
    (
        "`std/<parameter>`",
        "The standard deviation of a parameter's numbers.",
    ),
    (
        "`activation_mean/<layer>`, `activation_var/<layer>`",
        "Mean and variance of a hidden layer's activations, in evaluation mode on up to 256 rows "
        "(`probes.activation_rows`).",
    ),
    (
        "`zeros/<layer>`, `dead/<layer>`",
        "There, the share of exact zeros, and that of units none of whose activations is further from 0 than "
        "1e-5.",
    ),
    (
        "`activation_grad_var/<layer>`",
        "The variance of the gradient at a hidden layer's activations, in training.",
    ),
    (
        "`start_activation_var/<layer>`, `start_activation_grad_var/<layer>`",
        "Variances of activations and of the gradient at them, of the very first batch.",
    ),
    (
        "`sharpness`",
        "Where `probes.sharpness` asks for it: by how much small random changes of the weights raise the "
        "loss.",
    ),
    (
        "`gradient_noise`, `gradient_noise/<parameter>`",
        "Where `probes` ask for it: the variance of a step's gradient.",
    ),
    (
        "`std_over_outputs/<parameter>`, `std_over_inputs/<parameter>`",
        "Where `probes.units` asks for them: 0 where all units have the same weights into them, or out of "
        "them.",
    ),
    (
        "`weight_error`, `bias_error`",
        "The largest distance of a coefficient from the truth, of linear networks on unscaled synthetic "
        "data.",
    ),
    (
        "`epochs`",
        "How many were trained: one number of a trial, as the two below.",
    ),
    (
        "`diverged`",
        "1 or 0; its mean is the share of trials that diverged.",
    ),
    (
        "`seconds_per_epoch`",
        "A trial's share of the time of the trials that were trained with it.",
    ),
)

SOURCES = f"""\
`source` says where the rows come from. Most kinds may bring test rows.

{_table(("source", "rows"), _SOURCES)}

A table is read like this:

- Text, true/false and whole numbers of few values in the `target` are classes, other numbers are numbers to
  predict.
- Columns of numbers are scaled, then missing ones become 0. Any other column becomes one feature (0 or 1) for
  each category and one for missing. A fold whose training rows lack a category has no feature for it.
- Only `NA` and nothing at all mean missing.
- Where the header of a text file has no commas, fields may be separated by `;`, tabs or `|`, and decimals
  have a comma if the first rows show it."""

TAKES = f"""\
{_table(("`at`", "which number of a metric's curve"), _TAKES)}"""

LOSSES = f"""\
`auto` is cross-entropy for classes and mean-squared error for numbers to predict. Names and meanings are
torch's where it has them; the mean is over rows and outputs.

{_table(("loss", "for", "what it is"), _LOSSES)}"""

METRICS = f"""\
What is on record of a trial, and what a claim may be about. Metrics of single parameters and layers have the
name behind a stroke: `std/head.weight`, `dead/hidden.0`. Those of gradients and updates are means over the
measured steps of an epoch, which are the first, the eleventh and so on.

{_table(("metric", "what it is"), _METRICS)}"""
