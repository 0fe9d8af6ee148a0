"""Which run of a named study is taken for the very same one."""

from pathlib import Path
from typing import Any

import pytest

from ceteris.api.replication import recorded, seconds_left
from ceteris.api.replication_time import FIXED, roughly, study_seconds
from ceteris.api.studies import Planned
from ceteris.records.store import Store
from ceteris.spec import parse_study, study_to_dict
from ceteris.spec.combine import seed_list
from tests.lab.made import small_study
from tests.records.plans import planned


@pytest.mark.parametrize("same", [True, False])
def test_a_record_from_before_a_setting_existed_is_the_same_study(tmp_path: Path, same: bool) -> None:
    parsed = small_study(**({} if same else {"probes": {"histograms": "last"}}))
    study: dict[str, Any] = study_to_dict(parsed.study)
    del study["experiment"]["probes"]
    study["experiment"]["data"]["content"] = "c0ffee"
    with Store(tmp_path) as store:
        run = store.create_run(study, "small", parsed.study.title, planned(), {}, {}, {}, "cpu")
    found = recorded(Planned(parsed, "small", None), tmp_path)
    assert found == ((run, "stopped") if same else None)


def test_the_time_left_is_corrected_by_what_was_spent() -> None:
    assert seconds_left([], [10.0, 20.0]) == 30.0
    assert seconds_left([(10.0, 20.0), (20.0, 40.0)], [30.0]) == pytest.approx(30 * 120 / 90)
    assert seconds_left([(1e6, 2e6)], [30.0]) == pytest.approx(60, rel=1e-3)


def test_a_rough_time_grows_with_the_work_and_is_told_with_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    small, long = small_study().study, small_study(epochs=100_000).study
    assert FIXED < study_seconds(small) < study_seconds(long)
    twice = small.model_copy(update={"seeds": 2 * len(seed_list(small))})
    assert study_seconds(twice) - FIXED == pytest.approx(2 * (study_seconds(small) - FIXED))
    assert roughly([small]) == "very roughly 1 min on 2 cores"
    assert roughly([long] * 600) == "very roughly 3 hours on 2 cores"


def test_the_rough_time_of_a_full_run_is_right_to_a_factor_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that was run: 139 s on two cores with other work beside (docs/replication/fashion-mnist.md)."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert 139 / 3 < study_seconds(parse_study("fashion-mnist/mlp").study) < 139 * 3
