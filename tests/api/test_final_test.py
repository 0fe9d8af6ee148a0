"""The final assessment, against the test rows evaluated by hand; what cannot be assessed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch.nn import functional

import ceteris
from ceteris.api.result import Result
from ceteris.data.sources import load_test
from ceteris.errors import CeterisError
from ceteris.records.store import Store


def by_hand(result: Result, level: str, seed: int) -> tuple[float, float, torch.Tensor]:
    """Loss, accuracy and predictions of one network on the digits' test rows, whose values go up to 16."""
    x, y = load_test("digits")
    network = result.trial(level, seed).network()
    with torch.no_grad():
        outputs = network(torch.from_numpy(x.reshape(len(x), -1) / 16).float())
    labels = torch.from_numpy(y).long()
    loss = functional.cross_entropy(outputs, labels).item()
    predicted = outputs.argmax(1)
    return loss, (predicted == labels).double().mean().item(), predicted


def test_every_network_is_evaluated_as_by_hand(result: Result) -> None:
    found = result.test()
    assert len(found.trials) == 6
    for trial in found.trials:
        loss, accuracy, _ = by_hand(result, trial["level"], trial["seed"])
        assert trial["test_loss"] == pytest.approx(loss, rel=1e-5)
        assert trial["test_accuracy"] == pytest.approx(accuracy, abs=1e-9)
    means = {
        level: np.mean([trial.metrics["val_accuracy"] for trial in result.trials if trial.level == level])
        for level in ("0.5", "0.001")
    }
    assert found.chosen == max(means, key=lambda level: means[level])


def test_the_confusion_matrix_is_that_of_scikit_learn(result: Result) -> None:
    found = result.test()
    labels = load_test("digits")[1]
    expected = sum(
        confusion_matrix(labels, by_hand(result, found.chosen, seed)[2].numpy(), labels=range(10))
        for seed in range(3)
    )
    np.testing.assert_array_equal(found.confusion, expected)


def test_every_reading_is_counted_and_the_newest_is_kept(result: Result, runs_dir: Path) -> None:
    first, second = result.test(), result.test(metric="val_loss")
    assert second.readings == first.readings + 1
    assert result.test(metric="val_loss").readings == second.readings  # nothing that was not seen before
    assert result.test(level="0.5").readings == second.readings + 1
    second = result.test(metric="val_loss")
    with Store(runs_dir, create=False) as store:
        record = store.load_run(result.id)
    assert record.final_test == second.to_dict()
    page = ceteris.load_run(result.id, runs_dir=runs_dir).report().read_text(encoding="utf-8")
    assert "Final assessment on test rows" in page
    assert f"{second.readings} readings of these rows in all" in page
    assert "nor looked at here" not in page


def test_a_metric_of_the_users_is_known_by_what_it_computes_and_not_by_its_name(result: Result) -> None:
    before = result.test(metrics={"own": lambda outputs, targets: outputs.mean()}).readings
    after = result.test(metrics={"own": lambda outputs, targets: outputs.max()}).readings
    assert after == before + 1


def test_pictures_show_right_and_wrong_ones_with_their_classes(result: Result) -> None:
    found = result.test()
    _, _, predicted = by_hand(result, found.chosen, 0)
    assert {picture["true"] == picture["predicted"] for picture in found.pictures} == {True, False}
    for picture in found.pictures:
        assert picture["predicted"] == predicted[picture["row"]]


def test_it_prints_the_choice_in_words(result: Result) -> None:
    text = repr(result.test())
    assert "Final assessment of run" in text
    assert f"chooses {result.test().chosen}, whose test accuracy is" in text
    assert max(map(len, text.splitlines())) <= 80


def test_data_without_test_rows_cannot_be_assessed(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    experiment = ceteris.Experiment(data=(rows, rows.sum(axis=1)), model="linear", optimizer="sgd", epochs=1)
    study = ceteris.vary(experiment, {"optimizer.lr": [0.1, 0.01]}, seeds=2)
    own = ceteris.run(study, runs_dir=tmp_path, progress=False)
    with pytest.raises(
        CeterisError, match=r"^these rows have no test rows .*a final assessment needs test rows"
    ):
        own.test()


def test_an_unknown_metric_is_told_with_the_nearest(result: Result) -> None:
    with pytest.raises(CeterisError, match="did you mean `val_accuracy`"):
        result.test("val_acuracy")


def test_without_validation_rows_nothing_chooses(tmp_path: Path) -> None:
    experiment = {"data": {"source": "digits", "validation": 0}, "model": "linear", "epochs": 1}
    result = ceteris.run(
        ceteris.Study(experiment=experiment, vary={"optimizer.lr": [0.1, 0.5]}, seeds=1), runs_dir=tmp_path
    )
    with pytest.raises(CeterisError, match="trained without validation rows, so they choose nothing"):
        result.test()
    found = result.test(level=0.5)
    assert [(trial["level"], trial["seed"]) for trial in found.trials] == [("0.5", 0)]
    assert found.selection.metric is None
    assert found.selection.levels[0].test["test_accuracy"].mean == by_hand(result, "0.5", 0)[1]
    assert "0.5 was judged alone: no validation rows chose it" in str(found)
    again = ceteris.load_run(result.id, runs_dir=tmp_path)
    assert "judged alone" in again.report(tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(CeterisError, match=r"there is no level `0.7`"):
        result.test(level=0.7)


def test_a_network_refitted_on_all_rows_is_the_only_level(result: Result) -> None:
    refitted = result.refit("0.5", progress=False)
    found = refitted.test()
    assert found.selection.levels[0].test["test_accuracy"].mean == by_hand(refitted, found.chosen, 0)[1]
