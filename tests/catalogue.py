"""Reads the commands of ``docs/catalogue.md``; run as a module, it runs them in their quick form.

Words on the command line choose those that have one of them: ``python tests/catalogue.py docs/examples``.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"
EXAMPLES = PAGE.parent / "examples"
QUICK = ("run", "replicate", "search")
"""Commands that train whole studies and have a quick form."""


def lines() -> list[str]:
    """Return every command line on the page, each once, in the page's order."""
    found = re.findall(r"`((?:ceteris|python) [^`]+)`", PAGE.read_text(encoding="utf-8"))
    return list(dict.fromkeys(found))


def commands() -> list[list[str]]:
    """Return the arguments of every ``ceteris`` command on the page."""
    return [shlex.split(line)[1:] for line in lines() if line.startswith("ceteris ")]


def scripts() -> list[list[str]]:
    """Return the file and the arguments of every Python example on the page."""
    return [shlex.split(line)[1:] for line in lines() if line.startswith("python ")]


def in_quick_form(arguments: list[str]) -> list[str]:
    """Return a command as ``make catalogue`` runs it."""
    if arguments[0] == "aa":
        return [*arguments, "--repetitions", "2", "--seeds", "2", "--epochs", "1"]
    return [*arguments, "--quick"] if arguments[0] in QUICK else arguments


def main(words: list[str]) -> int:
    """Run the commands in one new folder with the examples; one that fails does not stop the others."""
    folder = Path(tempfile.mkdtemp(prefix="ceteris-catalogue-"))
    shutil.copytree(EXAMPLES, folder / "docs" / "examples")
    environment = os.environ | {"CETERIS_RUNS": str(folder / "runs")}
    chosen = [line for line in lines() if not words or any(word in line for word in words)]
    failed = 0
    for line in chosen:
        program, *arguments = shlex.split(line)
        own = ["-m", "ceteris", *in_quick_form(arguments)] if program == "ceteris" else arguments
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, *own], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        told = "ok" if done.returncode == 0 else f"exit code {done.returncode}"
        print(f"{time.monotonic() - began:7.1f} s  {told}  {line}", flush=True)
        if done.returncode != 0:
            failed += 1
            print(done.stderr, file=sys.stderr)
    print(f"{failed} of {len(chosen)} commands failed; records: {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
