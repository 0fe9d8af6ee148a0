"""The cost of the default probes: pairs that differ in them alone, summarised by their ratios."""

from benchmarks.probes import Cost, cohort_of, line, measure
from benchmarks.workloads import WORKLOADS

from ceteris.data.preparation import Preparation
from ceteris.spec.probing import Probes

DIGITS = next(workload for workload in WORKLOADS if workload.source == "digits")


def test_a_pair_differs_in_the_probes_alone() -> None:
    preparation = Preparation(DIGITS.dataset(None))
    probed, plain = (
        cohort_of(DIGITS, DIGITS.stacks[0], preparation, layers=layers, epochs=1) for layers in (True, False)
    )
    assert [trial.experiment.probes.layers for trial in plain.trials] == [False] * 4
    assert [t.experiment.model_copy(update={"probes": Probes()}) for t in plain.trials] == [
        t.experiment for t in probed.trials
    ]


def test_a_network_is_measured_in_pairs() -> None:
    cost = measure(DIGITS, repeats=2, seconds=0.0, folder=None)
    assert len(cost.pairs) == 2
    assert min(min(pair) for pair in cost.pairs) > 0


def test_the_cost_is_the_median_of_the_ratios() -> None:
    cost = Cost("a network", ((1.1, 1.0), (2.0, 1.0), (2.1, 2.0)))
    assert round(cost.share, 10) == 0.1
    assert line(cost) == "| a network | +10.0% | +5.0% to +100.0% | 3 |"
