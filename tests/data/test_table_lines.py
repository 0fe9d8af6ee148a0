"""Lines of text tables: the quick count agrees with the csv module, whatever is in a file."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.data import table_lines
from ceteris.data.progress import Reading, ReadingLines

from .conftest import refusal

SIGNS = st.text(alphabet='a1,"\n\r \t;é', max_size=60)


def fields_of(text: str) -> list[int] | None:
    try:
        found = csv.reader(io.StringIO(text, newline=""))
        return [len(fields) for fields in found if fields]
    except csv.Error:
        return None


@given(body=SIGNS, chunk=st.integers(1, 20))
@settings(max_examples=400)
def test_what_the_quick_count_accepts_is_even_to_the_csv_module(tmp_path_factory, body, chunk):
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    path.write_bytes(f"a,b\n{body}".encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_lines, "CHUNK_BYTES", chunk)
        accepted = table_lines._is_plainly_even(path, ",", 2)
        told = refusal(lambda: table_lines.check_lines(path, ","))
    found = fields_of(f"a,b\n{body}")
    if accepted:
        assert found is not None
        assert set(found) == {2}
    assert (told is None) == (found is not None and set(found) == {2})


@pytest.mark.parametrize(
    "body",
    [
        "1,2\n3,4",
        "1,2\r\n\r\n3,4\r\n",
        '"1","2"\n"a,b\nc","say ""so"""\n',
        '"",x\n1,""',
        "é,2\n" * 50,
    ],
)
def test_usual_tables_are_counted_quickly(tmp_path, monkeypatch, body):
    path = tmp_path / "t.csv"
    path.write_bytes(f"\ufeffa,b\n{body}".encode())
    for chunk in (7, 64, 1 << 20):
        monkeypatch.setattr(table_lines, "CHUNK_BYTES", chunk)
        assert table_lines._is_plainly_even(path, ",", 2)


def test_lines_about_a_file_come_at_the_beginning_and_every_ten_seconds():
    now = [0.0]
    lines = ReadingLines(lambda: now[0])

    def line(seconds: float, done: int) -> str | None:
        now[0] = seconds
        return lines.line(Reading("t.csv", "columns", done, 200_000_000))

    assert line(0, 0) == "reading t.csv, 200 MB, in pieces"
    assert line(9, 90_000_000) is None
    assert line(10, 100_000_000) == "reading t.csv: columns, 50% at 10 MB/s, 10 s left of this pass"
    assert line(11, 110_000_000) is None
