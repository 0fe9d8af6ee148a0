"""Which run of a named study is taken for the very same one."""

from pathlib import Path
from typing import Any

import pytest

from ceteris.api.replication import recorded, seconds_left
from ceteris.api.studies import Planned
from ceteris.records.store import Store
from ceteris.spec import study_to_dict
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


def test_the_time_left_counts_what_the_smallest_study_takes_once_for_each() -> None:
    assert seconds_left([(1.0, 40.0)], [1000.0]) is None
    assert seconds_left([(1.0, 10.0), (3.0, 12.0)], [4.0, 6.0]) == pytest.approx(2 * 10 + 10 * 2 / 4)
