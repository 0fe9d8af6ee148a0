"""docs/settings.md and experiment.md are what the classes say: nothing is missing, every example is valid."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from ceteris.spec.claim import Take
from ceteris.spec.claim_check import known_metrics
from ceteris.spec.document import parse_document
from ceteris.spec.losses import LossName
from ceteris.spec.parse import parse_study
from ceteris.spec.probes import probe_patterns
from ceteris.spec.reference import Page, settings_reference
from ceteris.spec.reference_parts import PARTS, part_of, reachable
from ceteris.spec.reference_tables import LOSSES, METRICS, TAKES

DOCS = Path(__file__).parents[2] / "docs"
PAGES: tuple[Page, ...] = get_args(Page)
EXAMPLES = [(part.title, example) for part in PARTS for example in part.examples]
BASE = {"experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [32]}}}


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_the_program_says(page: Page) -> None:
    assert (DOCS / f"{page}.md").read_text(encoding="utf-8") == settings_reference(page), (
        f"settings have changed: `ceteris studies settings --page {page} > docs/{page}.md`"
    )


def test_every_class_and_every_setting_is_listed() -> None:
    text = settings_reference()
    for owner in reachable():
        assert part_of(owner) is not None, owner.__name__
        for name in owner.model_fields:
            assert f"| `{name}` |" in text or name == "kind", f"{owner.__name__}.{name}"


@pytest.mark.parametrize(
    "row",
    [
        "| `momentum` | a number of at least 0 and below 1 | `0` | Share of the last step that goes into the "
        "next one. |",
        "| `optimizer` | see [experiment.optimizer](#experimentoptimizer), or a kind alone | `adam` |",
        "| `claims` | a list, each item as in [claims](#claims) | not set |",
        "| `scale` | one of unit, none, standardize, symmetric, or a number above 0 | `unit` |",
        "| `seeds` | a whole number from 1 to 10,000, or a list of 1 or more",
        "| `margin` | a number above 0 | required |",
    ],
)
def test_ranges_and_defaults_are_those_of_the_classes(row: str) -> None:
    assert row in settings_reference()


def test_every_metric_that_a_claim_may_use_is_named() -> None:
    """The message about a misspelt one says so."""
    assert [name for name in (*known_metrics(()), *probe_patterns()) if f"`{name}`" not in METRICS] == []
    assert METRICS in settings_reference()


@pytest.mark.parametrize(("names", "table"), [(get_args(LossName), LOSSES), (get_args(Take), TAKES)])
def test_every_name_of_a_choice_that_a_table_explains_is_in_it(names: tuple[str, ...], table: str) -> None:
    assert [name for name in names if f"`{name}`" not in table] == []
    assert table in settings_reference()


def headings(text: str) -> set[str]:
    return {
        "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_links_lead_to_headings() -> None:
    whole = settings_reference()
    assert set(re.findall(r"\]\(#([^)]+)\)", whole)) <= headings(whole)
    for page in PAGES:
        for owner, anchor in re.findall(r"\]\((\w*)(?:\.md)?#([^)]+)\)", settings_reference(page)):
            assert anchor in headings(settings_reference(owner or page)), (page, owner, anchor)


def test_both_pages_together_have_every_heading_of_the_whole() -> None:
    titles = headings(settings_reference("settings")) | headings(settings_reference("experiment"))
    assert titles - {"settings-of-an-experiment"} == headings(settings_reference())


@pytest.mark.parametrize(("title", "example"), EXAMPLES)
def test_every_example_is_part_of_a_study_that_can_be_run(title: str, example: str) -> None:
    given: dict[str, Any] = parse_document(example).data
    experiment = {**BASE["experiment"], **given.get("experiment", {})}
    assert parse_study({**given, "experiment": experiment}).study
