"""The named studies say what the catalogue says."""

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import MLP, SGD, Adam, combinations, find_study, named_studies, parse_study, seed_list
from ceteris.spec.model import CNN

FASHION = {
    "fashion-mnist/batch-size": ["32", "64", "128", "1000", "10000"],
    "fashion-mnist/capacity": ["two", "four"],
    "fashion-mnist/cnn": [
        "network=mlp, regularisation=none",
        "network=mlp, regularisation=batch norm and dropout",
        "network=cnn, regularisation=none",
        "network=cnn, regularisation=batch norm and dropout",
    ],
    "fashion-mnist/input-scaling": ["none", "unit"],
    "fashion-mnist/learning-rate": ["0.1", "0.001", "1e-05"],
    "fashion-mnist/optimizer": None,
}


def test_every_named_study_is_valid_and_listed() -> None:
    listed = named_studies()
    assert {"digits/learning-rate", "mnist/mlp", *FASHION} <= {study.name for study in listed}
    for study in listed:
        assert study.title
        assert study.source
        read = parse_study(study.path).study
        assert study.levels == (len(combinations(read)) if read.search is None else read.search.trials)


FROM_N4 = ("fashion-mnist/capacity", "fashion-mnist/cnn")
"""Studies of the note N4 on 784-512-512-10; the others start from N0's 784-1000-10."""


@pytest.mark.parametrize("name", FASHION)
def test_fashion_studies_have_the_catalogues_base_setting(name: str) -> None:
    study = parse_study(name).study
    five = ("batch-size", "input-scaling", "capacity", "cnn")
    assert study.experiment.data.source == "fashion-mnist"
    assert study.experiment.model == MLP(hidden=(512, 512) if name in FROM_N4 else (1000,))
    assert study.experiment.batch_size == (64 if name in FROM_N4 else 32)
    assert study.experiment.data.scale == ("symmetric" if name in FROM_N4 else "unit")
    assert study.experiment.epochs == (5 if name.endswith(five) else 10)
    assert seed_list(study) == (0, 1, 2, 3, 4)
    if FASHION[name] is not None:
        assert [combination.label for combination in combinations(study)] == FASHION[name]


def test_optimizers_of_the_optimizer_study() -> None:
    found = {c.label: c.experiment for c in combinations(parse_study("fashion-mnist/optimizer").study)}
    assert len(found) == 9
    assert found["optimizer=sgd, training rows=all"].optimizer == SGD(lr=0.01)
    assert found["optimizer=momentum, training rows=all"].optimizer == SGD(lr=0.01, momentum=0.9)
    noisy = found["optimizer=adam, training rows=2000 noisy"]
    assert noisy.optimizer == Adam(lr=0.01)
    assert (noisy.data.rows, noisy.data.label_noise) == (2000, 0.2)


def test_learning_rate_study_compares_all_four_parameter_groups() -> None:
    claims = parse_study("fashion-mnist/learning-rate").study.claims
    spreads = [claim for claim in claims if claim.metric.startswith("std/")]
    assert [claim.metric for claim in spreads] == [
        "std/hidden.0.linear.weight",
        "std/hidden.0.linear.bias",
        "std/head.weight",
        "std/head.bias",
    ]
    assert all(claim.order == ("1e-05", "0.001", "0.1") for claim in spreads)


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(CeterisError, match="did you mean `fashion-mnist/batch-size`"):
        find_study("fashion-mnist/batchsize")


def test_cnn_study_separates_convolution_from_batch_norm_and_dropout() -> None:
    found = {c.label: c.experiment.model for c in combinations(parse_study("fashion-mnist/cnn").study)}
    whole = found["network=cnn, regularisation=batch norm and dropout"]
    assert whole == CNN(convolutions=(32, 64, 128), hidden=(512, 512), batch_norm=True, dropout=0.4)
    assert found["network=cnn, regularisation=none"] == CNN(convolutions=(32, 64, 128), hidden=(512, 512))
    assert found["network=mlp, regularisation=batch norm and dropout"].dropout == 0.4
