from dataclasses import replace
from pathlib import Path

import numpy as np

from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.lab.datasets import (
    found_again,
    lasting_source,
    load_sources,
    rename_combination,
    rename_sources,
)
from ceteris.spec.combine import combinations
from ceteris.spec.data import DataSpec
from tests.lab.made import small_study

ROWS = arrays(np.arange(40.0).reshape(20, 2), np.arange(20) % 2, name="arrays")
ROWS_OF_A_FILE = replace(ROWS, origin="/cache/downloads/a.csv")


def test_rows_in_memory_are_kept_beside_the_records_and_found_after_a_move(tmp_path: Path) -> None:
    source = lasting_source("arrays", ROWS, tmp_path / "runs")
    assert source == str(tmp_path / "runs" / "data" / f"{ROWS.content}.npz")
    assert load(source).content == ROWS.content
    (tmp_path / "runs").rename(tmp_path / "moved")
    again = found_again(source, tmp_path / "moved")
    assert again == str(tmp_path / "moved" / "data" / f"{ROWS.content}.npz")
    assert load(again).content == ROWS.content


def test_names_last_and_files_get_their_whole_path(tmp_path: Path) -> None:
    assert lasting_source("digits", load("digits"), tmp_path) == "digits"
    assert found_again("digits", tmp_path) == "digits"
    file = tmp_path / "own.npz"
    np.savez(file, x=ROWS.x, y=ROWS.y)
    assert lasting_source("own.npz", load(str(file)), tmp_path) == str(file)


def test_a_study_names_its_data_for_good_and_by_content() -> None:
    names, contents = {"arrays": "/kept.npz"}, {"arrays": "abc"}
    study = rename_sources(small_study(data="arrays").study, names, contents)
    assert (study.experiment.data.source, study.experiment.data.content) == ("/kept.npz", "abc")
    for found in combinations(study):
        assert found.experiment.data.content == "abc"


def test_levels_with_data_of_their_own_are_renamed_and_the_base_says_no_content() -> None:
    vary = {
        "rows": {"mine": {"data.source": "arrays"}, "all": {"data": {"source": "arrays", "scale": "none"}}}
    }
    parsed = small_study(vary=vary)
    names, contents = {"arrays": "/kept.npz", "digits": "digits"}, {"arrays": "abc", "digits": "def"}
    study = rename_sources(parsed.study, names, contents)
    assert study.experiment.data.content is None
    assert [c.experiment.data.source for c in combinations(study)] == ["/kept.npz", "/kept.npz"]
    own = [rename_combination(c, names, contents) for c in combinations(parsed.study)]
    assert [c.experiment.data.content for c in own] == ["abc", "abc"]
    assert own[1].experiment.data.scale == "none"


def test_each_source_is_loaded_once_and_failures_stand_by_their_source() -> None:
    loaded = load_sources(["digits", "digits", "arrays", "nowhere.npz"], None, ROWS)
    assert list(loaded.datasets) == ["digits", "arrays"]
    assert loaded.datasets["arrays"] is ROWS
    assert list(loaded.errors) == ["nowhere.npz"]


def test_the_file_with_test_rows_lasts_too(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y\n1,0.5\n2,1.5\n", encoding="utf-8")
    own = {"source": "a.csv", "target": "y", "test": "b.csv"}
    data = DataSpec.model_validate(own)
    dataset = load(data.reading, tmp_path)
    lasting = lasting_source(data.reading, dataset, tmp_path / "runs")
    assert load(found_again(lasting, tmp_path / "runs")).content == dataset.content
    vary = {"rows": {"none": {}, "others": {"data": own}, "named": {"data.test": "b.csv"}}}
    study = rename_sources(
        small_study(data=own, vary=vary).study, {data.reading: lasting}, {data.reading: "abc"}
    )
    assert study.experiment.data.reading == lasting
    for found in combinations(study):
        assert found.experiment.data.reading == lasting


def test_an_address_stays_one_in_a_record(tmp_path: Path) -> None:
    own = {"source": "https://example.org/a.csv?raw=1#b.csv", "target": "y", "checksum": "0" * 32}
    data = DataSpec.model_validate(own)
    lasting = lasting_source(data.reading, ROWS_OF_A_FILE, tmp_path)
    assert lasting == data.reading == found_again(data.reading, tmp_path)
    study = rename_sources(small_study(data=own).study, {data.reading: lasting}, {data.reading: "abc"})
    assert study.experiment.data == data.model_copy(update={"content": "abc"})
