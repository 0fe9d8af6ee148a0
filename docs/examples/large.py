"""More rows than may be held in memory: they stay on disk, and batches are fetched from there.

CETERIS_MEMORY_MIB says how much prepared rows may take; here 8 MiB, and the rows take 61.

python docs/examples/large.py
"""

import os
from pathlib import Path

import numpy as np

import ceteris

FOLDER = Path("example-data") / "large"
ROWS, FEATURES = 80_000, 200

os.environ["CETERIS_MEMORY_MIB"] = "8"
FOLDER.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
weights = rng.normal(size=FEATURES)
x = np.lib.format.open_memmap(FOLDER / "x.npy", "w+", np.float32, (ROWS, FEATURES))
y = np.empty(ROWS, dtype=np.float32)
for begin in range(0, ROWS, 10_000):  # written piece by piece, too
    part = rng.normal(size=(10_000, FEATURES)).astype(np.float32)
    x[begin : begin + 10_000], y[begin : begin + 10_000] = part, part @ weights
x.flush()
np.save(FOLDER / "y.npy", y)

experiment = ceteris.Experiment(
    data={"source": str(FOLDER), "scale": "standardize"}, model="linear", batch_size=256, epochs=2
)
print(ceteris.run(experiment, seeds=1))
