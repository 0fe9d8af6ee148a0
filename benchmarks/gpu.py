"""What a CUDA card does, in one command with a time limit: what is done by then is on disk.

    python benchmarks/gpu.py --json FILE [--data-dir DIR] [--seconds 480] [--only PIECE]

Pieces, in this order, each a process of its own that is ended when its time is up:

- ``tests``: tests/train/test_cuda.py, where pytest is installed. It needs fewer packages than the
  others: where some of Ceteris's are not installed, it alone is run, and which are missing is said.
- ``learning-rate``: the study ``fashion-mnist/learning-rate`` with 5 seeds (15 members, 10 epochs, batches
  of 32), from the order to the verdicts; wanted: less than 30 s.
- ``cnn``: the catalogue's CNN on all 60,000 training rows, in float32 and in bfloat16, for batches of 64 and
  of 512 rows: seconds of training, and the accuracy on the test rows; wanted: 91.5% in less than 5 s.
- ``table``: the workloads of benchmarks/run.py on the card, Ceteris beside the DataLoader loop and the loop
  over tensors.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HOME), str(HOME / "src")]
SHARES = {"tests": 0.35, "learning-rate": 0.25, "cnn": 0.35, "table": 1.0}
"""Of the time that is left, at most so much for each piece, in order."""
KEPT_CHARACTERS = 20_000
"""So much of what a piece printed last is kept: the tracebacks of several tests."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True, help="file for everything that was measured")
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--seconds", type=float, default=480, help="time for everything together")
    parser.add_argument("--only", choices=tuple(SHARES), default=None, help="this piece alone")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="`cpu`: to try the script")
    return parser.parse_args()


def main() -> None:
    asked = options()
    end = time.perf_counter() + asked.seconds
    missing = missing_packages()
    told = f"not installed: {', '.join(missing)}; install Ceteris with `pip install {HOME}`"
    if missing:
        print(told)
    date = datetime.now(UTC).date().isoformat()
    report: dict[str, Any] = {"date": date, "missing": missing, **described(asked.device)}
    for name, share in SHARES.items():
        if asked.only in (None, name):
            able = name == "tests" or not missing
            seconds = share * (end - time.perf_counter())
            report[name] = piece(name, asked, seconds) if able else {"end": told}
            asked.json.write_text(json.dumps(report, indent=2) + "\n")
            print(f"{name}: {json.dumps(report[name])[:2000]}", flush=True)


def described(device: str) -> dict[str, Any]:
    """Describe the machine; what is missing to do so is described instead."""
    try:
        from benchmarks import machine
        from benchmarks.contestants import CETERIS, LOOP
    except ModuleNotFoundError as error:
        return {"machine": str(error)}
    return {"machine": machine.describe(device), "versions": machine.versions([CETERIS, LOOP])}


def missing_packages() -> list[str]:
    """Name what Ceteris needs and is not installed here, Ceteris itself included."""
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    names = [project["name"], *(re.split(r"[^\w.-]", own)[0] for own in project["dependencies"])]
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def piece(name: str, asked: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Measure one piece in a process of its own; what went wrong is part of what is found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        begin = time.perf_counter()
        try:
            done = subprocess.run(
                command(name, asked, out),
                cwd=HOME,
                env=environment(),
                timeout=max(seconds, 1),
                capture_output=True,
                text=True,
                check=False,
            )
            end, log = f"exit code {done.returncode}", done.stdout + done.stderr
        except subprocess.TimeoutExpired as late:
            end, log = f"ended after {seconds:.0f} s", "".join(map(_text, (late.stdout, late.stderr)))
        found: dict[str, Any] = {"end": end, "seconds": time.perf_counter() - begin}
        if out.exists():
            found["found"] = json.loads(out.read_text())
        return found | {"log": log[-KEPT_CHARACTERS:]}


def environment() -> dict[str, str]:
    """Return this process's environment, in which pieces find Ceteris, and pytest no plugins of others."""
    paths = [str(HOME / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    more = {"PYTHONPATH": os.pathsep.join(paths), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return dict(os.environ) | more


def command(name: str, asked: argparse.Namespace, out: Path) -> list[str]:
    """Return what is run for a piece."""
    folder = ["--data-dir", str(asked.data_dir.resolve())] if asked.data_dir else []
    if name == "tests":
        if find_spec("pytest") is None:
            return [sys.executable, "-c", "raise SystemExit('pytest is not installed')"]
        # Warnings of whatever versions are there are shown; they fail nothing.
        more = ["-W", "default", "--durations", "10"]
        return [sys.executable, "-m", "pytest", "-q", *more, "tests/train/test_cuda.py"]
    if name == "table":
        more = ["--repeats", "3", "--peer-repeats", "1", "--seconds", "3", "--json", str(out)]
        return [sys.executable, "benchmarks/run.py", "--device", asked.device, *more, *folder]
    own = [sys.executable, "benchmarks/gpu_pieces.py", name, "--json", str(out)]
    return [*own, "--device", asked.device, *folder]


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


if __name__ == "__main__":
    main()
