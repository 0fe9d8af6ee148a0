"""What is printed is whole: in narrow terminals, and where names hold square brackets."""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ceteris.cli.landscape import _tables
from ceteris.cli.screen import number_table, plain_table
from tests.cli.conftest import COMMAND, Command, environment
from tests.forked import start_python


def drawn(table: Table, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_square_brackets_in_names_are_no_markup() -> None:
    for table in (plain_table, number_table):
        assert "[bold]a" in drawn(table(("column", "rows"), [("[bold]a", "[/x] 3")]))
        assert "[/x] 3" in drawn(table(("column", "rows"), [("[bold]a", "[/x] 3")]))


def test_no_number_of_a_landscape_is_broken_over_lines() -> None:
    level, rise = "model.dropout=0.25, optimizer.lr=0.001", "0.0209 [0.0181, 0.0236]"
    against = "−0.0163 [−0.0189, −0.0136]"
    rows = [("first", ("0.1", rise, "0.0366", "–", "10")), (level, ("0.1", rise, "0.0366", against, "10"))]
    first, second = [part for part in _tables(rows) if isinstance(part, Table)]
    assert drawn(first).count(f"{rise}   0.0366    10") == 2
    assert f"0.1      {against}" in drawn(second)
    assert "first  " not in drawn(second)
    assert len([part for part in _tables(rows[:1]) if isinstance(part, Table)]) == 1


def test_what_an_encoding_lacks_is_written_plainly(tmp_path: Path) -> None:
    title = "−0.5 and – 学 ä"
    (tmp_path / "s.yaml").write_text(
        f"title: {title}\nexperiment: {{data: digits, model: {{kind: linear}}}}\n", "utf-8"
    )
    for encoding, plain in (("ascii", "-0.5 and - \\u5b66 \\xe4"), ("utf-8", title)):
        arguments = [*COMMAND[1:], "studies", "show", "s.yaml"]
        shown = start_python(arguments, cwd=tmp_path, env=environment(PYTHONIOENCODING=encoding))
        assert shown.returncode == 0, shown.stderr
        assert plain in shown.stdout


def test_a_narrow_terminal_gets_whole_sentences_and_whole_names_of_levels(ceteris_there: Command) -> None:
    shown = ceteris_there("show", "last", TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="46").stdout
    shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "…" not in shown
    assert "best: at the best epoch." in " ".join(shown.split())
    assert max(map(len, shown.split("report: ")[0].splitlines())) <= 46
    assert shown.count("\nlevel") == 4, "a table for each metric, where two would break names or numbers"
    assert shown.count("\n0.001 ") == 4
