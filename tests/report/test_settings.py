from ceteris.report.settings import compare_settings

SGD = {"data": {"source": "digits"}, "optimizer": {"kind": "sgd", "lr": 0.1}, "epochs": 5, "metrics": []}
ADAM = {**SGD, "optimizer": {"kind": "adam", "lr": 0.1, "beta1": 0.9}}


def test_what_differs_is_varied_and_everything_else_was_held_equal():
    found = compare_settings({"sgd": SGD, "adam": ADAM})
    assert found.varied == ("optimizer.kind", "optimizer.beta1")
    assert found.levels == {"sgd": ("sgd", "–"), "adam": ("adam", "0.9")}
    equal = {s.path: s.value for group in found.equal.values() for s in group}
    assert equal == {"data.source": "digits", "epochs": "5", "metrics": "none", "optimizer.lr": "0.1"}


def test_settings_are_grouped_for_reading():
    found = compare_settings({"only": SGD})
    assert found.varied == ()
    assert list(found.equal) == ["Data", "Optimiser", "Training"]


def test_true_and_1_are_different_settings():
    assert compare_settings({"a": {"x": True}, "b": {"x": 1}}).varied == ("x",)


def test_no_trials_at_all():
    assert compare_settings({}).equal == {}


def test_equal_items_in_a_row_are_counted() -> None:
    levels = {"deep": {"model": {"hidden": [64] * 100 + [32, 32]}}, "flat": {"model": {"hidden": []}}}
    found = compare_settings(levels)
    assert found.levels == {"deep": ("100 × 64, 32, 32",), "flat": ("none",)}
