"""Before anything is trained, rows that make no sense are refused, and doubtful ones are told."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from ceteris.data import arrays, load
from ceteris.lab.binding import bind
from ceteris.lab.datasets import LoadedData
from ceteris.lab.run import tell_doubts
from ceteris.spec.data import DataSpec
from ceteris.spec.parse import parse_study
from tests.lab.made import Diary, settings

ROWS = np.random.default_rng(0).normal(size=(120, 3))


def problems_with(data: object, dataset: object) -> list[str]:
    parsed = parse_study(settings(data=data) | {"seeds": 2})
    reading = parsed.study.experiment.data.reading
    _, problems = bind(parsed, LoadedData({reading: dataset}, {}), [])
    return list(map(str, problems))


def test_doubts_are_told_once() -> None:
    diary, own = Diary(), arrays(ROWS, np.array([0.0, 1.0] * 60))
    found = tell_doubts(LoadedData({"arrays": own, "a copy": own}, {}), [], diary)
    assert diary.notes == list(found)
    (note,) = found
    assert "so its 2 different values are numbers to predict" in note


@pytest.mark.parametrize(("scales", "told"), [(["none", "none"], 1), (["none", "standardize"], 0)])
def test_targets_far_from_unit_scale_are_told_unless_scaled(scales: list[str], told: int) -> None:
    specs = [DataSpec.model_validate({"source": "arrays", "target_scale": scale}) for scale in scales]
    far = LoadedData({"arrays": arrays(ROWS, 1000 + 200 * ROWS[:, 0])}, {})
    notes = tell_doubts(far, specs, Diary())
    assert len(notes) == told
    assert all("`data.target_scale: standardize` learns them on that scale" in note for note in notes)
    near = LoadedData({"arrays": arrays(ROWS, ROWS[:, 0])}, {})
    assert tell_doubts(near, specs, Diary()) == ()


def test_rows_of_a_single_class_are_refused() -> None:
    assert (
        "experiment.data.source: all rows of `arrays` are of one class, `no`: there is nothing to tell "
        "apart; give rows of two or more classes"
    ) in problems_with("arrays", arrays(ROWS, ["no"] * 120))


def test_as_many_classes_as_rows_are_refused() -> None:
    dataset = arrays(ROWS[:30], [f"c{n}" for n in range(30)])
    assert (
        "experiment.data.source: every row of `arrays` is a class of its own (30 classes): nothing can be "
        "learned of a class that holds for another row; numbers to predict must be of a floating-point type"
    ) in problems_with("arrays", dataset)


def test_an_identifier_among_the_inputs_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame = pandas.DataFrame({"size": ROWS[:, 0], "who": [f"K{n}" for n in range(120)], "y": ROWS[:, 1]})
    frame.to_csv(path, index=False)
    data = {"source": str(path), "target": "y"}

    def told(**more: object) -> list[str]:
        own = data | more
        reading = parse_study(settings(data=own)).study.experiment.data.reading
        return problems_with(own, load(reading))

    (problem,) = (line for line in told() if "`who`" in line)
    assert "`data.ids: [who]` keeps it beside the predictions, `data.drop: [who]` leaves it out" in problem
    for named in ({"ids": ["who"]}, {"drop": ["who"]}):
        assert not any("`who`" in line for line in told(**named))
