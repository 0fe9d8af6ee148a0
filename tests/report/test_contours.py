"""Contours: where they run, and that the picture is whole whatever the numbers are."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from ceteris.report.contours import Field, Panel, contour, contour_levels, contour_svg
from ceteris.report.extras import Extras
from ceteris.report.landscape import landscape_section, landscape_svg
from ceteris.report.page import render_report
from tests.report.sample import made_assessment, made_run, made_study

SVG = "{http://www.w3.org/2000/svg}"
AXIS = np.linspace(-2, 2, 41)
BOWL = AXIS[None, :] ** 2 + AXIS[:, None] ** 2


def test_the_contour_of_a_bowl_is_a_circle_that_closes():
    segments = contour(AXIS, AXIS, BOWL, 1.03)  # passes no corner of a cell
    ends = np.array([end for segment in segments for end in segment])
    assert np.hypot(ends[:, 0], ends[:, 1]) == pytest.approx(np.sqrt(1.03), abs=2e-3)
    length = sum(np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in segments)
    assert length == pytest.approx(2 * np.pi * np.sqrt(1.03), rel=2e-3)
    _, counts = np.unique(ends.round(9), axis=0, return_counts=True)
    assert set(counts) == {2}  # every end is the end of two segments


def test_of_a_plane_it_is_a_line_at_its_place():
    x, y = np.linspace(0, 3, 4), np.linspace(0, 2, 3)
    values = np.tile(2 * x, (3, 1))
    assert {round(end[0], 9) for segment in contour(x, y, values, 3.0) for end in segment} == {1.5}


@pytest.mark.parametrize(("level", "connected"), [(0.6, 0), (0.4, 1)])
def test_a_saddle_is_parted_by_its_middle(level, connected):
    x = np.array([0.0, 1.0])
    first, second = contour(x, x, np.array([[0.0, 1.0], [1.0, 0.0]]), level)
    corners = [(0, 1), (1, 0)] if connected == 0 else [(0, 0), (1, 1)]
    for segment, corner in zip(sorted((first, second)), sorted(corners), strict=True):
        middle = np.mean(segment, axis=0)
        assert np.abs(middle - corner).max() < 0.5


def test_a_long_title_has_several_lines_above_the_frame_and_none_is_cut():
    title = "model.dropout=0.25, optimizer.lr=0.001, batch_size=1024: training loss and penalty"
    field = Field("loss", BOWL, (1.0,))
    panel = Panel(title, AXIS, AXIS, ("a", "b"), (field,), (0, 0), None)
    picture = ElementTree.fromstring(contour_svg(panel))
    lines = [text for text in picture.iter(f"{SVG}text") if text.get("font-size") == "13"]
    assert " ".join(line.text or "" for line in lines) == title
    assert len(lines) == 2
    top, height = (float(own) for own in picture.get("viewBox", "").split()[1::2])
    assert [float(line.get("y", 0)) for line in lines] == [16 + top, 33 + top]
    assert float(picture.get("height", 0)) == height == 370 - top


def test_cells_without_numbers_are_left_out_and_flat_ones_have_no_contour():
    values = BOWL.copy()
    values[:, 20:] = np.nan
    assert all(end[0] < 0 for segment in contour(AXIS, AXIS, values, 1.0) for end in segment)
    assert contour(AXIS, AXIS, np.ones_like(BOWL), 1.0) == []
    assert contour_levels([np.full((3, 3), np.nan)]) == ()


def test_values_part_the_plane_into_shares():
    levels = contour_levels([BOWL], 9)
    assert list(levels) == sorted(levels)
    below = [(level >= BOWL).mean() for level in levels]
    assert np.diff(below) == pytest.approx(0.9 / 8, abs=0.02)


def test_a_panel_is_well_formed_whatever_it_is_called():
    field = Field("loss", BOWL, contour_levels([BOWL]))
    panel = Panel(
        "<b>学习率</b> & 0.1", AXIS, AXIS, ("a<b", "head.weight[0,1]"), (field,), (0.0, 0.0), (1.0, 1.0)
    )
    root = ElementTree.fromstring(contour_svg(panel))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<b>学习率</b> & 0.1", "a<b", "head.weight[0,1]", "−1", "0", "1"} <= set(texts)
    assert len(root.findall("{http://www.w3.org/2000/svg}path")) == len(field.levels) + 1


def landscape(**changes):
    grid = BOWL.tolist()
    one = {"level": "0.1", "seed": 0, "a": AXIS.tolist(), "b": AXIS.tolist(), "at": [0.5, 0.5], "train": grid,
           "validation": [], "penalty": (2 * BOWL).tolist()}  # fmt: skip
    flat = {"level": "0.1", "radius": 0.1, "seeds": 3, "rise": 0.2, "low": 0.1, "high": 0.3, "largest": 0.4,
            "difference": None, "difference_low": None, "difference_high": None}  # fmt: skip
    return {
        "run": "r",
        "axes": ["w1", "w2"],
        "random": False,
        "seed": 0,
        "slices": [one],
        "flatness": [flat],
        **changes,
    }


def test_the_section_has_pictures_and_the_numbers_of_flatness():
    section = landscape_section(landscape())
    assert len(section.pictures) == 1
    assert "training loss and penalty" in section.pictures[0]
    assert section.rows == (("0.1", ("0.1", "0.20 [0.10, 0.30]", "0.4", "–", "3")),)
    assert "over w1 and w2, all other parameters held" in section.hint
    assert "Red: contours of the penalty." in section.hint
    ElementTree.fromstring(landscape_svg(landscape()))


def test_a_page_has_the_section_where_it_was_computed():
    study = made_study()
    run = made_run(study)
    assessment = made_assessment(run, study)
    page = render_report(run, assessment, Extras(landscape=landscape()))
    assert '<section id="landscape"' in page
    assert "contour-penalty" in page
    assert '<section id="landscape"' not in render_report(run, assessment)
