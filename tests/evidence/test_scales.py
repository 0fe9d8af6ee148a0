"""Numbers that are not on one scale, or do not mean what they seem to: said beside the verdict."""

from dataclasses import replace

import pytest

from ceteris.evidence.assessment import assess

from .made import claim, study, trial

CLASSES = {"val_loss": 0.5, "val_accuracy": 0.8, "train_accuracy": 0.9, "train_loss": 0.3}


def assessed(settings, *claims, curves=CLASSES):
    """Assess levels `a`, `b`, ... whose trials have these settings of the experiment."""
    found = [
        replace(
            trial(level, seed, {k: [v + 0.1 * place + 0.001 * seed**2] for k, v in curves.items()}),
            experiment=given,
        )
        for place, (level, given) in enumerate(settings.items())
        for seed in range(5)
    ]
    return assess(study({"lr": list(settings)}, *claims), found, validation_rows=None)


def explained(settings, metric, curves=CLASSES):
    (verdict,) = assessed(settings, claim(metric, less=("a", "b")), curves=curves).verdicts
    assert verdict.verdict == "supported"
    return verdict.explanation


def test_different_losses():
    settings = {"a": {"loss": "auto"}, "b": {"loss": "mse"}}
    words = "the levels' losses are different functions (cross_entropy and mse), not on one scale"
    assert words in explained(settings, "val_loss")
    assert "not on one scale" not in explained(settings, "val_accuracy")


@pytest.mark.parametrize("second", [{"loss": "cross_entropy"}, {}, {"loss": "auto", "loss_beta": 2.0}])
def test_the_same_loss_by_another_name(second):
    assert "one scale" not in explained({"a": {"loss": "auto"}, "b": second}, "val_loss")


def test_targets_on_different_scales():
    settings = {"a": {}, "b": {"data": {"target_scale": "log"}}}
    words = "the levels' losses are of targets on different scales (none and log)"
    assert words in explained(settings, "val_loss", {"val_loss": 0.5, "val_rmse": 2.0})
    assert words not in explained(settings, "val_rmse", {"val_loss": 0.5, "val_rmse": 2.0})


def test_different_data():
    settings = {"a": {"data": {"source": "wine"}}, "b": {"data": {"source": "digits"}}}
    assert "the levels are measured on different data (wine and digits)" in explained(
        settings, "val_accuracy"
    )


def test_different_validation_rows():
    settings = {"a": {"data": {"source": "wine", "validation": 0.2}}, "b": {"data": {"source": "wine"}}}
    assert "the levels are validated on different rows" in explained(settings, "val_loss")
    assert "different rows" not in explained(settings, "train_loss")


def test_without_a_claim_the_notes_say_it():
    notes = assessed({"a": {"loss": "auto"}, "b": {"loss": "mse"}}).notes
    assert "The levels' losses are different functions (cross_entropy and mse), not on one scale." in notes


def test_a_negative_gap_is_not_narrower_when_it_is_smaller():
    curves = {"val_loss": 0.1, "train_loss": 0.3}
    found = [
        trial(level, seed, {"train_loss": [0.5], "val_loss": [0.5 + gap + 0.001 * seed**2]})
        for level, gap in (("a", -0.4), ("b", -0.1))
        for seed in range(5)
    ]
    signed, size = claim("gap_loss", less=("a", "b")), claim("gap_size_loss", greater=("a", "b"))
    first, second = assess(study({"lr": "ab"}, signed, size), found, validation_rows=None).verdicts
    assert (first.verdict, second.verdict) == ("supported", "supported")
    assert "the validation minus training loss is 0.300 lower" in first.explanation
    assert "it is negative with a and b, where a smaller value is a wider gap" in first.explanation
    assert "`gap_size_loss` measures the gap without its sign" in first.explanation
    assert "the size of the gap between training and validation loss is 0.300 higher" in second.explanation
    assert "negative" not in second.explanation
    assert "negative" not in explained({"a": {}, "b": {}}, "val_loss", curves)


def test_with_label_noise_training_numbers_are_of_the_noisy_labels():
    noisy = {"a": {"data": {"label_noise": 0.0}}, "b": {"data": {"label_noise": 0.3}}}
    (note,) = [note for note in assessed(noisy).notes if note.startswith("With label noise")]
    assert note.startswith(
        "With label noise (b) training loss and accuracy are measured against the labels that were trained on"
    )
    assert not any("label noise" in note for note in assessed({"a": {}, "b": {}}).notes)
