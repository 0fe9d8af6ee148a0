"""What a CUDA card does, in one command with a time limit: what is done by then is on disk.

    python benchmarks/gpu.py --json FILE [--data-dir DIR] [--seconds 480] [--only PIECE]

Pieces, in this order, each a process of its own that is ended when its time is up:

- ``tests``: tests/train/test_cuda.py, where pytest is installed.
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import ceteris
from benchmarks import machine
from benchmarks.contestants import CETERIS, LOOP
from benchmarks.workloads import CNN, FASHION

HOME = Path(__file__).resolve().parent.parent
ACCURACY, CNN_SECONDS, STUDY_SECONDS = 0.915, 5.0, 30.0
"""What is wanted of the CNN and of the study."""
SHARES = {"tests": 0.35, "learning-rate": 0.25, "cnn": 0.35, "table": 1.0}
"""Of the time that is left, at most so much for each piece, in order."""
RECIPES: dict[str, dict[str, Any]] = {
    "as the note has it: SGD with momentum, batches of 64": {
        "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9},
        "batch_size": 64,
        "epochs": 5,
    },
    "one cycle, batches of 512": {
        "optimizer": {"kind": "sgd", "lr": 0.2, "momentum": 0.9, "weight_decay": 5e-4},
        "schedule": {"kind": "one_cycle"},
        "batch_size": 512,
        "epochs": 10,
    },
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True, help="file for everything that was measured")
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--seconds", type=float, default=480, help="time for everything together")
    parser.add_argument("--only", choices=tuple(SHARES), default=None, help="this piece alone")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="`cpu`: to try the script")
    parser.add_argument("--piece", choices=tuple(PIECES), default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    asked = options()
    if asked.piece is not None:
        asked.json.write_text(json.dumps(PIECES[asked.piece](asked.data_dir, asked.device)))
        return
    end = time.perf_counter() + asked.seconds
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(asked.device),
        "versions": machine.versions([CETERIS, LOOP]),
    }
    for name, share in SHARES.items():
        if asked.only in (None, name):
            report[name] = piece(name, asked, share * (end - time.perf_counter()))
            asked.json.write_text(json.dumps(report, indent=2) + "\n")
            print(f"{name}: {json.dumps(report[name])[:2000]}", flush=True)


def piece(name: str, asked: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Measure one piece in a process of its own; what went wrong is part of what is found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        begin = time.perf_counter()
        try:
            done = subprocess.run(
                command(name, asked, out),
                cwd=HOME,
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
        return found | {"log": log[-3000:]}


def command(name: str, asked: argparse.Namespace, out: Path) -> list[str]:
    """Return what is run for a piece."""
    folder = ["--data-dir", str(asked.data_dir.resolve())] if asked.data_dir else []
    if name == "tests":
        if find_spec("pytest") is None:
            return [sys.executable, "-c", "raise SystemExit('pytest is not installed')"]
        return [sys.executable, "-m", "pytest", "-q", "--durations", "10", "tests/train/test_cuda.py"]
    if name == "table":
        more = ["--repeats", "3", "--peer-repeats", "1", "--seconds", "3", "--json", str(out)]
        return [sys.executable, "benchmarks/run.py", "--device", asked.device, *more, *folder]
    own = [sys.executable, __file__, "--piece", name, "--json", str(out)]
    return [*own, "--device", asked.device, *folder]


def learning_rate(data_dir: Path | None, device: str) -> dict[str, Any]:
    """Run the study whole, twice: the first run meets libraries that set themselves up."""
    seconds = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as runs:
            begin = time.perf_counter()
            result = ceteris.run(
                "fashion-mnist/learning-rate",
                seeds=5,
                device=device,
                runs_dir=runs,
                data_dir=data_dir,
                progress=False,
            )
            seconds.append(time.perf_counter() - begin)
            trained = sum(trial.seconds for trial in result.run.trials)
            scores = {trial.level: trial.metrics["val_accuracy"] for trial in result.trials}
    return {
        "seconds": seconds,
        "trained": trained,
        "val_accuracy": scores,
        "reached": min(seconds) < STUDY_SECONDS,
    }


def cnn(data_dir: Path | None, device: str) -> dict[str, Any]:
    """Train the CNN by every recipe and precision; the test rows judge it once each."""
    found: dict[str, Any] = {}
    for name, recipe in RECIPES.items():
        for precision in ("float32", "bfloat16"):
            experiment = {
                "data": {"source": FASHION, "scale": "symmetric", "validation": 0},
                "model": CNN,
                "precision": precision,
                **recipe,
            }
            with tempfile.TemporaryDirectory() as runs:
                result = ceteris.run(
                    {"title": "CNN", "experiment": experiment, "seeds": 1},
                    device=device,
                    runs_dir=runs,
                    data_dir=data_dir,
                    progress=False,
                )
                (trial,) = result.run.trials
                (scored,) = result.test(data_dir=data_dir).to_dict()["trials"]
                accuracy = scored["test_accuracy"]
            found[f"{name}, {precision}"] = {
                "seconds": trial.seconds,
                "test_accuracy": accuracy,
                "reached": accuracy >= ACCURACY and trial.seconds < CNN_SECONDS,
            }
    return found


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


Piece = Callable[[Path | None, str], dict[str, Any]]
PIECES: dict[str, Piece] = {"learning-rate": learning_rate, "cnn": cnn}

if __name__ == "__main__":
    main()
