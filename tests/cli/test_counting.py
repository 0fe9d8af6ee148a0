"""Steps that are counted: lines at intervals where there is no terminal."""

from __future__ import annotations

from ceteris.cli.counting import lines


def test_a_line_comes_every_ten_seconds_with_the_time_left() -> None:
    written: list[str] = []
    now = [0.0]
    count = lines("points", written.append, lambda: now[0])
    for seconds, done in ((1.0, 20), (10.0, 200), (19.0, 300), (20.0, 500), (40.0, 1000)):
        now[0] = seconds
        count(done, 1000)
    assert written == ["200 of 1,000 points, 40 s left", "500 of 1,000 points, 20 s left"]
