"""How long it takes to move a browser's worth of threads: ``python -m tests.benchmarks.moves``.

40 threads in 3 processes, some of them busy, move to and fro: between two CPUs of this machine, and between
two clusters of an emulated one, with what the governor does about it (finding what the threads have started).
The summary has ``p50_ms`` and ``p99_ms`` of each; on a quiet machine a p99 is to stay below 20 ms.

Needs Linux and two CPUs; the emulated machine root and a C compiler.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from runtime.measure.quantile import quantile
from tests.benchmarks._emulated import rows_inside
from tests.benchmarks._table import show, write_report

THREADS = (20, 10, 10)  # of a renderer, a GPU process, a browser
BUSY = 2  # of the first, as a page that is scrolled has
_COLUMNS = {
    "where": "where", "threads": "threads", "moves": "moves", "p50_ms": "p50 ms", "p99_ms": "p99 ms",
    "most_ms": "most ms",
}  # fmt: skip
_PROGRAM = """
import sys, threading, time
def work():
    while True: pass
for number in range(int(sys.argv[1]) - 1):
    busy = number < int(sys.argv[2])
    threading.Thread(target=work if busy else time.sleep, args=() if busy else (600,), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.moves", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", default="exynos5422")
    parser.add_argument("--moves", type=int, default=300)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    options = parser.parse_args(arguments)
    if options.inside:
        options.inside.write_bytes(msgspec.json.encode([measure("emulated", options.moves)]))
        return
    rows = [measure("this machine", options.moves)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.json"
        rows += rows_inside(options.soc, "moves", out, [f"--moves={options.moves}"])
    show(_COLUMNS, rows)
    summary = {row["where"].replace(" ", "_"): {n: row[n] for n in ("p50_ms", "p99_ms")} for row in rows}
    write_report(options.json, "moves", rows, summary)


def measure(where: str, moves: int) -> dict[str, Any]:
    """Return the row of one machine: this one, which may be emulated."""
    from runtime.device.actuators import allowed_cpus, born_of, family_of, move, read_places

    cpus = allowed_cpus() or ()
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(count), str(BUSY if number == 0 else 0)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number, count in enumerate(THREADS)
    ]
    try:
        for program in programs:
            assert program.stdout is not None
            program.stdout.readline()
        tids = [tid for program in programs for tid in family_of(program.pid)]
        places, took_ms = read_places(tids), []
        for number in range(moves):
            begin_s = time.perf_counter()
            move((*tids, *born_of(places)), [cpus[0] if number % 2 else cpus[-1]])
            took_ms.append((time.perf_counter() - begin_s) * 1e3)
            time.sleep(0.01)
        assert len({frozenset(os.sched_getaffinity(tid)) for tid in tids}) == 1
    finally:
        for program in programs:
            program.kill()
            program.communicate()
    return {
        "where": where,
        "threads": len(tids),
        "moves": moves,
        "p50_ms": quantile(took_ms, 0.5),
        "p99_ms": quantile(took_ms, 0.99),
        "most_ms": max(took_ms),
    }


if __name__ == "__main__":
    main()
