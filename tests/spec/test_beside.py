"""A value of the wrong kind hides nothing that is wrong beside it, and makes nothing wrong that is right."""

from pathlib import Path

import pytest

from ceteris.spec.beside import claim_without_mistakes

from .sources import refusal, written

BEGIN = """\
experiment:
  data: digits
  model: {kind: mlp, hidden: [16]}
  optimizer: {kind: sgd, lr: 0.1}
vary:
  optimizer.lr: [0.1, 0.01]
"""


def told(tmp_path: Path, text: str) -> list[str]:
    path = written(tmp_path, text)
    return [line.removeprefix(f"{path}:") for line in refusal(path)]


def test_a_claim_of_the_wrong_shape_still_has_its_metric_and_levels_checked(tmp_path: Path) -> None:
    claims = """\
claims:
  - {text: a, metric: val_loss, at: lastt, less: [0.1, 0.2]}
  - {text: b, metric: val_loss, factor: rate, less: [1, 2, 3]}
  - 5
"""
    lines = told(tmp_path, BEGIN + claims)
    assert [line.partition(":")[2].split(": ")[0].strip() for line in lines] == [
        "claims.0.at",
        "claims.0.less",
        "claims.1.less",
        "claims.1.factor",
        "claims.2",
    ]
    assert lines[1].endswith("`optimizer.lr` has no level `0.2`; did you mean `0.1`? (its levels: 0.1, 0.01)")


def test_a_factor_that_cannot_be_read_hides_only_claims_about_itself(tmp_path: Path) -> None:
    claims = """\
  optimizer.moment: [0, 0.9]
claims:
  - {text: a, metric: val_loss, factor: optimizer.moment, less: [0, 0.5]}
  - {text: b, metric: val_loss, factor: optimizer.lr, less: [0.1, 0.5]}
"""
    lines = told(tmp_path, BEGIN + claims)
    assert ["optimizer.moment" in lines[0], "claims.1.less" in lines[1], len(lines)] == [True, True, 2]


def test_what_is_wrong_together_is_told_beside_what_is_wrong_alone(tmp_path: Path) -> None:
    wrong = """\
  epochs: two
  early_stopping: {metric: val_f1, patience: 3}
  better: {thing: up}
"""
    text = BEGIN.replace("vary:", wrong + "vary:")
    alone = told(tmp_path, text.replace("epochs: two", "epochs: 2"))
    assert told(tmp_path, text)[1:] == alone
    assert len(alone) >= 1


@pytest.mark.parametrize(
    "claim",
    [
        "{text: a, metric: val_loss, at: epochs_untill, reach: 0.1, less: [0.1, 0.01]}",
        "{text: a, metric: val_loss, less: [0.1]}",
        "{text: a, metric: val_loss, scale: logg, less: [0.1, 0.01], by: 0.5}",
        "{text: a, metric: val_loss, less: [0.1, 0.01], by: -1}",
        "{metric: val_loss, less: [0.1, 0.01]}",
    ],
)
def test_nothing_is_wrong_only_because_a_mistake_was_left_out(tmp_path: Path, claim: str) -> None:
    assert len(told(tmp_path, f"{BEGIN}claims:\n  - {claim}\n")) == 1


def test_a_wrong_model_says_nothing_of_the_rest(tmp_path: Path) -> None:
    lines = told(tmp_path, BEGIN.replace("kind: mlp", "kind: mlpp"))
    assert len(lines) == 1


def test_what_is_left_of_a_claim() -> None:
    found = claim_without_mistakes({"metric": "lr", "factor": "f", "less": [1], "at": "x"})
    assert found is not None
    assert (found.metric, found.factor, found.levels) == ("lr", "f", ())
    assert claim_without_mistakes({"text": "a"}) is None
    assert claim_without_mistakes(5) is None
