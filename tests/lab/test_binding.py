from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ceteris.data.dataset import Dataset
from ceteris.data.table_layout import Column, Layout
from ceteris.data.user_arrays import arrays
from ceteris.errors import Problem
from ceteris.lab.binding import bind
from ceteris.lab.datasets import load_sources
from ceteris.spec.combine import combinations
from ceteris.spec.parse import ParsedStudy, parse_study
from tests.lab.made import small_study

RNG = np.random.default_rng(0)
NUMBERS = arrays(RNG.normal(size=(50, 3)), RNG.normal(size=50), name="arrays")
CLASSES = arrays(RNG.normal(size=(51, 3)), np.arange(51) % 3, name="arrays")


def problems_of(
    parsed: ParsedStudy, metrics: tuple[str, ...] = (), dataset: Dataset | None = None
) -> list[Problem]:
    sources = [found.experiment.data.source for found in combinations(parsed.study)]
    return bind(parsed, load_sources(sources, None, dataset), metrics)[1]


def told(parsed: ParsedStudy, *rest: Any, **more: Any) -> list[str]:
    return [str(problem) for problem in problems_of(parsed, *rest, **more)]


def test_a_study_that_fits_has_sizes_for_every_level() -> None:
    parsed = small_study(vary={"data.rows": [100, 200], "data.validation": [50, 60]})
    bound, problems = bind(parsed, load_sources(["digits"], None), ())
    assert problems == []
    assert {label: (s.training, s.validation) for label, s in bound.sizes.items()} == {
        "data.rows=100, data.validation=50": (100, 50),
        "data.rows=100, data.validation=60": (100, 60),
        "data.rows=200, data.validation=50": (200, 50),
        "data.rows=200, data.validation=60": (200, 60),
    }


def test_all_problems_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        "experiment:\n  data: digits\n  model: {kind: mlp, hidden: [8], batch_norm: true}\n"
        "  metrics: [f1]\nvary:\n  way:\n    big: {batch_size: 2000}\n    odd: {batch_size: 383}\n"
        "    few: {data.rows: 3}\n    many: {data.validation: 1436}\nclaims:\n"
        "  - {text: A, metric: std/hiden.0.linear.weight, differ: [big, odd]}\n"
    )
    lines = told(parse_study(file))
    assert [line.removeprefix(str(file)) for line in lines] == [
        ":4: experiment.metrics.0: `f1` is a metric of your own, and it was not given: in Python, give "
        "`metrics={'f1': function}`; in a file, write `package.module:f1`",
        ":7: vary.way.big.batch_size: a batch of 2,000 rows cannot be filled: there are 1,150 training rows "
        "of `digits`; use at most 1,150",
        ":8: vary.way.odd.batch_size: 1,150 training rows in batches of 383 leave a last batch of one row, "
        "which batch norm cannot normalise; set `last_batch: drop` (or `fill`) or choose another batch size",
        ":9: vary.way.few.data.rows: 3 training rows of `digits` cannot hold a row of each of its 10 "
        "classes; use at least 10",
        ":10: vary.way.many.data.validation: 1,436 validation rows cannot be carved from the 1,437 rows of "
        "`digits`; at most 1,427 leave a row of each of its 10 classes to train on",
        ":12: claims.0.metric: there is no parameter `hiden.0.linear.weight`; did you mean "
        "`hidden.0.linear.weight`? (known: hidden.0.linear.weight, hidden.0.linear.bias, "
        "hidden.0.norm.weight, hidden.0.norm.bias, head.weight, head.bias)",
    ]


def test_numbers_have_neither_cross_entropy_nor_accuracy_nor_label_noise() -> None:
    claim = {"text": "A", "metric": "val_accuracy", "differ": ["0.01", "0.001"]}
    own = {"text": "B", "metric": "val_my_accuracy", "differ": ["0.01", "0.001"]}
    parsed = small_study(
        data={"source": "arrays", "label_noise": 0.1},
        loss="cross_entropy",
        batch_size=8,
        metrics=["my_accuracy"],
    )
    study = parsed.study.model_dump(mode="json") | {"claims": [claim, own]}
    lines = told(parse_study(study), metrics=("my_accuracy",), dataset=NUMBERS)
    assert lines == [
        "experiment.loss: cross_entropy needs classes, and `arrays` has numbers to predict; use mse",
        "experiment.data.label_noise: `arrays` has numbers to predict; label noise needs classes",
        "claims.0.metric: `arrays` has numbers to predict, which have no accuracy; use a loss",
    ]


