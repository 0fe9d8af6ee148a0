import pytest

from ceteris.lab.quick import quick, quick_note
from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.parse import parse_study
from tests.lab.made import settings


def test_a_quick_study_is_smaller_in_everything_and_says_so() -> None:
    study = parse_study(settings(data="fashion-mnist", epochs=20) | {"seeds": 10}).study
    small = quick(study)
    assert small.title == "A small study (provisional)"
    assert seed_list(small) == (0, 1, 2)
    assert small.experiment.epochs == 3
    assert small.experiment.data.rows == 3_000
    assert [f.labels for f in small.vary] == [f.labels for f in study.vary]
    assert quick_note(study) == (
        "a quick look, and provisional: 3 of 10 seeds, 3 of 20 epochs, 3,000 training rows, 2,000 validation "
        "rows; run it without --quick for the answer"
    )


def test_fewer_rows_of_large_sources_validate_unless_the_study_or_its_folds_say_which() -> None:
    base = settings(data="fashion-mnist")
    vary = {"way": {"other": {"data": "mnist"}, "own": {"data.validation": 500}, "same": {}}}
    found = {
        c.label: c.experiment.data for c in combinations(quick(parse_study(base | {"vary": vary}).study))
    }
    assert [found[label].validation for label in ("other", "own", "same")] == [2_000, 500, 2_000]
    assert quick(parse_study(base | {"folds": 5}).study).experiment.data.validation is None
    assert quick(parse_study(settings()).study).experiment.data.validation is None


def test_levels_that_set_epochs_or_rows_are_shortened_too() -> None:
    vary = {
        "way": {"long": {"epochs": 40}, "much": {"data.rows": 30_000}, "other": {"data": "mnist"}, "same": {}}
    }
    study = parse_study(settings(data="fashion-mnist") | {"vary": vary}).study
    found = {c.label: c.experiment for c in combinations(quick(study))}
    assert found["long"].epochs == 15
    assert found["much"].data.rows == 3_000
    assert (found["other"].data.source, found["other"].data.rows) == ("mnist", 3_000)


def test_rows_stay_enough_for_the_largest_batch_and_small_sources_stay_whole() -> None:
    vary = {"batch_size": [32, 10_000]}
    study = parse_study(settings(data="fashion-mnist") | {"vary": vary}).study
    assert quick(study).experiment.data.rows == 10_000
    digits = parse_study(settings() | {"seeds": 2}).study
    assert quick(digits).experiment.data.rows is None
    assert quick(digits).experiment == digits.experiment
    assert parse_study(quick(digits)).study == quick(digits)


def test_the_note_counts_what_was_asked_for() -> None:
    study = parse_study(settings(epochs=20) | {"seeds": 10}).study
    small = quick(study).model_copy(update={"seeds": 6})
    assert quick_note(study, small).startswith(
        "a quick look, and provisional: 6 of 10 seeds, 3 of 20 epochs;"
    )


def test_levels_with_more_epochs_than_others_keep_more_and_schedules_shrink_with_them() -> None:
    step = {"kind": "step", "step_size": 10, "gamma": 0.1}
    vary = {"way": {"twice": {"epochs": 20}, "step": {"schedule": step}, "five": {"epochs": 50}}}
    study = parse_study(settings(data="fashion-mnist", epochs=10) | {"vary": vary}).study
    found = {c.label: c.experiment for c in combinations(quick(study))}
    assert [found[label].epochs for label in ("twice", "step", "five")] == [6, 3, 15]
    assert found["step"].schedule.step_size == 3


def test_the_epochs_of_a_claim_move_with_the_others_and_stay_two() -> None:
    claim = {"text": "It falls.", "metric": "val_loss", "at": "change", "within": {"high": 0}}
    given = settings(epochs=40) | {"quick": {"epochs": 4}}
    pairs = {(20, 40): (2, 4), (19, 21): (2, 3), (1, 2): (1, 2)}
    given["claims"] = [claim, *(claim | {"between": list(own)} for own in pairs)]
    small = quick(parse_study(given).study)
    assert [own.between for own in small.claims] == [None, *pairs.values()]


def test_a_study_says_itself_what_its_quick_look_needs() -> None:
    own = {"rows": 400, "epochs": 12, "seeds": 4}
    schedule = {"kind": "multi_step", "milestones": [20, 30], "warmup": 5}
    given = settings(epochs=40) | {"seeds": 10, "quick": own}
    probes = {"histograms": [0, 1, 20], "confusion": "last", "grid": {"epochs": [39, 40]}}
    given["experiment"] |= {"schedule": schedule, "probes": probes}
    small = quick(parse_study(given).study)
    assert small.experiment.data.rows == 400
    assert small.experiment.epochs == 12
    assert small.experiment.schedule.milestones == (6, 9)
    assert small.experiment.schedule.warmup == pytest.approx(1.5)
    assert small.experiment.probes.histograms == (0, 1, 6)
    assert small.experiment.probes.confusion == "last"
    assert small.experiment.probes.grid.epochs == (12,)
    assert seed_list(small) == (0, 1, 2, 3)
    assert parse_study(small).study == small
