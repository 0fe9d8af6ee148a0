"""What happens when memory runs out: the trials are put into smaller parts, and nothing is lost.

Here a metric pretends that the first attempt finds no memory.

python docs/examples/out_of_memory.py
"""

import tempfile
from pathlib import Path

import torch

import ceteris

MARK = str(Path(tempfile.mkdtemp()) / "was here")


def sometimes(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if not Path(MARK).exists():
        Path(MARK).touch()
        raise MemoryError
    return (outputs.argmax(dim=1) == targets).float().mean()


if __name__ == "__main__":
    experiment = ceteris.Experiment(data="digits", model={"kind": "mlp", "hidden": [16]}, epochs=3)
    study = ceteris.vary(experiment, **{"optimizer.lr": [0.1, 0.01]}, seeds=2)
    metric = ceteris.metric(sometimes, better="higher")
    result = ceteris.run(study, metrics={"sometimes": metric}, workers=1)
    print([trial.status for trial in result.trials])
