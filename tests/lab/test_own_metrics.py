import sys
from pathlib import Path

import pytest

from ceteris.errors import CeterisError
from ceteris.lab.own_metrics import MetricFailedError, guarded, load, pack, source_hash


def test_lambdas_and_closures_travel_with_their_hash() -> None:
    factor = 3.0
    metrics = {"a": lambda outputs, targets: factor * outputs, "b": lambda outputs, targets: targets}
    loaded = load(pack(metrics), ())
    assert loaded.problems == []
    assert loaded.metrics["a"](2.0, 5.0) == 6.0
    assert loaded.metrics["b"](2.0, 5.0) == 5.0
    assert set(loaded.hashes) == {"a", "b"}


def test_the_hash_is_that_of_the_source() -> None:
    def one(outputs: float, targets: float) -> float:
        return outputs

    def other(outputs: float, targets: float) -> float:
        return targets

    assert source_hash(one) == source_hash(one) != source_hash(other)


def test_references_are_imported_and_mistakes_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_lab.py").write_text("LIMIT = 3\ndef good(o, t):\n    return o + t\n")
    (tmp_path / "wrong_lab.py").write_text("1 / 0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    references = ("mine_lab:good", "mine_lab:goood", "mine_lab:LIMIT", "nowhere_lab:f", "wrong_lab:f")
    loaded = load(b"", references)
    assert loaded.metrics["mine_lab:good"](1, 2) == 3.0
    assert [problem.message for problem in loaded.problems] == [
        "there is no function in mine_lab `goood`; did you mean `good`? (known: good)",
        "`mine_lab:LIMIT` is a int, not a function",
        "the module of `nowhere_lab:f` cannot be imported "
        "(ModuleNotFoundError: No module named 'nowhere_lab'); it must lie beside the study's file, "
        "or in a folder on PYTHONPATH",
        "the module of `wrong_lab:f` cannot be imported (ZeroDivisionError: division by zero)",
    ]


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(CeterisError, match="`a` is a float, not a function of outputs and targets"):
        pack({"a": 1.5})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda o, t: [1, 2], "the metric `m` gave a list; it must give one number"),
        (lambda o, t: None, "the metric `m` gave a NoneType; it must give one number"),
        (lambda o, t: {}["a"], "the metric `m` failed with KeyError: 'a'"),
        (lambda o, t: sys.exit(2), "the metric `m` failed with SystemExit: 2"),
    ],
)
def test_whatever_goes_wrong_names_the_metric(answer: object, told: str) -> None:
    with pytest.raises(MetricFailedError) as error:
        guarded("m", answer)(None, None)  # type: ignore[arg-type]
    assert str(error.value) == told


def test_lack_of_memory_is_no_fault_of_a_metric() -> None:
    def greedy(outputs: object, targets: object) -> float:
        raise MemoryError

    with pytest.raises(MemoryError):
        guarded("m", greedy)(None, None)
