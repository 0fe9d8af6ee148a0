"""Whether a writer is still there: asked of the process on this machine, of the heartbeat elsewhere."""

import os
import subprocess
import sys
from dataclasses import replace

from ceteris.records.writers import is_alive, process_start, this_process


def test_this_process_is_alive() -> None:
    assert is_alive(this_process(), since_heartbeat=1.0, stale=300.0)


def test_tokens_differ() -> None:
    assert this_process().token != this_process().token


def test_without_a_heartbeat_nobody_lives() -> None:
    assert not is_alive(this_process(), since_heartbeat=301.0, stale=300.0)


def test_process_that_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    writer = replace(this_process(), process=child.pid, process_start="")
    child.wait()
    assert not is_alive(writer, since_heartbeat=1.0, stale=300.0)
    assert is_alive(replace(writer, machine="elsewhere"), since_heartbeat=1.0, stale=300.0)


def test_number_that_another_process_got_later() -> None:
    writer = this_process()
    if writer.process_start:
        assert not is_alive(replace(writer, process_start="1"), since_heartbeat=1.0, stale=300.0)


def test_dead_process_that_nobody_has_waited_for() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process_start(child.pid)
    finally:
        child.stdout.close()
        child.wait()
