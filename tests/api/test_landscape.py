"""The loss around the networks of a real run, against what its record says at the trained weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ceteris.api.landscape import kept_landscape, run_landscape
from ceteris.api.landscape_look import LEAST_ROWS, MOST_ROWS, rows_for
from ceteris.api.result import Result
from ceteris.errors import CeterisError
from ceteris.report.landscape import landscape_section


def test_the_middle_of_the_picture_is_the_recorded_loss(result: Result) -> None:
    found = result.landscape(points=5, radius=0.5)
    assert [(one.level, one.seed, one.at) for one in found.slices] == [
        ("0.5", 0, (0, 0)),
        ("0.001", 0, (0, 0)),
    ]
    for one in found.slices:
        metrics = result.trial(one.level, one.seed).metrics
        assert one.a == one.b == (-0.5, -0.25, 0.0, 0.25, 0.5)
        assert one.train[2][2] == pytest.approx(metrics["train_loss"], rel=1e-4)
        assert one.validation[2][2] == pytest.approx(metrics["val_loss"], rel=1e-4)
        assert one.penalty == []


def test_flatness_is_a_mean_over_seeds_with_paired_differences(result: Result) -> None:
    found = result.landscape(points=5)
    by_level = {(one.level, one.radius): one for one in found.flatness}
    assert len(by_level) == 2 * 3
    first, second = by_level["0.5", 0.5], by_level["0.001", 0.5]
    assert first.seeds == second.seeds == 3
    assert first.rise is not None
    assert second.rise is not None
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.rise < first.high
    assert first.difference is None
    assert second.difference == pytest.approx(second.rise - first.rise, rel=1e-9)
    rises = [by_level["0.5", radius].rise or 0 for radius in (0.1, 0.25, 0.5)]
    assert list(np.sort(rises)) == rises  # further away it is higher


def test_it_is_kept_for_the_report(result: Result) -> None:
    found = result.landscape(level=0.5, points=5)
    assert [one.level for one in found.slices] == ["0.5"]
    kept = kept_landscape(result.run)
    assert kept is not None
    assert kept["slices"][0]["train"] == found.slices[0].train
    assert '<section id="landscape"' in result.report().read_text(encoding="utf-8")


def test_everything_that_is_wrong_is_told_at_once(result: Result) -> None:
    with pytest.raises(CeterisError) as error:
        run_landscape(result.run, weights=["head.weight[0,0]"], radius=-1, points=1000)
    assert [(problem.where, problem.message) for problem in error.value.problems] == [
        (
            "weights",
            "a picture needs two different weights, such as `head.weight[0,0]` and `head.weight[0,1]`",
        ),
        ("radius", "-1 is not a radius; it must be above 0"),
        ("points", "1000 is not a number of points; it must be from 5 to 101"),
    ]
    with pytest.raises(CeterisError, match=r"rows: 3 is not a number of rows; it must be from 10 to 100,000"):
        run_landscape(result.run, rows=3)
    with pytest.raises(CeterisError, match=r"there is no level `0.05`; did you mean"):
        run_landscape(result.run, level=0.05)


def test_fewer_rows_are_told_and_every_point_is_counted(result: Result) -> None:
    counts: list[tuple[int, int]] = []
    found = result.landscape(points=5, rows=20, progress=lambda done, total: counts.append((done, total)))
    assert found.rows == 20
    assert result.landscape(points=5).rows == MOST_ROWS  # a small network
    assert counts[-1] == (2 * 25 + 6 * 30, 2 * 25 + 6 * 30)
    assert [done for done, _ in counts] == sorted({done for done, _ in counts})
    assert "Computed on 20 training and validation rows each" in landscape_section(found.to_dict()).hint


def test_large_networks_are_looked_at_on_fewer_rows() -> None:
    def rows(*sizes: int) -> int:
        return rows_for([{"weight": torch.empty(size, device="meta")} for size in sizes])

    assert rows(2_410) == MOST_ROWS
    assert rows(2_410, 203_530) == 491  # that of the largest, so that all are measured alike
    assert rows(10_000_000) == LEAST_ROWS
