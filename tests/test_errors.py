"""The one exception that a user sees, tested by its words."""

import pytest

from ceteris.errors import CeterisError, Problem, nearest, unknown_name


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem("it is wrong"), "it is wrong"),
        (Problem("it is wrong", where="optimizer.lr"), "optimizer.lr: it is wrong"),
        (Problem("it is wrong", file="a.yaml"), "a.yaml: it is wrong"),
        (Problem("it is wrong", file="a.yaml", line=7), "a.yaml:7: it is wrong"),
        (Problem("it is wrong", "seeds", "a.yaml", 7), "a.yaml:7: seeds: it is wrong"),
    ],
)
def test_problem_says_where_and_what(problem: Problem, words: str) -> None:
    assert str(problem) == words


def test_error_carries_every_problem_on_a_line_of_its_own() -> None:
    error = CeterisError([Problem("one", where="a"), Problem("two", where="b")])
    assert [problem.where for problem in error.problems] == ["a", "b"]
    assert str(error) == "a: one\nb: two"


def test_error_from_a_sentence_or_one_problem() -> None:
    assert CeterisError("no such run").problems == (Problem("no such run"),)
    assert CeterisError(Problem("no such run")).problems == (Problem("no such run"),)


def test_nearest_name_is_found_for_a_slip_and_not_for_something_else() -> None:
    assert nearest("hiden", ["hidden", "bias"]) == "hidden"
    assert nearest("banana", ["hidden", "bias"]) is None


def test_unknown_name_lists_what_exists() -> None:
    assert unknown_name("metric", "val_los", ["val_loss", "lr"]) == (
        "there is no metric `val_los`; did you mean `val_loss`? (known: val_loss, lr)"
    )
    assert unknown_name("study", "dpeth", ["digits/gradient-flow", "fashion-mnist/depth"]).startswith(
        "there is no study `dpeth`; did you mean `fashion-mnist/depth`?"
    )
    assert "did you mean `no-dropout-at-test`?" in unknown_name("question", "dropout", ["no-dropout-at-test"])
    assert unknown_name("metric", "xyz", ["lr"]) == "there is no metric `xyz` (known: lr)"


def test_of_many_names_the_nearest_are_told_and_the_command_that_lists_all() -> None:
    known = [f"house/study-{i}" for i in range(40)] + ["digits/learning-rate", "mnist/learning-rate"]
    assert unknown_name("study", "learning-rat", known, "ceteris studies") == (
        "there is no study `learning-rat`; did you mean `mnist/learning-rate`? (like it: "
        "digits/learning-rate, house/study-0, house/study-1, house/study-2; `ceteris studies` lists all 42)"
    )
    assert unknown_name("study", "xyz", known).endswith("; 42 are known)")
    assert len(unknown_name("study", "xyz", known)) < 120
