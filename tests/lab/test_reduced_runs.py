"""Whole runs whose levels make other inputs of the same rows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ceteris
from ceteris.data import load


@pytest.mark.slow
def test_levels_of_other_sizes_share_rows_and_predict_rows_of_the_original_shape(tmp_path: Path) -> None:
    study = {
        "experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [16]}, "epochs": 2},
        "vary": {"inputs": {"whole": {}, "pooled": {"data.resize": [4, 2]}, "mixed": {"data.project": 8}}},
        "seeds": 1,
    }
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    widths = {
        trial.level: next(w.shape[1] for w in trial.weights().values() if len(w) == 16 and w.ndim == 2)
        for trial in result.trials
    }
    assert widths == {"whole": 64, "pooled": 8, "mixed": 8}
    assert result.test().rows == 360
    again = ceteris.extend(result.id, seeds=2, runs_dir=tmp_path, progress=False)
    assert len(again.trials) == 6


@pytest.mark.slow
def test_own_rows_are_kept_as_they_were(tmp_path: Path) -> None:
    digits = load("digits")
    study = {
        "experiment": {
            "data": {"source": "arrays", "resize": [4, 4]},
            "model": {"kind": "mlp", "hidden": [8]},
            "epochs": 1,
        },
        "seeds": 1,
    }
    result = ceteris.run(study, data=(digits.x, digits.y), runs_dir=tmp_path, progress=False)
    (kept,) = (tmp_path / "data").glob("*.npz")
    with np.load(kept) as file:
        np.testing.assert_array_equal(file["x"], digits.x)
    again = ceteris.extend(result.id, seeds=2, runs_dir=tmp_path, progress=False)
    assert len(again.trials) == 2


@pytest.mark.slow
def test_a_folder_of_images_is_trained_on_and_found_again(tmp_path: Path) -> None:
    digits = load("digits")
    for label in range(2):
        own = tmp_path / "images" / f"class {label}"
        own.mkdir(parents=True)
        for row in np.flatnonzero(digits.y == label)[:40]:
            Image.fromarray((digits.x[row] * 15).astype(np.uint8)).save(own / f"{row}.png")
    study = {
        "experiment": {
            "data": {"source": str(tmp_path / "images"), "augment": {"shift": 1}},
            "model": {"kind": "cnn", "convolutions": [4], "hidden": []},
            "epochs": 10,
        },
        "seeds": 1,
    }
    result = ceteris.run(study, runs_dir=tmp_path / "runs", progress=False)
    assert result.trials[0].metrics["val_accuracy"] > 0.9
    assert len(ceteris.extend(result.id, seeds=2, runs_dir=tmp_path / "runs", progress=False).trials) == 2
