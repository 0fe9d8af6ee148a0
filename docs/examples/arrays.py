"""Rows in memory: arrays, tensors, frames or lists, with names for the classes.

python docs/examples/arrays.py
"""

import numpy as np

import ceteris

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int)

experiment = ceteris.Experiment(
    data=(X[:300], y[:300], ["unlike signs", "like signs"]),
    test=(X[300:], y[300:]),
    model="linear",
    optimizer={"kind": "adam", "lr": 0.03},
    epochs=20,
)
networks = {"linear": {}, "hidden layer": {"model": {"kind": "mlp", "hidden": [16]}}}
claim = {"text": "No line parts them.", "metric": "val_accuracy", "greater": ["hidden layer", "linear"]}
study = ceteris.vary(experiment, {"network": networks}, claims=[claim], seeds=3)
result = ceteris.run(study)
print(result)
print(result.test())
