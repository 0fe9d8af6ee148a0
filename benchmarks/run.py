"""Model-epochs per second of Ceteris, of the usual DataLoader loop and of peers, measured in turn in one run.

    python benchmarks/run.py [--only TEXT] [--peers NAMES] [--repeats 5] [--peer-repeats 3]
                             [--seconds 6] [--data-dir DIR] [--json FILE] [--markdown FILE] [--keep]
                             [--device cuda]

All train the same network on the same prepared rows with the same batches, optimiser and epochs, and
evaluate the validation rows and as many training rows after every epoch. Contestants that train one
member are timed on one (the others would take the same time again); Ceteris and JAX train all members of
the row. What is timed: training and evaluation, from fresh weights to the last score; not the start of
the contestant's process, the reading of data, or compilation. Peers are the optional extra `peers`; those
that are not installed are skipped with a sentence. Everything takes about 20 minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine, tables
from benchmarks.contestants import CETERIS, CONTESTANTS, LOOP, Contestant
from benchmarks.measuring import measure, rows_of
from benchmarks.processes import ContestantProcess
from benchmarks.workloads import WORKLOADS

ORDER = {workload.name: place for place, workload in enumerate(WORKLOADS)}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only workloads whose name contains this text")
    parser.add_argument(
        "--peers",
        default=None,
        help="contestants besides Ceteris and the loop, with commas between (else all that the device has); "
        "`none` for no others",
    )
    parser.add_argument("--repeats", type=int, default=5, help="rounds of Ceteris and the loop")
    parser.add_argument("--peer-repeats", type=int, default=3, help="rounds of the others, the first ones")
    parser.add_argument(
        "--seconds", type=float, default=6, help="how long Ceteris trains in a measurement, about"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where everybody trains")
    parser.add_argument("--data-dir", type=Path, default=None, help="where Fashion-MNIST lies")
    parser.add_argument("--json", type=Path, default=None, help="file for everything that was measured")
    parser.add_argument(
        "--markdown", type=Path, default=None, help="page whose tables are replaced (docs/benchmarks.md)"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="add to --json: rows of other workloads stay as they were measured",
    )
    parser.add_argument("--from-json", type=Path, default=None, help="write the tables of an earlier run")
    return parser.parse_args()


def main() -> None:
    asked = options()
    earlier = asked.from_json
    report = measure_all(asked) if earlier is None else json.loads(earlier.read_text())
    text = tables.render(report)
    print(text)
    if asked.markdown is not None:
        tables.write_between_marks(asked.markdown, text)


def measure_all(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure the workloads that were asked for; what is done is on disk after each."""
    contestants, skipped = choose(asked.peers, asked.device)
    workloads = [workload for workload in WORKLOADS if asked.only in workload.name]
    if not workloads:
        raise SystemExit(f"no workload's name contains `{asked.only}`")
    earlier = kept(asked.json, [workload.name for workload in workloads]) if asked.keep else {}
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(asked.device),
        "versions": earlier.get("versions", {}) | machine.versions(contestants.values()),
        "repeats": asked.repeats,
        "peer_repeats": min(asked.repeats, asked.peer_repeats),
        "skipped": skipped,
        "rows": earlier.get("rows", []),
    }
    begin = time.perf_counter()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(ContestantProcess(contestant, asked.data_dir, asked.device))
            for contestant in contestants.values()
        ]
        for workload in workloads:
            found = measure(workload, processes, asked.repeats, asked.peer_repeats, asked.seconds)
            more = {"epochs": workload.epochs, "date": report["date"]}
            report["rows"] += [row | more for row in rows_of(workload, found, contestants)]
            report["rows"].sort(key=lambda row: ORDER.get(row["workload"], len(ORDER)))
            report["seconds"] = earlier.get("seconds", 0.0) + time.perf_counter() - begin
            report["machine"]["load_after"] = os.getloadavg()[0]
            if asked.json is not None:
                asked.json.write_text(json.dumps(report, indent=2) + "\n")
    return report


def kept(path: Path | None, measured: Sequence[str]) -> dict[str, Any]:
    """Return an earlier report without the workloads that are measured now; empty where there is none."""
    if path is None:
        raise SystemExit("--keep adds to a report: name it by --json")
    earlier: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rows": []}
    return earlier | {"rows": [row for row in earlier["rows"] if row["workload"] not in measured]}


def choose(peers: str | None, device: str = "cpu") -> tuple[Mapping[str, Contestant], list[str]]:
    """Return the contestants that take part, and a sentence for each that is not installed.

    ``peers``: names with commas between; None for all that train on the device.
    """
    if peers is None:
        able = [own for own in CONTESTANTS.values() if own.on_cards or device == "cpu"]
        peers = ",".join(own.name for own in able if own.peer)
    names = [name.strip() for name in peers.split(",") if name.strip() not in ("", "none")]
    unknown = [name for name in names if name not in CONTESTANTS]
    if unknown:
        raise SystemExit(f"there is no contestant `{unknown[0]}`; there are {', '.join(CONTESTANTS)}")
    idle = [name for name in names if device != "cpu" and not CONTESTANTS[name].on_cards]
    if idle:
        raise SystemExit(f"`{idle[0]}` was set up for the processor alone")
    chosen, skipped = {}, []
    for name, contestant in CONTESTANTS.items():
        if name not in names and name not in (LOOP.name, CETERIS.name):
            continue
        missing = contestant.missing()
        if missing:
            sentence = f"{contestant.title} was skipped: {' and '.join(missing)} not installed here."
            print(sentence, file=sys.stderr)
            skipped.append(sentence)
        else:
            chosen[name] = contestant
    return chosen, skipped


if __name__ == "__main__":
    main()
