"""A network drawn as SVG: a chain of layers, residual connections as arcs beside it, blocks as frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from ceteris.errors import writing
from ceteris.nets.summary import Part, Summary
from ceteris.nets.trace import Frame, Node

WIDTH, HEIGHT = 280, 42
"""Of a layer's box; lengths are in pixels."""
PILL_WIDTH, PILL_HEIGHT = 180, 26
"""Of what has no parameters of its own and no name: the input, operations, the output."""
GAP, PAD, TITLE, LANE, MARGIN = 20, 12, 20, 16, 16
SHOWN = 26
"""Of a path, so many characters are shown."""

STYLE = """\
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1b1f27; }
.name { font-weight: 600; } .soft { fill: #5b6270; font-size: 11px; } .right { text-anchor: end; }
.middle { text-anchor: middle; } .ground { fill: #ffffff; }
.box { fill: #f6f7f9; stroke: #b9bfca; } .learned { fill: #e6eafb; stroke: #2d47b5; }
.pill { fill: #ffffff; stroke: #b9bfca; } .shared { stroke-dasharray: 5 3; }
.title { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
.frame { fill: #000000; fill-opacity: 0.02; stroke: #b9bfca; stroke-dasharray: 2 3; }
.edge { fill: none; stroke: #5b6270; stroke-width: 1.3; } .arc { stroke: #2d47b5; } .head { fill: #5b6270; }
"""
HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
)


@dataclass(frozen=True)
class _Place:
    """Where the box of a node stands: the top, and its size; all boxes have one middle line."""

    top: float
    width: int
    height: int

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass
class _Layout:
    """Places of the nodes and, of each frame, depth, top and bottom."""

    places: list[_Place] = field(default_factory=list)
    frames: list[tuple[Frame, int, float, float]] = field(default_factory=list)
    bottom: float = 0.0
    depth: int = 0


def network_svg(summary: Summary) -> str:
    """Return a drawing of a network as an SVG document of its own."""
    nodes = _with_output(summary)
    layout = _lay_out(nodes)
    lanes = _lanes(nodes)
    lanes_width = LANE * (1 + max(lanes.values())) if lanes else 0
    middle = MARGIN + PAD * layout.depth + WIDTH / 2
    right = middle + WIDTH / 2 + lanes_width
    size = (right + PAD * layout.depth + MARGIN, layout.bottom + MARGIN)
    kinds = {part.path: part for part in summary.parts}
    parts = [f"<style>{STYLE}</style>", HEAD, f'<rect class="ground" width="{size[0]}" height="{size[1]}"/>']
    parts += _frames(layout, middle - WIDTH / 2, right)
    parts += _edges(nodes, layout.places, lanes, middle)
    parts += _titles(layout, middle - WIDTH / 2, kinds)
    for node, place in zip(nodes, layout.places, strict=True):
        parts += _box(node, place, middle, kinds.get(node.path) if node.kind == "layer" else None)
    label = f"{summary.kind}: {summary.parameters:,} parameters"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]:g}" height="{size[1]:g}" '
        f'viewBox="0 0 {size[0]:g} {size[1]:g}" role="img"><title>{escape(label)}</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def write_network(summary: Summary, path: Path) -> None:
    """Write the drawing of a network. Raises CeterisError where the file cannot be written."""
    with writing(path):
        path.write_text(network_svg(summary), encoding="utf-8")


def _with_output(summary: Summary) -> list[Node]:
    trace = summary.trace
    output = Node("operation", "output", "", trace.nodes[trace.output].shape, (trace.output,))
    return [*trace.nodes, output]


def _lay_out(nodes: Sequence[Node]) -> _Layout:
    """Put the nodes under each other, with room for the frames that begin and end between them."""
    layout, y = _Layout(depth=max(len(node.frames) for node in nodes)), float(MARGIN)
    open_frames: list[tuple[Frame, float]] = []
    for node in nodes:
        same = _common(tuple(frame for frame, _ in open_frames), node.frames)
        while len(open_frames) > same:
            frame, top = open_frames.pop()
            y += PAD
            layout.frames.append((frame, len(open_frames), top, y))
        y += GAP if layout.places else 0
        for frame in node.frames[same:]:
            open_frames.append((frame, y))
            y += TITLE + PAD / 2
        layer = node.kind == "layer"
        place = _Place(y, WIDTH if layer else PILL_WIDTH, HEIGHT if layer else PILL_HEIGHT)
        layout.places.append(place)
        y += place.height
    layout.bottom = y
    return layout


