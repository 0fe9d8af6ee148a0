"""Law 4: every reading of the test rows of a data set is counted, whichever run it served."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from ceteris.records.schema import test_readings
from ceteris.records.views import TestReading, TestReadings


def add_reading(connection: Connection, content: str, run: str, purpose: str) -> None:
    """Note that the test rows of the data set with hash ``content`` are read now."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = {"content": content, "run": run, "purpose": purpose, "time": time}
    connection.execute(insert(test_readings).values(row))


def readings_of(connection: Connection, content: str) -> TestReadings:
    """Return how often and by whom the test rows of a data set were read, oldest first."""
    columns = (test_readings.c.run, test_readings.c.purpose, test_readings.c.time)
    here = select(*columns).where(test_readings.c.content == content).order_by(test_readings.c.key)
    readings = tuple(TestReading(*row) for row in connection.execute(here))
    return TestReadings(len(readings), readings)
