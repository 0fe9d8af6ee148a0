"""``ceteris model``: what a network consists of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ceteris.cli import screen
from ceteris.cli.groups import LOOK
from ceteris.cli.options import AllowCode, AsJson, DataDir, Sets
from ceteris.cli.screen import facts_table, plain_table, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from ceteris.api.model_summary import ModelSummary
    from ceteris.nets.summary import Part

app = App(name="model", group=LOOK, help="The network of a study: its structure and size.")


@app.command
def show(
    study: Annotated[
        str | None,
        Parameter(help="A named study or a YAML file; without one, give --data and --set model=..."),
    ] = None,
    /,
    *,
    level: Annotated[str | None, Parameter(help="A level of the study (else its base).")] = None,
    data: Annotated[
        str | None, Parameter(help="A named data set or an .npz file, instead of the study's.")
    ] = None,
    sets: Sets = None,
    svg: Annotated[
        Path | None, Parameter(name="--svg", help="Draw the network into this file as well.")
    ] = None,
    data_dir: DataDir = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Print layers, output shapes, parameters and memory of a network; draw it with --svg."""
    from ceteris.api.model_summary import model_summary
    from ceteris.cli.loading import loading_progress

    with loading_progress() as report:
        found = model_summary(
            study,
            level=level,
            data=data,
            sets=sets or (),
            data_dir=data_dir,
            allow_code=allow_code,
            report=report,
        )
    for note in found.notes:
        screen.tell(f"note: {note}")
    if svg is not None:
        from ceteris.report.network import write_network

        write_network(found.summary, svg)
    if as_json:
        print_json({**found.to_dict(), "svg": None if svg is None else str(svg)})
        return
    screen.show(facts_table(_facts(found)), "", _layers(found), "", facts_table(_totals(found)))
    if svg is not None:
        screen.show("", f"drawing: {svg}")


def _facts(found: ModelSummary) -> dict[str, str]:
    trace = found.summary.trace
    return {
        "network": found.summary.kind,
        "level": found.level,
        "data": found.data,
        "one input": _shape(trace.nodes[0].shape),
        "one output": _shape(trace.nodes[trace.output].shape),
    }


def _layers(found: ModelSummary) -> Table:
    rows = [_row(part) for part in found.summary.parts]
    for name, shape in found.summary.own:
        rows.append((name, "(the network's own)", "", f"{_size(shape):,}", _shape(shape)))
    return plain_table(("layer", "kind", "output", "parameters", "their shapes"), rows, right=(3,))


def _row(part: Part) -> tuple[str, ...]:
    name = "  " * part.depth + part.path.rpartition(".")[2]
    shape = "" if part.shape is None else _shape(part.shape)
    if part.shared:
        return name, part.kind, shape, f"{part.parameters:,}", f"shared with {', '.join(part.shared)}"
    count = f"{part.parameters:,}" if part.parameters or part.tensors else ""
    return name, part.kind, shape, count, part.formula


def _totals(found: ModelSummary) -> dict[str, str]:
    summary, memory = found.summary, found.memory
    frozen = summary.parameters - summary.trainable
    lines = {"parameters": f"{summary.parameters:,}" + (f", {frozen:,} of them frozen" if frozen else "")}
    if summary.buffers:
        lines["in buffers"] = f"{summary.buffers:,} number{'' if summary.buffers == 1 else 's'}"
    lines["memory"] = f"{_bytes(memory['total'])} for one network in training"
    words = {
        "parameters": "parameters",
        "gradients": "gradients",
        "optimizer": f"state of {found.optimizer}",
        "activations": f"outputs of all layers for a batch of {found.batch_size:,}",
    }
    parts: Iterator[str] = (f"{_bytes(memory[name])} {word}" for name, word in words.items())
    lines[""] = "\n".join(parts)
    return lines


def _bytes(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:,.1f} KiB" if count < 2**20 else f"{count / 2**20:,.1f} MiB"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