def _common(first: Sequence[Frame], second: Sequence[Frame]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _lanes(nodes: Sequence[Node]) -> dict[tuple[int, int], int]:
    """Give each connection that passes other nodes a lane beside the chain, short ones the inner lanes."""
    arcs = [(s, t) for t, node in enumerate(nodes) for s in node.sources if t - s > 1]
    lanes: dict[tuple[int, int], int] = {}
    for begin, end in sorted(arcs, key=lambda arc: arc[1] - arc[0]):
        taken = {lane for (b, e), lane in lanes.items() if b < end and begin < e}
        lanes[begin, end] = next(lane for lane in range(len(arcs)) if lane not in taken)
    return lanes


def _frames(layout: _Layout, left: float, right: float) -> Iterator[str]:
    for _, depth, top, bottom in sorted(layout.frames, key=lambda found: found[1]):
        out = PAD * (layout.depth - depth)
        yield (
            f'<rect class="frame" x="{left - out:g}" y="{top:g}" width="{right - left + 2 * out:g}" '
            f'height="{bottom - top:g}" rx="8"/>'
        )


def _titles(layout: _Layout, left: float, kinds: dict[str, Part]) -> Iterator[str]:
    """Yield the headings of the frames, which stand in front of the arrows."""
    for frame, depth, top, _ in layout.frames:
        x = left - PAD * (layout.depth - depth) + 8
        part = kinds.get(frame.path)
        title = " · ".join([_shown(frame.path), part.kind if part else ""]) + " again" * (frame.call > 0)
        yield f'<text class="soft title" x="{x:g}" y="{top + 15:g}">{escape(title)}</text>'


def _edges(
    nodes: Sequence[Node], places: Sequence[_Place], lanes: dict[tuple[int, int], int], middle: float
) -> Iterator[str]:
    for target, node in enumerate(nodes):
        for source in node.sources:
            begin, end = places[source], places[target]
            if target - source == 1:
                down = f"M{middle:g} {begin.top + begin.height:g} V{end.top - 1:g}"
                yield f'<path class="edge" d="{down}" marker-end="url(#head)"/>'
                continue
            x = middle + WIDTH / 2 + LANE * (lanes[source, target] + 0.75)
            from_x, to_x = middle + begin.width / 2, middle + end.width / 2 + 1
            y, to_y = begin.middle + 5, end.middle - 5
            around = f"M{from_x:g} {y:g} H{x - 6:g} q6 0 6 6 V{to_y - 6:g} q0 6 -6 6 H{to_x:g}"
            yield f'<path class="edge arc" d="{around}" marker-end="url(#head)"/>'


def _box(node: Node, place: _Place, middle: float, part: Part | None) -> Iterator[str]:
    left, top = middle - place.width / 2, place.top
    rect = f'x="{left:g}" y="{top:g}" width="{place.width}" height="{place.height}"'
    shape = " x ".join(map(str, node.shape)) or "1"
    if part is None:
        yield f'<rect class="pill" {rect} rx="{place.height / 2:g}"/>'
        yield (
            f'<text class="middle" x="{middle:g}" y="{place.middle + 4:g}">{escape(node.label)} '
            f'<tspan class="soft">{shape}</tspan></text>'
        )
        return
    shared = node.call > 0 or bool(part.shared)
    style = ("learned" if part.tensors else "box") + (" shared" if shared else "")
    yield f'<rect class="{style}" {rect} rx="5"><title>{escape(part.settings or part.kind)}</title></rect>'
    if node.call > 0:
        count = "again, counted once" if part.tensors else "again"
    elif part.shared:
        count = f"shares {', '.join(part.shared)}"
    else:
        count = f"{part.parameters:,} parameters" if part.tensors else ""
    inside = node.frames[-1].path + "." if node.frames else ""
    path = _shown(node.path.removeprefix(inside) or part.kind)
    for line, (name, value) in enumerate(((node.label, shape), (path, count))):
        y, soft = top + 17 + 16 * line, "soft" if line else "name"
        yield f'<text class="{soft}" x="{left + 10:g}" y="{y:g}">{escape(name)}</text>'
        yield f'<text class="soft right" x="{left + place.width - 10:g}" y="{y:g}">{escape(value)}</text>'


def _shown(path: str) -> str:
    return path if len(path) <= SHOWN else f"…{path[-SHOWN + 1 :]}"
