"""The drawing of a network: every node once, boxes that do not overlap, arcs where tensors pass by."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from ceteris.errors import CeterisError
from ceteris.nets.summary import Summary, summarize
from ceteris.report.network import network_svg, write_network
from tests.nets.test_summary import Tied

SVG = "{http://www.w3.org/2000/svg}"


class Deep(nn.Module):
    """Two blocks around each other, both residual, and one connection over all."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.inner = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.outer(x)
        second = first + self.inner(first)
        out: torch.Tensor = x + self.outer(second)
        return out


@pytest.fixture(params=[Tied, Deep])
def summary(request: pytest.FixtureRequest) -> Summary:
    module = request.param()
    return summarize(module, torch.rand(2, *((2, 4) if request.param is Tied else (4,))))


def drawn(summary: Summary) -> ElementTree.Element:
    return ElementTree.fromstring(network_svg(summary))


def boxes(drawing: ElementTree.Element) -> list[tuple[float, float]]:
    """Top and bottom of every box."""
    found = [r for r in drawing.iter(f"{SVG}rect") if r.get("class", "") not in ("ground", "frame")]
    return [(float(r.get("y", "")), float(r.get("y", "")) + float(r.get("height", ""))) for r in found]


def test_every_node_has_a_box_below_the_one_before(summary: Summary) -> None:
    places = boxes(drawn(summary))
    assert len(places) == len(summary.trace.nodes) + 1
    assert all(bottom < top for (_, bottom), (top, _) in pairwise(places))


def test_every_connection_is_an_arrow_and_those_past_other_nodes_are_arcs(summary: Summary) -> None:
    found = [p.get("class") for p in drawn(summary).iter(f"{SVG}path") if "edge" in p.get("class", "")]
    nodes = summary.trace.nodes
    arcs = sum(place - source > 1 for place, node in enumerate(nodes) for source in node.sources)
    assert arcs > 0
    assert found.count("edge arc") == arcs
    assert len(found) == sum(len(node.sources) for node in nodes) + 1


def test_arcs_that_pass_the_same_nodes_have_lanes_of_their_own() -> None:
    drawing = drawn(summarize(Deep(), torch.rand(2, 4)))
    arcs = [p.get("d", "") for p in drawing.iter(f"{SVG}path") if p.get("class") == "edge arc"]
    lanes = [re.findall(r"H([\d.]+) q", d)[0] for d in arcs]
    assert len(lanes) == 2
    assert len(set(lanes)) == 2


def test_frames_stand_in_each_other_and_around_their_layers() -> None:
    drawing = drawn(summarize(Tied(), torch.rand(2, 2, 4)))
    outer, inner = (
        (float(r.get("y", "")), float(r.get("y", "")) + float(r.get("height", "")), float(r.get("x", "")))
        for r in drawing.iter(f"{SVG}rect")
        if r.get("class") == "frame"
    )
    assert outer[0] < inner[0] < inner[1] < outer[1]
    assert outer[2] < inner[2]
    inside = [place for place in boxes(drawing) if outer[0] < place[0] and place[1] < outer[1]]
    assert len(inside) == 3


def test_what_is_shared_is_drawn_so(summary: Summary) -> None:
    text = network_svg(summary)
    assert "again, counted once" in text
    assert ("shares shared.weight" in text) == (summary.kind == "Tied")


def test_a_drawing_holds_no_markup_of_names(tmp_path: Path) -> None:
    module = nn.Sequential()
    module.add_module("<b>&", nn.Linear(3, 3))
    write_network(summarize(module, torch.rand(2, 3)), tmp_path / "drawn.svg")
    assert "&lt;b&gt;&amp;" in (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    with pytest.raises(CeterisError, match=r"cannot write .*none/drawn\.svg: No such file"):
        write_network(summarize(module, torch.rand(2, 3)), tmp_path / "none" / "drawn.svg")
