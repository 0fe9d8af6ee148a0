"""A study that trains from scratch and built in, through worker processes and records."""

from __future__ import annotations

from pathlib import Path

import ceteris


def test_a_study_over_implementations_finds_them_equal(tmp_path: Path) -> None:
    experiment = ceteris.Experiment(
        data="digits",
        model={"kind": "mlp", "hidden": [16], "dropout": 0.2},
        optimizer={"kind": "sgd", "lr": 0.1},
        epochs=2,
    )
    equal = {"levels": ["scratch", "builtin"], "margin": 1e-4}
    study = ceteris.vary(
        experiment,
        {"implementation": ["scratch", "builtin"]},
        seeds=3,
        claims=[{"text": "Both end with the same loss.", "metric": "val_loss", "equal": equal}],
    )
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert [own.verdict for own in result.verdicts] == ["supported"]
    for seed in range(3):
        scratch, builtin = (result.trial(name, seed).weights() for name in ("scratch", "builtin"))
        assert list(scratch) == list(builtin)
        assert any((scratch[name] != builtin[name]).any() for name in scratch), "one program trained both"
