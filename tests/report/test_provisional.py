"""A report of a run that has not ended says so in every verdict."""

from ceteris.evidence.assessment import Assessment, assess
from ceteris.report.claims import claim_rows, tally
from tests.evidence.made import claim, study, trials

FIRST = [0.30, 0.31, 0.29, 0.30, 0.28]
SECOND = [0.43, 0.42, 0.44, 0.44, 0.41]


def assessed(second: list[float]) -> Assessment:
    made = study({"lr": "ab"}, claim(less=("a", "b")))
    return assess(made, trials({"a": FIRST, "b": second}), validation_rows=None)


def test_before_the_end_the_verdict_is_provisional() -> None:
    (row,) = claim_rows(assessed(SECOND[:4]))
    assert (row.verdict, row.style) == ("supported (provisional)", "supported")
    assert tally(assessed(SECOND[:4])) == "provisionally, the claim is supported"


def test_at_the_end_it_is_not() -> None:
    (row,) = claim_rows(assessed(SECOND))
    assert row.verdict == "supported"
    assert tally(assessed(SECOND)) == "the claim is supported"
