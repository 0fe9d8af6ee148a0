"""Cells of the table behind the effect plot."""

from dataclasses import replace

from ceteris.report.effects import effect_cells
from tests.evidence.made import judged


def test_a_correlation_has_two_decimals_however_near_to_none_it_is() -> None:
    found = judged({"0.1": [0.5, 0.6, 0.7], "0.01": [0.4, 0.6, 0.5]}, metric="val_accuracy")
    pair = next(pair for pair in found.pairs if pair.metric == "val_accuracy")
    assert effect_cells(replace(pair, correlation=7e-18))[-1] == "0.00"
    assert effect_cells(replace(pair, correlation=-0.456))[-1] == "−0.46"
    assert effect_cells(replace(pair, correlation=None))[-1] == "–"
