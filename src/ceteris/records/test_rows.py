"""Law 4: every reading of the test rows of a data set is counted, and what it came to is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, select

from ceteris.records.plain_json import from_column, to_column
from ceteris.records.schema import final_tests, test_readings
from ceteris.records.views import TestReading, TestReadings


def add_reading(
    connection: Connection, content: str, run: str, purpose: str, looked_at: Sequence[str] = ()
) -> None:
    """Note that the test rows of the data set with hash ``content`` are read now.

    Where ``looked_at`` is given, the purpose carries its hash, and one of that hash is noted once.
    """
    if looked_at:
        purpose = f"{purpose} of {sha256(json.dumps(looked_at).encode()).hexdigest()[:16]}"
        same = (test_readings.c.content == content, test_readings.c.run == run)
        known = select(test_readings.c.key).where(*same, test_readings.c.purpose == purpose).limit(1)
        if connection.execute(known).first() is not None:
            return
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = {"content": content, "run": run, "purpose": purpose, "time": time}
    connection.execute(insert(test_readings).values(row))


def readings_of(connection: Connection, content: str) -> TestReadings:
    """Return how often and by whom the test rows of a data set were read, oldest first."""
    columns = (test_readings.c.run, test_readings.c.purpose, test_readings.c.time)
    here = select(*columns).where(test_readings.c.content == content).order_by(test_readings.c.key)
    readings = tuple(TestReading(*row) for row in connection.execute(here))
    return TestReadings(len(readings), readings)


def add_final_test(connection: Connection, run: int, content: Mapping[str, Any]) -> None:
    """Keep what the test rows said of a run (by key), as plain JSON."""
    connection.execute(insert(final_tests).values({"run": run, "content": to_column(content)}))


def final_test_of(connection: Connection, run: int) -> Mapping[str, Any] | None:
    """Return the newest assessment of a run (by key) on test rows, None where there was none."""
    newest = select(final_tests.c.content).where(final_tests.c.run == run).order_by(final_tests.c.key.desc())
    text = connection.execute(newest.limit(1)).scalar_one_or_none()
    return None if text is None else dict(from_column(text))
