"""Pieces of what ``gpu.py`` measures on a card, one a process.

python benchmarks/gpu_pieces.py PIECE --json FILE [--data-dir DIR] [--device cuda]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import ceteris
from benchmarks.workloads import CNN, FASHION

ACCURACY, CNN_SECONDS, STUDY_SECONDS = 0.915, 5.0, 30.0
"""What is wanted of the CNN and of the study."""
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


Piece = Callable[[Path | None, str], dict[str, Any]]
PIECES: dict[str, Piece] = {"learning-rate": learning_rate, "cnn": cnn}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("piece", choices=tuple(PIECES))
    parser.add_argument("--json", type=Path, required=True, help="file for what is found")
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked = parser.parse_args()
    asked.json.write_text(json.dumps(PIECES[asked.piece](asked.data_dir, asked.device)))


if __name__ == "__main__":
    main()
