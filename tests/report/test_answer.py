"""The answer in one sentence, where it must not say more than there is."""

from ceteris.report.answer import answer
from tests.evidence.made import judged


def test_levels_that_end_the_same_are_not_ranked() -> None:
    same = judged({"0.1": [0.5, 0.5, 0.5], "0.01": [0.5, 0.5, 0.5]}, metric="val_accuracy")
    assert answer(same) == "The mean validation accuracy ends the same with all levels, at 0.5."


def test_levels_that_differ_are_ranked() -> None:
    apart = judged({"0.1": [0.5, 0.6, 0.7], "0.01": [0.4, 0.4, 0.5]}, metric="val_accuracy")
    assert answer(apart).startswith("The mean validation accuracy ends highest with lr 0.1, at 0.6")
