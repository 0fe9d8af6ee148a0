"""Writing a program as a file, and computing with the file that was written."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ceteris.api.export.program import Program
from ceteris.errors import CeterisError, exception_in_line

Format = Literal["pt2", "onnx", "safetensors"]
INPUT, OUTPUT = "rows", "outputs"
MOST_IN_ONE_FILE = 2**31 - 2**24
"""Bytes that a protocol buffer can hold, less some for the graph; larger parameters lie beside the file."""
HOW_TO_INSTALL = 'pip install "ceteris[export]"'

Reader = Callable[[torch.Tensor], NDArray[np.generic]]
"""Computes outputs for rows with what was read from a file."""


@dataclass(frozen=True)
class Written:
    """A file that was written, and what computes with it."""

    reader: str
    """The library, with its version, that read the file again."""
    outputs: Reader


def write_program(program: Program, example: torch.Tensor, path: Path, form: Format) -> Written:
    """Write a program for any number of rows, and read the file again.

    Args:
        program: in evaluation mode.
        example: two rows.
        path: where to write.
        form: ``pt2`` or ``onnx``.

    Raises ``CeterisError`` where the network cannot be exported or a library is missing.
    """
    return _write_onnx(program, example, path) if form == "onnx" else _write_pt2(program, example, path)


def write_parameters(network: torch.nn.Module, metadata: Mapping[str, str], path: Path) -> dict[str, str]:
    """Write parameters and saved buffers by name, each once; return the further names of tied ones."""
    from safetensors.torch import save

    state = network.state_dict(keep_vars=True)
    first: dict[int, str] = {}
    tied: dict[str, str] = {}
    for name, tensor in state.items():
        if first.setdefault(id(tensor), name) != name:
            tied[name] = first[id(tensor)]
    own = {name: tensor.detach().contiguous() for name, tensor in state.items() if name not in tied}
    path.write_bytes(save(own, dict(metadata)))
    return tied


def read_parameters(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file by name."""
    from safetensors.torch import load_file

    return load_file(path)


def check_libraries(form: Format) -> None:
    """Raise ``CeterisError`` with what to install where a format needs a library that is not there."""
    from importlib.util import find_spec

    needed = ("onnx", "onnxscript", "onnxruntime") if form == "onnx" else ()
    lacking = [name for name in needed if find_spec(name) is None]
    if lacking:
        raise CeterisError(
            f"ONNX files need {' and '.join(lacking)}, which is not installed: {HOW_TO_INSTALL}"
        )


def _write_pt2(program: Program, example: torch.Tensor, path: Path) -> Written:
    exported = _exported(program, example)
    with _quiet():
        content = io.BytesIO()  # torch tells of a file that it cannot write by an error of its own
        torch.export.save(exported, content)
        path.write_bytes(content.getvalue())
        read = torch.export.load(path).module()

    def outputs(rows: torch.Tensor) -> NDArray[np.generic]:
        with torch.no_grad():
            return np.asarray(read(rows))

    return Written(f"torch {torch.__version__}", outputs)


def _write_onnx(program: Program, example: torch.Tensor, path: Path) -> Written:
    import onnxruntime

    exported = _exported(program, example)
    try:
        with _quiet():
            made = torch.onnx.export(
                exported, (), dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False
            )
            if made is None:
                raise RuntimeError("nothing was made")
            made.save(path, external_data=_bytes(program) > MOST_IN_ONE_FILE)
    except OSError:
        raise
    except Exception as error:
        raise CeterisError(
            f"the network cannot be written as ONNX ({exception_in_line(error)}); write it as pt2 instead"
        ) from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def outputs(rows: torch.Tensor) -> NDArray[np.generic]:
        return np.asarray(session.run([OUTPUT], {INPUT: rows.numpy()})[0])

    return Written(f"onnxruntime {onnxruntime.__version__}", outputs)


def _exported(program: Program, example: torch.Tensor) -> torch.export.ExportedProgram:
    try:
        with _quiet(), torch.no_grad():
            return torch.export.export(program, (example,), dynamic_shapes=({0: torch.export.Dim(INPUT)},))
    except Exception as error:
        raise CeterisError(
            "the network cannot be exported as one program for any number of rows "
            f"({exception_in_line(error)}); write its parameters instead: the format `safetensors`"
        ) from error


def _bytes(module: torch.nn.Module) -> int:
    return sum(tensor.nbytes for tensor in module.state_dict().values())


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what torch's exporters say of themselves: deprecations inside torch, torchvision missing."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
