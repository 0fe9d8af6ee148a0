"""What decides the last bits of a result, by a versioned rule: BLAS kernels, threads, denormals.

``environment`` has to be set before NumPy, SciPy or torch are loaded, so this module imports none
of them at its top. Worker processes start with it.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ceteris.errors import Problem

VERSION = 6
"""Version of the rule; part of a trial's identity."""
TENSOR_VERSION = 3
"""Version of the tensor engine's arithmetic; part of the identity of trials on a device."""

_AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}


def environment() -> dict[str, str]:
    """Return the environment variables of a training process.

    One thread per process: members are shared out over processes. OpenBLAS does not know every
    processor with AVX-512 and falls back to AVX2 kernels on them, which measured 1.5 to 2.5 times
    slower on small products (AMD Zen 5), so its AVX-512 kernels are asked for by name.
    """
    chosen = {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "MKL_CBWR": "AVX512,STRICT" if has_avx512() else "COMPATIBLE",
        # On a card: one fixed workspace, so that a product is always split in the same way.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    if has_avx512():
        chosen["OPENBLAS_CORETYPE"] = "SKYLAKEX"
    return chosen


@cache
def has_avx512() -> bool:
    """Tell whether this processor has the AVX-512 instructions that OpenBLAS's kernels use."""
    return _cpu_flags() >= _AVX512


def _cpu_flags() -> set[str]:
    for line in _cpu_info():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def processor() -> str:
    """Name this machine's processor."""
    for line in _cpu_info():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def _cpu_info() -> tuple[str, ...]:
    try:
        return tuple(Path("/proc/cpuinfo").read_text().splitlines())
    except OSError:  # not Linux: OpenBLAS decides alone
        return ()


def prepare_process() -> None:
    """Flush denormals in this process; call it before the first tensor operation.

    Dead units leave Adam's moments denormal for ever, which slows an update ten- to fiftyfold.
    """
    import torch

    torch.set_flush_denormal(True)
    torch.set_num_threads(1)


def prepare_worker() -> None:
    """Flush denormals in a process that ``environment`` has given one thread; torch is loaded if it has to.

    Most workers never need torch, and loading it takes half of their start.
    """
    from ceteris.train.denormals import flush_denormals

    if not flush_denormals():
        prepare_process()


def prepare_device(device: str, *, deterministic: bool = False) -> None:
    """Set torch up for a device that is not the processor; call it before the first operation there.

    Products and convolutions of float32 are computed in float32, not in TF32, whose 10 bits are half of it: a
    precision is a setting and never a silent choice. No kernel is chosen by timing it.

    Args:
        device: as training takes it.
        deterministic: take only kernels that give the same bits every time; an operation that has none then
            raises ``RuntimeError``, with its name.
    """
    if device == "cpu":
        return
    import torch

    with warnings.catch_warnings():
        # Some releases of torch warn of these names; the new ones do not exist in all that are supported.
        warnings.simplefilter("ignore")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = deterministic
    torch.use_deterministic_algorithms(deterministic)


def compiler_problems() -> tuple[Problem, ...]:
    """Return why kernels cannot be compiled in this process: Numba was told not to."""
    import numba

    config: Any = numba.config
    if not config.DISABLE_JIT:
        return ()
    return (Problem("the training kernels have to be compiled: unset the variable NUMBA_DISABLE_JIT"),)


def describe(device: str, *, deterministic: bool = False) -> dict[str, Any]:
    """Tell the numerics of this process as plain data; equal numerics give equal bits.

    ``deterministic`` counts on devices alone: on the processor all kernels are.
    """
    import numba

    told: dict[str, Any] = {"version": VERSION, "precision": "float32", "device": device}
    if device != "cpu":
        import torch

        own = {"tensor_version": TENSOR_VERSION, "tf32": False, "deterministic": deterministic}
        return told | {"engine": "torch", "torch": torch.__version__} | own
    return told | {
        "engine": "compiled",
        "processor": processor(),
        "blas": _blas(),
        "numba": numba.__version__,
        "flush_denormal": True,
    }


def _blas() -> Mapping[str, str]:
    """Name the BLAS that compiled kernels call: the one that SciPy has loaded."""
    import scipy.linalg.cython_blas
    from threadpoolctl import threadpool_info

    home = Path(scipy.__file__).parent.parent
    for library in threadpool_info():
        path = Path(library.get("filepath", ""))
        # NumPy brings a BLAS of its own whose file is called after SciPy too, so the folder decides.
        ours = home in path.parents and path.relative_to(home).parts[0].startswith("scipy")
        if library.get("user_api") == "blas" and ours:
            return {
                "library": str(library.get("internal_api", "")),
                "version": str(library.get("version", "")),
                "kernels": str(library.get("architecture", "")),
                "threads": str(library.get("num_threads", "")),
            }
    return {"library": "unknown", "threads": os.environ.get("OMP_NUM_THREADS", "")}


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    from importlib.metadata import version

    names = ("ceteris", "torch", "numpy", "scipy", "numba", "llvmlite", "scikit-learn")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
