"""Reads the commands of ``docs/catalogue.md``; run as a module, it runs them all in their quick form."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"
QUICK = ("run", "replicate", "search")
"""Commands that train whole studies and have a quick form."""


def commands() -> list[list[str]]:
    """Return the arguments of every ``ceteris`` command on the page, each once, in the page's order."""
    found = re.findall(r"`ceteris ([^`]+)`", PAGE.read_text(encoding="utf-8"))
    return [shlex.split(command) for command in dict.fromkeys(found)]


def in_quick_form(arguments: list[str]) -> list[str]:
    """Return a command as ``make catalogue`` runs it."""
    if arguments[0] == "aa":
        return [*arguments, "--repetitions", "2", "--seeds", "2", "--epochs", "1"]
    return [*arguments, "--quick"] if arguments[0] in QUICK else arguments


def main() -> int:
    """Run every command in one new folder of records; a command that fails does not stop the others."""
    folder = Path(tempfile.mkdtemp(prefix="ceteris-catalogue-"))
    environment = os.environ | {"CETERIS_RUNS": str(folder / "runs")}
    failed = []
    for arguments in commands():
        quick, began = in_quick_form(arguments), time.monotonic()
        command = [sys.executable, "-m", "ceteris", *quick]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        words = "ok" if done.returncode == 0 else f"exit code {done.returncode}"
        print(f"{time.monotonic() - began:7.1f} s  {words}  ceteris {shlex.join(quick)}", flush=True)
        if done.returncode != 0:
            failed.append(arguments)
            print(done.stderr, file=sys.stderr)
    print(f"{len(failed)} of {len(commands())} commands failed; records: {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