def test_classes_may_have_a_squared_loss() -> None:
    assert told(small_study(data="arrays", loss="mse", batch_size=8), dataset=CLASSES) == []


def test_a_metric_that_was_not_given_gets_the_nearest_name() -> None:
    parsed = small_study(metrics=["presicion"])
    assert told(parsed, metrics=("precision", "recall")) == [
        "experiment.metrics.0: there is no metric of your own `presicion`; did you mean `precision`? "
        "(known: precision, recall)"
    ]
    assert told(small_study(metrics=["package.module:f1"])) == []


def test_data_that_is_not_there_is_told_once_and_where_a_level_names_it() -> None:
    assert told(small_study(data="digit")) == [
        "experiment.data.source: there is no data source `digit`; did you mean `digits`? (known: digits, "
        "mnist, fashion-mnist, iris, wine, breast-cancer, diabetes, linnerud, house-prices, "
        "linear-regression, sine, polynomial, high-dimensional, xor, "
        "separable, labelled-points, blobs); or the path of an .npz file, a table or a folder"
    ]
    lines = told(small_study(vary={"data.source": ["digits", "no/rows.npz"]}))
    assert lines == ["vary.data.source.1: there is no file no/rows.npz"]


def test_levels_that_are_the_same_experiment_are_refused() -> None:
    parsed = small_study(vary={"way": {"a": {}, "b": {"epochs": 2}}})
    assert told(parsed) == [
        "vary: the levels `a` and `b` are one and the same experiment, so they cannot "
        "differ; remove one of them"
    ]


def test_data_other_than_a_record_s_is_refused() -> None:
    (line,) = told(small_study(vary={}, data={"source": "digits", "content": "0" * 64}))
    assert line.startswith(
        "experiment.data.content: the record was made with data of SHA-256 000000000000..."
    )


@pytest.mark.parametrize(("size", "last", "fits"), [(1, "keep", False), (3, "drop", True), (4, "keep", True)])
def test_batch_norm_needs_two_rows(size: int, last: str, fits: bool) -> None:
    model = {"kind": "mlp", "hidden": [4], "batch_norm": True}
    parsed = small_study(model=model, batch_size=size, last_batch=last, data={"source": "arrays", "rows": 40})
    lines = told(parsed, dataset=CLASSES)
    assert (lines == []) is fits
    if size == 1:
        assert lines == ["experiment.batch_size: batch norm needs at least 2 rows in a batch"]


def folded(folds: Any, **changes: Any) -> ParsedStudy:
    study = small_study(vary={}, seeds=1, **changes).study.model_dump(mode="json")
    return parse_study(study | {"folds": folds})


def test_every_fold_has_sizes() -> None:
    parsed = folded(5)
    bound, problems = bind(parsed, load_sources(["digits"], None), ())
    assert problems == []
    sizes = bound.sizes["base"]
    assert sizes.of_first_seed == ((1149, 288), (1149, 288), (1150, 287), (1150, 287), (1150, 287))
    assert (sizes.training, sizes.validation) == (1149, 1437)
    assert [sizes.training_rows(seed=7, fold=fold) for fold in (0, 4)] == [1149, 1150]


def test_grouped_folds_have_sizes_for_every_seed() -> None:
    groups = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 23])
    dataset = arrays(RNG.normal(size=(51, 3)), RNG.normal(size=51), name="arrays", columns={"who": groups})
    study = small_study(vary={}, seeds=3, data="arrays", batch_size=8).study.model_dump(mode="json")
    parsed = parse_study(study | {"folds": {"k": 3, "groups": "who"}})
    bound, problems = bind(parsed, load_sources(["arrays"], None, dataset), ())
    assert problems == []
    assert set(bound.sizes["base"].places) == {(seed, fold) for seed in range(3) for fold in range(3)}
    assert sum(rows for _, rows in bound.sizes["base"].of_first_seed) == 51


