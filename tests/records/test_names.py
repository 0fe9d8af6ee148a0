"""Names of runs: readable, sortable, unique, and found by what a user types."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.errors import CeterisError
from ceteris.records.names import new_run_id, resolve_run, slug

MOMENT = datetime(2026, 11, 22, 8, 45, 12, tzinfo=UTC)
IDS = (
    "20261123-100000-batch-size-11aa",
    "20261122-084512-learning-rate-3f2a",
    "20261122-084512-learning-rate-9b01",
)
FOLDER = Path("ceteris-runs")


@pytest.mark.parametrize(
    ("study_name", "title", "middle"),
    [
        ("digits/learning-rate", "What does it do?", "learning-rate"),
        ("my_study.yaml", "", "my-study"),
        ("", "Größer als β = 0,9?", "groer-als-0-9"),
        ("", "学習率", "study"),
        ("", "", "study"),
        ("", "a" * 300, "a" * 40),
        ("../../etc/passwd", "", "passwd"),
    ],
)
def test_new_ids(study_name: str, title: str, middle: str) -> None:
    assert re.fullmatch(rf"20261122-084512-{middle}-[0-9a-f]{{4}}", new_run_id(study_name, title, MOMENT))


@given(st.text())
def test_slugs_are_safe_file_names(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9.=-]+", slug(text, keep=".="))
    assert not slug(text, keep=".=").startswith(".")


@pytest.mark.parametrize(
    ("text", "found"), [("last", IDS[0]), (IDS[2], IDS[2]), ("20261123", IDS[0]), (IDS[1][:-2], IDS[1])]
)
def test_short_forms(text: str, found: str) -> None:
    assert resolve_run(text, IDS, FOLDER) == found


def test_several_runs_begin_so() -> None:
    with pytest.raises(CeterisError) as error:
        resolve_run("20261122", IDS, FOLDER)
    assert str(error.value) == (f"2 runs begin with `20261122`: {IDS[1]}, {IDS[2]}; give more of the name")


@pytest.mark.parametrize(
    ("text", "guess"), [("20261123-100000-bach-size-11aa", IDS[0]), ("learning-rate", IDS[1])]
)
def test_unknown_run_with_the_nearest(text: str, guess: str) -> None:
    with pytest.raises(CeterisError) as error:
        resolve_run(text, IDS, FOLDER)
    assert str(error.value) == (
        f"there is no run `{text}` in ceteris-runs; did you mean `{guess}`? (most recent: {', '.join(IDS)})"
    )


def test_unknown_run_that_is_like_nothing() -> None:
    many = [f"2026112{day}-100000-depth-00aa" for day in reversed(range(9))]
    with pytest.raises(CeterisError) as error:
        resolve_run("", many, FOLDER)
    assert str(error.value) == (
        f"there is no run `` in ceteris-runs (most recent: {', '.join(many[:5])} and 4 more)"
    )


def test_no_runs_at_all() -> None:
    with pytest.raises(CeterisError, match="there are no runs in ceteris-runs yet"):
        resolve_run("last", (), FOLDER)
