"""What a record itself says about its numbers."""

from dataclasses import replace

import numpy as np

from ceteris.api.remarks import metrics_without_numbers, run_remarks
from tests.report.sample import CLASSIFICATION, made_run, made_study


def test_a_metric_that_never_was_a_number_is_named() -> None:
    run = made_run(made_study(), metrics=(*CLASSIFICATION, "val_odd", "train_odd"))
    nothing = {"val_odd": np.full(12, np.nan)}
    odd = replace(run, trials=tuple(replace(t, curves={**t.curves, **nothing}) for t in run.trials))
    assert metrics_without_numbers(run) == ()
    assert run_remarks(odd) == (
        "`val_odd` was not a number (NaN) in any epoch of any trial, so it stands in no table.",
    )


def test_one_number_is_enough() -> None:
    run = made_run(made_study(), metrics=(*CLASSIFICATION, "val_odd"))
    first, *others = run.trials
    kept = [replace(t, curves={**t.curves, "val_odd": np.full(12, np.nan)}) for t in others]
    assert run_remarks(replace(run, trials=(first, *kept))) == ()


def test_what_a_quick_look_left_out_comes_first() -> None:
    run = made_run(made_study())
    assert run_remarks(replace(run, facts={**run.facts, "remark": "A quick look."})) == ("A quick look.",)
    noted = replace(
        run, facts={**run.facts, "remark": "A quick look."}, study={**run.study, "note": "Mind it."}
    )
    assert run_remarks(noted) == ("A quick look.", "Mind it.")