@pytest.mark.parametrize(
    ("folds", "changes", "message"),
    [
        (
            3,
            {"batch_size": 35},
            "experiment.batch_size: a batch of 35 rows cannot be filled: there are 34 training rows of "
            "`arrays` in fold 0; use at most 34",
        ),
        (
            {"k": 5, "kind": "plain"},
            {"batch_size": 10, "model": {"kind": "mlp", "hidden": [4], "batch_norm": True}},
            "experiment.batch_size: 41 training rows in fold 1 in batches of 10 leave a last batch of one "
            "row, which batch norm cannot normalise; set `last_batch: drop` (or `fill`) or choose another "
            "batch size",
        ),
        (
            18,
            {"batch_size": 8},
            "folds.k: 18 stratified folds need 18 rows of every class, and class `0` of `arrays` has 17; use "
            "at most 17 folds, or `kind: plain`",
        ),
        (
            {"k": 3, "groups": "subject"},
            {"batch_size": 8},
            "folds.groups: `arrays` has no array `subject`; besides its inputs and targets there is none "
            "with one number or text per row",
        ),
        (
            3,
            {"data": {"source": "arrays", "validation": 10}, "batch_size": 8},
            "experiment.data.validation: the folds of the study say which rows validate; remove this "
            "setting, or the folds",
        ),
    ],
)
def test_what_one_fold_cannot_do_is_told_before_anything_is_trained(
    folds: Any, changes: dict[str, Any], message: str
) -> None:
    assert told(folded(folds, **({"data": "arrays"} | changes)), dataset=CLASSES) == [message]


def test_balance_needs_classes() -> None:
    parsed = small_study(vary={}, data={"source": "arrays", "balance": "oversample"}, batch_size=8)
    assert told(parsed, dataset=CLASSES) == []
    assert told(parsed, dataset=NUMBERS) == [
        "experiment.data.balance: `arrays` has numbers to predict; balancing needs classes"
    ]


@pytest.mark.parametrize(
    ("arrays_of_file", "message"),
    [
        (
            {"x": np.ones((6, 2)), "y": np.array([0, 1, 2, 0, 1, 2]), "classes": np.array(["a", "b"])},
            "`y` has 2 in row 2, which is not the number of a class; with 2 classes labels are 0 to 1",
        ),
        (
            {"x": np.array([[1.0], [np.nan], [2.0], [3.0]]), "y": np.array([0, 1, 0, 1])},
            "`x` has 1 value that is not finite (NaN or infinity), the first in row 1",
        ),
        (
            {"x": np.ones((4, 1)), "y": np.array([0.5, np.inf, 1.0, 2.0])},
            "`y` has 1 value that is not finite (NaN or infinity), the first in row 1",
        ),
    ],
)
def test_rows_that_cannot_be_learned_from_are_told_in_one_line(
    tmp_path: Path, arrays_of_file: dict[str, Any], message: str
) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, **arrays_of_file)
    (line,) = told(small_study(vary={}, data=str(file), batch_size=2))
    assert line == f"experiment.data.source: mine.npz: {message}"


def test_augmentation_needs_images_on_one_scale() -> None:
    assert told(small_study(data={"source": "wine", "augment": {"flip": True}})) == [
        "experiment.data.augment: `wine` has rows of shape (13,), which are not images that could be "
        "changed; they need (height, width), with 1 or 3 channels first or last"
    ]
    assert told(small_study(data={"source": "digits", "scale": "standardize", "augment": {"shift": 1}})) == [
        "experiment.data.augment: augmentation mixes neighbouring pixels, and `scale: standardize` puts each "
        "on a scale of its own; use `unit`, `symmetric` or a number"
    ]
    assert told(small_study(data={"source": "wine", "augment": {"shift": 0}})) == []


def test_a_layer_that_is_used_again_cannot_be_of_two_widths() -> None:
    x = np.concatenate(
        [np.arange(30.0)[:, None], np.eye(3)[np.r_[np.zeros(20, int), np.ones(9, int), 2]]], axis=1
    )
    columns = Column("size", True, 0), Column("kind", False, 0, ("a", "b"))
    rare = replace(arrays(x, x.sum(axis=1), name="arrays"), table=Layout("arrays", columns, "price"))
    layers = [{"linear": 4, "name": "first"}, {"use": "first"}]
    settings = {
        "data": {"source": "arrays", "scale": "none"},
        "model": {"kind": "sequential", "layers": layers},
    }
    study = {"experiment": settings | {"batch_size": 4}, "folds": 3}
    (line,) = told(parse_study(study), dataset=rare)
    assert line.startswith("experiment.model.layers.1: the training rows of seed 0, fold ")
    assert "have 3 of 4 columns: `first` reads 3 numbers, and here it gets 4 numbers" in line
    residual = [{"residual": ["layer_norm", {"linear": 4}]}, {"linear": 3}]
    study["experiment"]["model"]["layers"] = residual
    assert told(parse_study(study), dataset=rare) == []
