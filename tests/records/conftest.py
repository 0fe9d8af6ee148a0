from collections.abc import Iterator
from pathlib import Path

import pytest

from ceteris.records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "runs") as opened:
        yield opened
