"""A table of functions with its figures, as plain JSON and as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

from ceteris.functions import activations
from ceteris.functions import losses as loss_functions
from ceteris.functions.cost import costs
from ceteris.functions.entry import Function, likelihood, sampled
from ceteris.functions.figure import Panel, figure

Kind = Literal["activations", "losses"]
STYLE = """
body { font: 16px/1.55 system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC',
  'Noto Sans CJK SC', sans-serif; color: #1b1f27; max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
.scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 0.875rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.9rem 0.45rem 0;
  border-bottom: 1px solid #e3e6eb; }
thead th { color: #5b6270; font-weight: 500; } td:nth-child(4) { white-space: nowrap; }
h2 { margin-top: 2.2rem; font-size: 1.15rem; }
"""


def functions_of(kind: Kind, beta: float = 1.0) -> tuple[Function, ...]:
    """Return the functions of a kind; ``beta`` (above 0) is that of Huber's and the smooth L1 loss."""
    return activations.ACTIVATIONS if kind == "activations" else loss_functions.losses(beta)


def ranges_of(kind: Kind) -> tuple[tuple[float, float], ...]:
    """Return the stretches of the axis over which a kind is drawn."""
    return activations.RANGES if kind == "activations" else loss_functions.RANGES


def table_of(kind: Kind, beta: float = 1.0) -> list[dict[str, Any]]:
    """Return a row per function: formula, derivative, range, series at 0, measured cost, as plain JSON."""
    functions = functions_of(kind, beta)
    measured = costs(functions)
    return [
        {
            "name": one.name,
            "formula": one.formula,
            "derivative": one.derivative,
            "range": one.range,
            "zero_centred": one.zero_centred,
            "near_zero": one.near_zero,
            "nanoseconds": measured[one.name],
            "remark": one.remark,
        }
        for one in functions
    ]


def curves_of(kind: Kind, beta: float = 1.0, points: int = 41) -> list[dict[str, Any]]:
    """Return each function on a grid: x, value, derivative and (of a loss) likelihood, as plain JSON."""
    found = []
    for one in functions_of(kind, beta):
        curve = sampled(one, *ranges_of(kind)[0], points)
        own = {
            "name": one.name,
            "x": curve.x.tolist(),
            "value": curve.y.tolist(),
            "slope": curve.slope.tolist(),
        }
        if kind == "losses":
            own["likelihood"] = likelihood(curve.y).tolist()
        found.append(own)
    return found


def figure_of(kind: Kind, low: float, high: float, beta: float = 1.0) -> str:
    """Return the SVG of all functions of a kind over one stretch of the axis."""
    panels = []
    for one in functions_of(kind, beta):
        curve = sampled(one, low, high)
        lines = [("value", curve.y), ("derivative", curve.slope)]
        if kind == "losses":
            lines.append(("likelihood exp(-loss)", likelihood(curve.y)))
        panels.append(Panel(one.name, curve.x, tuple(lines)))
    return figure(f"{kind} from {low:g} to {high:g}", panels)


def page_of(kind: Kind, rows: Sequence[dict[str, Any]], beta: float = 1.0) -> str:
    """Return the table and the figures as an HTML page that opens offline."""
    columns = ["name", "formula", "derivative", "range", *_more(kind), "ns a number", "remark"]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells(kind, row))}</tr>" for row in rows
    )
    figures = "".join(
        f"<h2>From {low:g} to {high:g}</h2><div class='scroll'>{figure_of(kind, low, high, beta)}</div>"
        for low, high in ranges_of(kind)
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{kind}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><h1>{kind.capitalize()}</h1>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"{figures}</html>\n"
    )


def _more(kind: Kind) -> list[str]:
    return ["zero-centred", "near 0"] if kind == "activations" else []


def cells(kind: Kind, row: dict[str, Any]) -> list[str]:
    """Return the cells of a function's row, as text."""
    more = [("no", "yes")[bool(row["zero_centred"])], row["near_zero"]] if kind == "activations" else []
    cost = f"{row['nanoseconds']:.2f}"
    return [row["name"], row["formula"], row["derivative"], row["range"], *more, cost, row["remark"]]
