"""The tables of the current version. Every change to them comes with a migration."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Label,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    cast,
)

# As text: Row takes one argument per column only from SQLAlchemy 2.1 on.
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("study_name", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("device", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("numerics", Text, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("first_seeds", Integer, nullable=False),
)

# A table of its own, since a heartbeat rewrites its row, and a run's row is long.
writers = Table(
    "writers",
    metadata,
    Column("run", Integer, ForeignKey("runs.key"), primary_key=True),
    Column("token", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("process", Integer, nullable=False),
    Column("process_start", Text, nullable=False),
    Column("began", Float, nullable=False),
    Column("heartbeat", Float, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.key"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("identity", Text, nullable=False),
    # Before the long columns, so that it is found without reading them.
    Column("status", Text, nullable=False),
    Column("level", Text, nullable=False),
    # As text: a seed may be larger than the 63 bits of an SQLite integer.
    Column("seed", Text, nullable=False),
    Column("fold", Integer, nullable=False),
    Column("diverged_step", Integer),
    Column("seconds", Float, nullable=False),
    Column("initial_weights", Text),
    Column("final_weights", Text),
    Column("coordinates", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("metrics", Integer, ForeignKey("metric_sets.key")),
    Column("curves", LargeBinary),
    UniqueConstraint("run", "identity"),
)
Index("trials_by_identity", trials.c.identity)

metric_sets = Table(
    "metric_sets",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("names", Text, nullable=False, unique=True),
)

# A row has the epochs from `epoch` on that were reported together, mostly one.
# The key begins with run and epoch, so that an epoch of many trials is appended to a few pages
# at the end of the run's part of the tree (three times as fast as a key by trial).
epochs = Table(
    "epochs",
    metadata,
    Column("run", Integer, ForeignKey("runs.key"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("trial", Integer, ForeignKey("trials.key"), primary_key=True),
    Column("metrics", Integer, ForeignKey("metric_sets.key"), nullable=False),
    Column("block", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# What was measured on request, an array a row: epoch 0 is before training, n after n epochs.
arrays = Table(
    "arrays",
    metadata,
    Column("run", Integer, ForeignKey("runs.key"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("trial", Integer, ForeignKey("trials.key"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("block", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

test_readings = Table(
    "test_readings",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("time", Text, nullable=False),
)
Index("test_readings_by_content", test_readings.c.content)

# What the test rows said of a run: one row per assessment, the newest counts.
final_tests = Table(
    "final_tests",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.key"), nullable=False),
    Column("content", Text, nullable=False),
)
Index("final_tests_by_run", final_tests.c.run)


def as_blob(column: Column[bytes]) -> Label[bytes]:
    """Read a blob as bytes even where damage made SQLite take it for text, which may not decode."""
    return cast(column, LargeBinary).label(column.name)
