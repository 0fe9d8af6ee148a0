"""What bounds a row: its matrix products and convolutions alone, and its update alone, on this machine.

    python benchmarks/limits.py --json FILE [--data-dir DIR] [--markdown FILE]

``FILE`` is what ``benchmarks/run.py`` measured; its rows are set against how fast this machine does the
row's products by themselves (the engine's own kernels, shapes and precision, operands in the cache as far as
they fit) and an update's memory traffic by itself (parameters, gradient and moments read, parameters and
moments written). One process per core does so at once, one thread each, as Ceteris's workers do. Run it
while nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import tables
from benchmarks.contestants import CETERIS
from benchmarks.task import Task, make_task
from benchmarks.workloads import WORKLOADS, Workload
from ceteris.train import numerics

BEGIN = "<!-- measured by benchmarks/limits.py: begin -->"
END = "<!-- measured by benchmarks/limits.py: end -->"
EVALUATION_BATCH = 256
"""Rows per product in an evaluation."""
STATE = {"adam": 28, "sgd": 12}
"""Bytes that an update moves per parameter: Adam reads four numbers and writes three, SGD two and one."""
SECONDS = 0.3
"""How long one product is repeated."""


class Layer(NamedTuple):
    """A layer with weights: widths of a linear one, or channels and side of a 3 x 3 convolution."""

    inputs: int
    outputs: int
    side: int = 0

    @property
    def weights(self) -> int:
        return self.inputs * self.outputs * (9 if self.side else 1)

    @property
    def multiplications(self) -> int:
        """Of one row forwards."""
        return self.weights * max(self.side, 1) ** 2


@dataclass(frozen=True)
class Limits:
    """Seconds that one network takes for an epoch by its parts, on one core of a loaded machine."""

    products: float
    update: float
    operations: float
    """Floating-point operations of the products, two per multiplication."""
    peak: float
    """Operations per second of a product of two square matrices of 1,024."""
    shared: bool
    """Whether the products are so large that one network trains on all cores."""


def layers_of(task: Task) -> list[Layer]:
    layers = []
    width = task.features
    if task.convolutional:
        channels, side = task.image[0], task.image[1]
        for wanted in task.model["convolutions"]:
            layers.append(Layer(channels, wanted, side))
            channels, side = wanted, side // 2
        width = channels * side * side
    for wanted in [*task.hidden, task.outputs]:
        layers.append(Layer(width, wanted))
        width = wanted
    return layers


def limits(workload: Workload, folder: Path | None) -> Limits:
    """Measure a row's parts in this process."""
    task = make_task(workload, folder)
    layers = layers_of(task)
    steps, batch = task.steps_per_epoch, task.batch_size
    evaluated = len(task.validation.x) + len(task.measured.x)
    time_of = convolution if task.convolutional else product
    products = operations = 0.0
    for place, layer in enumerate(layers):
        ways = 2 if place == 0 else 3  # no gradient goes to the rows
        timer = time_of if layer.side or task.precision != "float32" else product
        products += steps * timer(layer, batch, place > 0, True, task.precision)
        chunks = evaluated / EVALUATION_BATCH
        products += chunks * timer(layer, EVALUATION_BATCH, place > 0, False, task.precision)
        operations += 2.0 * layer.multiplications * (ways * len(task.train.x) + evaluated)
    weights = sum(layer.weights + layer.outputs for layer in layers)
    per_byte = memory(weights)
    update = steps * weights * STATE[task.optimizer["kind"]] * per_byte
    from ceteris.train.cpu.linear_training import LEAST_SHARED

    largest = max(layer.multiplications for layer in layers) * batch
    shared = not task.convolutional and largest >= LEAST_SHARED
    return Limits(products, update, operations, 2 * 1024**3 / square(1024), shared)


def product(layer: Layer, batch: int, later: bool, train: bool, precision: str) -> float:
    """Seconds for a linear layer's products by the engine's kernels: forwards, and the gradients.

    A ``later`` layer gets its inputs unit by unit, and passes a gradient on to them.
    """
    import numpy as np

    from benchmarks.products import backward, backward_rows, forward, forward_rows

    draw = np.random.default_rng(0)
    width, units = layer.inputs, layer.outputs
    x, w, g = (
        draw.standard_normal(shape, dtype=np.float32)
        for shape in ((width, batch) if later else (batch, width), (units, width), (units, batch))
    )
    y, w_grad, x_grad = np.empty_like(g), np.empty_like(w), np.empty_like(x)
    seconds = repeated(forward if later else forward_rows, x, w, y)
    if train and later:
        seconds += repeated(backward, x, w, g, w_grad, x_grad)
    elif train:
        seconds += repeated(backward_rows, x, g, w_grad)
    return seconds


