"""Who is given what; the crew and the recorder are made up, and nothing is trained."""

from collections import deque
from unittest.mock import MagicMock

import pytest

from ceteris.lab.calibration import Calibration
from ceteris.lab.datasets import DataPlaces
from ceteris.lab.listener import Stop, Unheard
from ceteris.lab.orders import Job, JobDone, Order, Report, Trained
from ceteris.lab.sitting import Sitting
from ceteris.train.messages import Timed, TrialEnded
from tests.api.made_plans import cohort, plan
from tests.lab.made_times import a_step


class DiligentCrew:
    """Workers that have done a job as soon as they are asked for a report; ``most`` were busy at once."""

    size, most = 2, 0

    def __init__(self, timed: Timed) -> None:
        self.jobs: list[Job] = []
        self._timed = timed
        self._reports: deque[tuple[int, Report]] = deque()
        self._busy: set[int] = set()

    def send(self, worker: int, order: Order) -> None:
        assert isinstance(order, Job)
        self.jobs.append(order)
        self._busy.add(worker)
        self.most = max(self.most, len(self._busy))
        ends = [TrialEnded(own.identity, "finished", None, 1.0, {}, {}) for own in order.cohort.trials]
        reports = [Trained(order.number, message) for message in (*ends, self._timed)]
        self._reports += [(worker, report) for report in (*reports, JobDone(order.number))]

    def next_report(self, timeout: float) -> tuple[int, Report] | None:
        worker, report = self._reports.popleft()
        if isinstance(report, JobDone):
            self._busy.discard(worker)
        return worker, report


@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_workers_train_than_were_planned_and_what_they_took_is_learnt(workers: int) -> None:
    made, calibration = plan(cohort(), shards=4), Calibration("made")
    calibration.take([(made.cohorts[0], a_step(2.0))])
    crew, recorder = DiligentCrew(a_step(0.5)), MagicMock()
    sitting = Sitting(crew, recorder, Unheard(), Stop(), DataPlaces(), 5.0, 2, calibration)  # type: ignore[arg-type]
    assert sitting.train(made.shards, workers, ready=(0, 1))
    assert (len(crew.jobs), crew.most) == (4, workers)
    assert {job.threads for job in crew.jobs} == {2}
    assert crew.jobs[0].step_seconds == 2.0
    assert 0.5 < calibration.step_seconds(made.shards[0].cohort) < 0.7
