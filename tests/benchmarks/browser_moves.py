"""How long a real browser takes to move between two clusters: ``python -m tests.benchmarks.browser_moves``.

Renderer and GPU process of a Chromium that scrolls a page and starts and ends workers, some forty threads,
move to and fro between the fastest and the slowest cluster of an emulated phone, through a governor's
session of gestures: the time of ``hold`` is that of the socket, the clock and the move. After each, threads
that are elsewhere are counted, those born since the last one among them. p99 is to stay below 20 ms on a
quiet machine.

Needs Linux, root, a C compiler, two CPUs and Chromium.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runtime.measure.quantile import quantile
from tests.benchmarks._emulated import rows_inside
from tests.benchmarks._table import show, write_report

_COLUMNS = {
    "soc": "SoC", "threads": "threads", "born": "born meanwhile", "moves": "moves",
    "elsewhere": "left behind", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "most_ms": "most ms",
}  # fmt: skip
_PAGE = """data:text/html,<body><script>
document.body.innerHTML = '<p>a row</p>'.repeat(2000);
let down = true;
const scroll = () => {
  scrollBy(0, down ? 40 : -40);
  if (scrollY <= 0) down = true; else if (scrollY > 20000) down = false;
  requestAnimationFrame(scroll);
};
scroll();
const source = URL.createObjectURL(new Blob(['setTimeout(close, 500)']));
setInterval(() => new Worker(source), 200);
</script>"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.browser_moves", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", default="exynos5422")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    options = parser.parse_args(arguments)
    if options.inside:
        options.inside.write_bytes(msgspec.json.encode([measure(options.moves)]))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_inside(
            options.soc, "browser_moves", Path(folder) / "rows.json", [f"--moves={options.moves}"]
        )
    show(_COLUMNS, rows)
    write_report(options.json, "browser_moves", rows, {name: rows[0][name] for name in ("p50_ms", "p99_ms")})


def measure(moves: int) -> dict[str, Any]:
    """Return the row of the machine this runs on."""
    from runtime.govern.governor.beside import PATIENCE_S, serving_beside
    from runtime.govern.governor.client import Gestures
    from runtime.govern.governor.plan import plan_for
    from runtime.targets import open_target
    from runtime.web.browser.chromium import Browser
    from runtime.web.browser.connection import Connection
    from runtime.web.browser.page import open_page
    from runtime.web.browser.processes import find_processes

    plan = plan_for(open_target("local"), None, 60.0)
    rows = sorted(plan.table.rows, key=lambda row: row.latency_ms)
    ends = [rows[0].setting, rows[-1].setting]
    took_ms: list[float] = []
    elsewhere, born = 0, set[int]()
    with serving_beside(plan) as server, Browser() as browser, Connection(browser.endpoint) as connection:
        page = open_page(connection)
        page.navigate(_PAGE)
        drawing = find_processes(page)
        pids = (drawing.renderer, drawing.gpu)
        first = set(_threads(pids))
        place, path = (ends[0].cluster, ends[0].freq_khz or 0), str(server.path)
        with Gestures(sorted(first), *place, path=path, patience_s=PATIENCE_S) as held:
            for number in range(moves):
                time.sleep(0.1)
                setting = ends[(number + 1) % 2]
                begin_s = time.perf_counter()
                answer = held.hold(setting.cluster, setting.freq_khz or 0)
                took_ms.append((time.perf_counter() - begin_s) * 1e3)
                assert held.is_governed, held.problem
                assert answer["ok"], answer
                assert "unmoved" not in answer, answer
                now = set(_threads(pids))
                born |= now - first
                elsewhere += len({cpus for tid in now if (cpus := _affinity(tid))}) - 1
    return {
        "threads": len(first),
        "born": len(born),
        "moves": moves,
        "elsewhere": elsewhere,
        "p50_ms": quantile(took_ms, 0.5),
        "p99_ms": quantile(took_ms, 0.99),
        "most_ms": max(took_ms),
    }


def _threads(pids: Sequence[int]) -> Iterator[int]:
    for pid in pids:
        yield from map(int, os.listdir(f"/proc/{pid}/task"))


def _affinity(tid: int) -> frozenset[int] | None:
    try:
        return frozenset(os.sched_getaffinity(tid))
    except OSError:
        return None  # it has ended


if __name__ == "__main__":
    main()