def convolution(layer: Layer, batch: int, later: bool, train: bool, precision: str) -> float:
    """Seconds for a layer by PyTorch, channels last: forwards, and the gradients of weights and inputs."""
    import torch

    torch.set_num_threads(1)
    kind = getattr(torch, precision)
    shape: tuple[int, ...] = (batch, layer.inputs)
    weight = torch.randn(layer.outputs, layer.inputs)
    if layer.side:
        shape, weight = (*shape, layer.side, layer.side), torch.randn(layer.outputs, layer.inputs, 3, 3)
    layout = torch.channels_last if layer.side else torch.contiguous_format
    x = torch.randn(shape).to(kind, memory_format=layout).requires_grad_(later and train)
    w = weight.to(kind, memory_format=layout).requires_grad_(train)

    def forward() -> torch.Tensor:
        if layer.side:
            return torch.nn.functional.conv2d(x, w, padding=1)
        return torch.nn.functional.linear(x, w)

    if not train:
        return repeat(forward)
    gradient = torch.randn_like(forward())
    return repeat(lambda: torch.autograd.grad(forward(), [w, x] if later else [w], gradient))


def square(size: int) -> float:
    """Seconds for a product of two square matrices."""
    return product(Layer(size, size), size, True, False, "float32")


def memory(weights: int) -> float:
    """Seconds per byte moved, where as many numbers as a network has weights are added to as many."""
    import numpy as np

    a, b, out = (np.ones(weights, dtype=np.float32) for _ in range(3))
    return repeat(lambda: np.add(a, b, out=out)) / (12 * weights)


def repeated(kernel: Callable[..., object], *arrays: object) -> float:
    """Return the median seconds of one pass of a kernel that does as many passes as it is told."""
    kernel(1, *arrays)
    begin = time.perf_counter()
    kernel(10, *arrays)
    count = max(1, round(1e-2 / max(time.perf_counter() - begin, 1e-7)))
    return repeat(lambda: kernel(count, *arrays)) / count


def repeat(call: Callable[[], object]) -> float:
    """Return the median seconds of a call, over batches of calls of about a millisecond."""
    call()
    begin = time.perf_counter()
    call()
    inner = max(1, round(1e-3 / max(time.perf_counter() - begin, 1e-7)))
    found: list[float] = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until or len(found) < 3:
        begin = time.perf_counter()
        for _ in range(inner):
            call()
        found.append((time.perf_counter() - begin) / inner)
    return statistics.median(found)


def on_all_cores(workload: Workload, folder: Path | None) -> Limits:
    """Measure in one process per core at once; the medians."""
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        found = pool.starmap(limits, [(workload, folder)] * cores, chunksize=1)
    parts = zip(*((each.products, each.update, each.operations, each.peak) for each in found), strict=True)
    return Limits(*(statistics.median(part) for part in parts), found[0].shared)


def lines(report: dict[str, Any], folder: Path | None) -> Iterator[list[str]]:
    cores = len(os.sched_getaffinity(0))
    for workload in WORKLOADS:
        rows = [row for row in report["rows"] if row["workload"] == workload.name]
        found = on_all_cores(workload, folder) if rows else None
        for row in rows:
            ours = row["contestants"][CETERIS.name].get("model_epochs_per_second")
            if ours is None or found is None:
                continue
            used = cores if found.shared else min(cores, row["members"])
            alone, both = used / found.products, used / (found.products + found.update)
            yield [
                f"{row['workload']}: {row['stack']}",
                f"{ours:.3g}",
                f"{alone:.3g} ({100 * ours / alone:.0f}%)",
                f"{both:.3g} ({100 * ours / both:.0f}%)",
                f"{ours * found.operations / used / 1e9:.0f} of {found.peak / 1e9:.0f}",
            ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True, help="what benchmarks/run.py measured")
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--markdown", type=Path, default=None, help="page whose table is replaced")
    asked = parser.parse_args()
    os.environ.update(numerics.environment())  # before NumPy is loaded in the processes that measure
    heading = [
        "workload: members",
        "Ceteris",
        "products alone",
        "products and update",
        "GFLOP/s a core, of a large product's",
    ]
    text = tables.table(heading, list(lines(json.loads(asked.json.read_text()), asked.data_dir)))
    print(text)
    if asked.markdown is not None:
        tables.write_between_marks(asked.markdown, text, BEGIN, END)


if __name__ == "__main__":
    main()
