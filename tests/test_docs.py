"""The documentation holds together: links lead somewhere, files that it names are there, no walls of text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
DOCS = HOME / "docs"
DESIGN = [DOCS / "design.md", *sorted((DOCS / "design").glob("*.md"))]
PAGES = [
    HOME / "README.md",
    *sorted(DOCS.glob("**/*.md")),
    *sorted((HOME / "src").glob("**/*.md")),
]
MOST_CHARACTERS = 650
SOURCES = [file.relative_to(HOME).as_posix() for file in HOME.glob("[!.]*/**/*.*") if file.is_file()]


def name(page: Path) -> str:
    return page.relative_to(HOME).as_posix()


def prose(page: Path) -> str:
    """The page without its blocks of code, which may hold what only looks like a link or a heading."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Names of a page's headings in links, by GitHub's rules: a heading that is there again gets a number."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ +(.*)$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w -]", "", plain.strip().lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
        if found[anchor]:
            found[f"{anchor}-{found[anchor]}"] = 0
    return set(found)


def dead_links(page: Path) -> Iterator[str]:
    """Yield every relative link of a page that leads to no file, or to no heading of it."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `b`: c\n## Twice\n## Twice\n```\n# code\n```\n")
    links = "other.md", "other.md#a-b-c", "other.md#twice-1", "#own", "https://else.where/#x"
    dead = "absent.md", "other.md#code", "other.md#twice-2", "#absent"
    page = tmp_path / "page.md"
    page.write_text("# Own\n" + "\n".join(f"[text]({link})" for link in (*links, *dead)))
    assert list(dead_links(page)) == list(dead)


@pytest.mark.parametrize("page", DESIGN, ids=name)
def test_every_file_that_a_page_of_the_design_names_is_there(page: Path) -> None:
    named = re.findall(r"`([\w/]+\.(?:py|js))`", page.read_text(encoding="utf-8"))
    assert [file for file in named if not any(f"/{own}".endswith(f"/{file}") for own in SOURCES)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_paragraph_is_a_wall_of_text(page: Path) -> None:
    """A paragraph or item is a handful of lines; rows of tables may be longer."""
    parts = re.split(r"\n\s*\n|\n(?= *(?:- |\d+\. |\|))", prose(page))
    assert [part[:60] for part in parts if len(part) > MOST_CHARACTERS and not part.startswith("|")] == []


def test_every_page_of_the_design_is_in_its_table() -> None:
    entry, *pages = DESIGN
    text = entry.read_text(encoding="utf-8")
    assert pages
    assert [page.name for page in pages if f"](design/{page.name})" not in text] == []
