"""``ceteris search``: what it prints, its JSON, and that a run of it is a run like others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_json import check

SPACE = ("--space", "optimizer.lr={log: [0.01, 1]}", "--space", "batch_size=[32, 64]")
SMALL = ("digits/learning-rate", *SPACE, "--trials", "3", "--seeds", "2", "--epochs", "1", "--workers", "1")


@pytest.mark.slow
def test_a_search_is_one_object_and_its_run_shows_a_ranking(ceteris: Command) -> None:
    done = ceteris("search", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    found = check(done.stdout)
    assert "the study's own levels and claims are left out: a search trains candidates" in done.stderr
    assert len(found["trials"]) == 6
    search = found["search"]
    assert (search["method"], search["metric"], search["better"]) == ("random", "val_accuracy", "higher")
    scores = [candidate["score"]["mean"] for candidate in search["candidates"]]
    assert scores == sorted(scores, reverse=True)
    for candidate in search["candidates"]:
        own = [t["metrics"]["val_accuracy"] for t in found["trials"] if t["level"] == candidate["level"]]
        assert candidate["score"]["mean"] == pytest.approx(sum(own) / 2)
        assert set(candidate["values"]) == {"optimizer.lr", "batch_size"}
    assert search["best"] == search["candidates"][0]["level"]
    assert '<h2 id="search-title">' in Path(found["report"]).read_text(encoding="utf-8")
    shown = ceteris("show", "last")
    assert "3 candidates drawn at random, all on the same 2 seeds" in shown.stdout
    judged = json.loads(ceteris("test", "last", "--json").stdout)
    assert judged["selection"]["chosen"] == search["best"]


def test_what_is_wrong_with_a_search_is_told_by_its_options(ceteris: Command) -> None:
    done = ceteris("search", "digits/learning-rate", "--space", "optimizer.lr={log: [0, 1]}", "--trials", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:2] == [
        "--space optimizer.lr={log: [0, 1]}: a logarithmic range lies above 0, and 0 does not",
        "--trials 0: 0 is not a number of candidates; it must be a whole number from 2 to 1,000",
    ]
