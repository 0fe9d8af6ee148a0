"""``ceteris studies``: the named studies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from ceteris.cli import screen
from ceteris.cli.groups import LOOK
from ceteris.cli.options import AsJson
from ceteris.cli.screen import print_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ceteris.spec.named import NamedStudy

app = App(name="studies", group=LOOK, help="The named studies that come with Ceteris.")


@app.default
@app.command(name="list")
def list_studies(*, as_json: AsJson = False) -> None:
    """List the named studies by subject, with the question that each asks."""
    from ceteris.spec.named import named_studies

    found = named_studies()
    if as_json:
        fields = ("name", "title", "source", "seeds", "factors", "levels")
        print_json({"studies": [{name: getattr(study, name) for name in fields} for study in found]})
        return
    going_on = "ceteris run SUBJECT/NAME runs one, ceteris studies show SUBJECT/NAME prints one."
    screen.show(*_by_subject(found), going_on)


def _by_subject(found: Sequence[NamedStudy]) -> Iterator[RenderableType]:
    """Yield a heading for each subject, and below it one line for each of its studies.

    A terminal that is narrower than a line shows its beginning; the whole title is in ``studies show``.
    """
    from rich.text import Text

    for subject, studies in groupby(found, key=lambda study: study.name.partition("/")[0]):
        titles = {study.name.partition("/")[2]: study.title for study in studies}
        width = max(map(len, titles))
        yield Text(subject, style="bold")
        for name, title in titles.items():
            yield Text(f"  {name:<{width}}  {title}", no_wrap=True, overflow="ellipsis")
        yield ""


@app.command
def show(
    name: Annotated[str, Parameter(help="A named study, such as digits/learning-rate, or a YAML file.")],
    /,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a study: its YAML file, to run as it stands or to copy and change."""
    from ceteris.spec.combine import combinations, seed_list
    from ceteris.spec.dump import study_to_dict
    from ceteris.spec.parse import parse_study

    parsed = parse_study(name)
    study = parsed.study
    levels = [combination.label for combination in combinations(study)]
    if as_json:
        seeds = list(seed_list(study))
        print_json({"name": name, "levels": levels, "seeds": seeds, "study": study_to_dict(study)})
        return
    text = _text_of(parsed.file)
    print(text if text.endswith("\n") else f"{text}\n", end="")
    count, k = len(seed_list(study)), 1 if study.folds is None else study.folds.k
    folds = f" x {k} folds" if k > 1 else ""
    trials = len(levels) * count * k
    print(f"# {len(levels)} levels x {count} seeds{folds} = {trials} trials; ceteris run {name}")


@app.command
def settings(
    *,
    page: Annotated[
        Literal["settings", "experiment"] | None,
        Parameter(help="Only that page: the study's settings, or the experiment's."),
    ] = None,
) -> None:
    """Print every setting of a study with its default and meaning, as Markdown."""
    from ceteris.spec.reference import settings_reference

    print(settings_reference(page), end="")


def _text_of(file: str | None) -> str:
    from pathlib import Path

    return "" if file is None else Path(file).read_text(encoding="utf-8")
