"""What a worker for built-in networks does without torch: flush denormals, choose a device, train."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from ceteris.lab.devices import torch_is_for_processors
from ceteris.train.denormals import denormals_are_flushed, flush_denormals

WORKER = """
import sys
from ceteris.train import numerics
numerics.prepare_worker()
from ceteris.lab import binding, orders, run, worker
from ceteris.lab.devices import resolve_device
device = resolve_device("cpu").device
numerics.describe(device), numerics.versions()
from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.train.loop import train_cohort
from ceteris.train.messages import TrialEnded
from ceteris.train.plan import group_trials
from tests.train.settings_without_torch import PLANS
found = []
digits = Preparation(load("digits"))
(cohort,) = group_trials(PLANS, digits.dataset, {plan.identity: 100 for plan in PLANS})
train_cohort(cohort, digits, emit=found.append)
assert [message.status for message in found if isinstance(message, TrialEnded)] == ["finished"] * len(PLANS)
print([name for name in sys.modules if name.partition(".")[0] == "torch"])
"""


def test_a_worker_for_built_in_networks_never_loads_torch() -> None:
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_denormals_are_flushed_in_a_thread_and_those_it_starts() -> None:
    found: dict[str, bool] = {}

    def look(name: str) -> None:
        found[name] = denormals_are_flushed()

    def flush() -> None:
        look("before")
        found["done"] = flush_denormals()
        look("after")
        inner = threading.Thread(target=look, args=("inner",))
        inner.start()
        inner.join()
        found["torch"] = not (torch.tensor([1e-40, 1e-39]) * 1.5).numpy().view(np.uint32).any()

    thread = threading.Thread(target=flush)
    thread.start()
    thread.join()
    if not found["done"]:
        pytest.skip("this platform leaves it to torch")
    assert found == {"before": False, "done": True, "after": True, "inner": True, "torch": True}
    assert not denormals_are_flushed(), "the thread of the tests is as it was"


def test_what_torch_was_built_for_is_read_as_torch_says_it() -> None:
    built = torch.version.cuda is None and torch.version.hip is None
    assert torch_is_for_processors() is (built and sys.platform != "darwin")
