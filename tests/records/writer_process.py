"""A process that records one run as fast as it can and says on its output what has been committed.

Called with the folder of the records, a name for the run, and the number of epochs. Each line is
printed after the transaction that it tells of: ``run <id>``, ``epoch <trial> <epoch>``, ``ended <trial>``.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from ceteris.records.store import Store
from records.plans import METRICS, ended, new_run, numbers, planned


def write(folder: str, name: str, epochs: int) -> None:
    identities = [trial.identity for trial in planned()]
    cohorts = [identities[:2], identities[2:]]
    with Store(folder) as store:
        run = new_run(store, study_name=name)
        store.begin(run)
        tell("run", run)
        for cohort in cohorts:
            store.mark_running(run, cohort)
            for epoch in range(epochs):
                store.record_epoch(run, epoch, METRICS, {key: numbers(key, epoch) for key in cohort})
                tell("epoch", cohort[0], epoch)
                tell("epoch", cohort[1], epoch)
            store.end_trials(run, [ended(key) for key in cohort])
            tell("ended", cohort[0])
            tell("ended", cohort[1])
        store.finish(run, "finished", 1.0)
        tell("finished", run)


def tell(*words: object) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], int(sys.argv[3]))
