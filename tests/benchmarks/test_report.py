"""What the benchmark writes: medians, ratios within a round, tables, and who was left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contestants import CETERIS, CONTESTANTS, LOOP, Contestant
from benchmarks.measuring import Found, rows_of
from benchmarks.processes import Unable
from benchmarks.task import Outcome
from benchmarks.workloads import Stack, Workload

from benchmarks import run, tables

ONE, FOUR = Stack(1, 1), Stack(2, 2, goal=3.0)
WORKLOAD = Workload("tiny", "digits", {}, {"lr": 0.1}, 32, 1, (FOUR,))
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def outcome(speed: float, stack: Stack, score: float = 0.9, steps: int = 10) -> Outcome:
    return Outcome(stack.members / speed, 0.5, stack.members, 1, steps, score)


def found() -> Found:
    made = Found()
    made.outcomes[LOOP.name, ONE] = [outcome(speed, ONE) for speed in (1.0, 2.0, 4.0)]
    made.outcomes[CETERIS.name, FOUR] = [outcome(speed, FOUR) for speed in (5.0, 6.0, 16.0)]
    made.outcomes["sklearn_sgd", ONE] = [outcome(3.0, ONE, steps=320)]
    made.unable["sklearn_mlp"] = Unable("it has no dropout")
    made.unable["keras_on_torch"] = Unable("Traceback\nValueError: broken", failed=True)
    return made


def report() -> dict[str, Any]:
    rows = rows_of(WORKLOAD, found(), CONTESTANTS)
    machine = {"processor": "P", "cores": 2, "memory_gib": 4.0, "system": "S", "load": 0.1, "load_after": 1.0}
    return {
        "date": "2026-01-01",
        "machine": machine,
        "versions": {"torch": "2"},
        "repeats": 3,
        "peer_repeats": 1,
        "seconds": 120,
        "skipped": ["JAX scan, vmap was skipped: jax not installed here."],
        "rows": [row | {"epochs": 1} for row in rows],
    }


def test_ratios_are_taken_within_a_round() -> None:
    (row,) = rows_of(WORKLOAD, found(), CONTESTANTS)
    ours = row["contestants"][CETERIS.name]
    assert ours["model_epochs_per_second"] == pytest.approx(6.0)
    assert [ours[key] for key in ("ratio_low", "ratio", "ratio_high")] == pytest.approx([3.0, 4.0, 5.0])
    assert (row["members"], row["goal"]) == (4, 3.0)


def test_the_table_shows_speeds_ratios_goals_and_who_did_other_work() -> None:
    lines = tables.render(report()).splitlines()
    assert "| workload: members | DataLoader loop | Ceteris | SGDRegressor | goal |" in lines
    assert "| tiny: 2 x 2 members | 2 | 6 (**4 x**, 3 to 5) | 3 (3 x)\\* | 3 x |" in lines
    assert "| tiny: 2 x 2 members | 1 | 90.0 | 90.0 | 90.0 |" in lines
    assert (
        "- \\* SGDRegressor, tiny: 2 x 2 members: not the same work, 320 steps per epoch instead of 10."
        in lines
    )


def test_the_notes_name_who_failed_and_who_was_skipped() -> None:
    text = tables.render(report())
    assert "- JAX scan, vmap was skipped: jax not installed here." in text
    assert "- Keras on PyTorch, tiny: 2 x 2 members: failed (ValueError: broken)." in text


def test_tables_replace_what_is_between_the_marks_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.write_between_marks(page, "new")
    tables.write_between_marks(page, "newer")
    assert page.read_text() == f"# Before\n{tables.BEGIN}\n\nnewer\n\n{tables.END}\nafter\n"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("precious\n")
    with pytest.raises(SystemExit, match=r"page\.md lacks the lines"):
        tables.write_between_marks(page, "new")
    assert page.read_text() == "precious\n"


def test_the_documentation_has_a_place_for_the_tables() -> None:
    text = PAGE.read_text()
    assert text.count(tables.BEGIN) == text.count(tables.END) == 1


def test_a_peer_that_is_not_installed_is_skipped_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CONTESTANTS, "absent", Contestant("absent", "Absent", ("no-such-package-here",)))
    chosen, skipped = run.choose("absent, tensor_loop")
    assert list(chosen) == [LOOP.name, CETERIS.name, "tensor_loop"]
    assert skipped == ["Absent was skipped: no-such-package-here not installed here."]
    assert skipped[0] in capsys.readouterr().err


def test_no_peers_leave_ceteris_and_the_loop() -> None:
    assert list(run.choose("none")[0]) == [LOOP.name, CETERIS.name]


def test_an_unknown_contestant_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(
        SystemExit, match=r"there is no contestant `jaxx`; there are dataloader_loop, .*jax_scan"
    ):
        run.choose("jaxx")


def test_rows_of_other_workloads_are_kept_with_their_day(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    earlier = report()
    earlier["rows"] = [row | {"date": "2025-12-31"} for row in earlier["rows"]]
    path.write_text(json.dumps(earlier))
    assert run.kept(path, ["tiny"])["rows"] == []
    kept = run.kept(path, ["another"])["rows"]
    assert [row["workload"] for row in kept] == ["tiny"]
    assert "- tiny: 2 x 2 members was measured on 2025-12-31." in tables.render(report() | {"rows": kept})


def test_rows_are_kept_only_in_a_named_report() -> None:
    with pytest.raises(SystemExit, match="name it by --json"):
        run.kept(None, [])


def test_who_was_not_asked_for_a_row_has_an_empty_place_in_it() -> None:
    made = report()
    del made["rows"][0]["contestants"]["sklearn_sgd"]
    (more,) = rows_of(WORKLOAD, found(), CONTESTANTS)
    text = tables.render(made | {"rows": [*made["rows"], more | {"epochs": 1}]})
    assert "| tiny: 2 x 2 members | 2 | 6 (**4 x**, 3 to 5) | - | 3 x |" in text
