"""Frames of variable load, in real time on emulated phones: ``python -m tests.benchmarks.variable_load``.

The standard workload (see ``tests.benchmarks.simulation.workload``) as real work at 30 FPS: under ``edgekit
govern`` with a row a frame (``table``), with ``--variable-load``, with that and ``--max-queued 1``, and
under ``performance``, ``schedutil`` and ``schedutil`` on the cluster that EAS would choose for the mean
frame; the latter three are played in user space (see ``_kernel_governors``). Nobody knows the work
beforehand. Frames queue; ``late`` counts those that are done more than a period after their release, ``late
buffered`` more than two.

The same frames run under each governor in blocks, repeated in ABBA order; what they take is counted as work,
not as time, and idle clusters stand apart: see ``tests.benchmarks.governed``. Latency and energy are
emulated.

Needs Linux, root and a C compiler, and a machine that does nothing else. ``--seconds 5 --repeats 2`` is a
quick look.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.cli._output import note
from runtime.govern.governor import VariableLoad
from runtime.govern.governor.frames import FramesRun
from tests.benchmarks import _variable_frames as program
from tests.benchmarks._emulated import Counters, rows_inside
from tests.benchmarks._kernel_governors import energy_aware_cluster, under_kernel
from tests.benchmarks._repeats import STEADY, abba, rows_of
from tests.benchmarks._table import rounded, show, write_report
from tests.benchmarks.simulation.workload import standard

SOCS = ("gs101", "exynos5422")
KERNELS = (STEADY, "schedutil", "schedutil+eas")
BASE = "schedutil"
OURS = {"table": None, "variable load": VariableLoad(), "variable load, 1 queued": VariableLoad(max_queued=1)}
_SETTLE_S = 2.0  # of each block, in which a level is learnt
_COLUMNS = {
    "soc": "SoC", "fps": "FPS", "governor": "governor", "frames": "frames", "late_pct": "late %",
    "late_buffered_pct": "late buffered %", "latency_ms": "ms", "energy_mj": "busy mJ/frame",
    "energy_off_pct": "+- %", "timed_mj": "timed mJ", "idle_mw": "idle mW", "changes": "changes",
    "saved_pct": "saved over schedutil %", "above_off_pct": "+- points",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.variable_load", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", action="append", help="repeatable; default: " + ", ".join(SOCS))
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each block")
    parser.add_argument("--repeats", type=int, default=5, help="blocks of each governor")
    parser.add_argument("--seed", type=int, default=0, help="of the workload")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    options = parser.parse_args(arguments)
    if options.inside:
        options.inside.write_bytes(msgspec.json.encode(measure(options)))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for soc in options.soc or SOCS:
            out = Path(folder) / f"{soc}.json"
            given = [f"--{name}={getattr(options, name)}" for name in ("fps", "seconds", "repeats", "seed")]
            rows += rows_inside(soc, "variable_load", out, given)
    show(_COLUMNS, [rounded(row) for row in rows])
    write_report(options.json, "variable_load", rows, {})


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row per governor of the machine this runs on."""
    from runtime.targets import open_target

    target = open_target("local")
    assert target.provenance == "emulated"
    fastest = max(target.profile.clusters, key=target.profile.capacity)
    per_ms = _at_full_speed(fastest)
    budget = standard(fastest.max_khz, options.fps, [options.seed], options.seconds).work[0]
    full_ms = budget / (fastest.max_khz / 1e6)  # of each frame at the fastest
    pieces = tuple(max(1, round(ms * per_ms)) for ms in full_ms)
    efficient = energy_aware_cluster(target.profile, float(full_ms.mean()), 1e3 / options.fps)
    placed = {STEADY: fastest, "schedutil": fastest, "schedutil+eas": efficient}
    blocks: dict[str, list[dict[str, Any]]] = {name: [] for name in (*KERNELS, *OURS)}
    for governor in abba(tuple(blocks), options.repeats):
        block = run_one(target, governor, placed.get(governor), pieces, full_ms, 1e3 / options.fps)
        blocks[governor].append(block)
        figures = f"{block['late']} of {block['frames']} late, {block['energy_mj']:.3g} mJ a frame"
        note(f"{target.profile.name} {governor}: {figures}")
    rows = []
    for row in rows_of(blocks, BASE):  # what schedutil is above each
        found = blocks[row["governor"]]
        buffered = 100 * sum(block["late_buffered"] for block in found) / row["frames"]
        saved_pct = None if row["above_pct"] is None else 100 * (1 - 1 / (1 + row["above_pct"] / 100))
        rows.append({"fps": options.fps, **row, "late_buffered_pct": buffered, "saved_pct": saved_pct})
    return rows


def run_one(
    target: Any, governor: str, cluster: Any, pieces: tuple[int, ...], full_ms: np.ndarray, period_ms: float
) -> dict[str, Any]:
    """Run a block of frames under one governor and return what came of it."""
    from runtime.device.actuators import CpuFreq
    from runtime.govern.governor import govern_command, plan_for

    load = OURS.get(governor)
    deadline_ms = period_ms * (1 if load is None else 1 + load.max_queued)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.json"
        cpus = None if cluster is None else tuple(cluster.cpus[-1:])
        frames = program.VariableFrames(pieces, period_ms, deadline_ms, str(out), cpus)
        words = msgspec.json.encode(frames).decode()
        command = [sys.executable, "-m", "tests.benchmarks._variable_frames", words]
        with Counters(target) as counters:
            if cluster is None:
                plan = plan_for(target, None, 1e3 / period_ms, variable_load=load)
                run = govern_command(plan, command, reports_frames=True, meter="none")
                assert (run.status, run.frames) == (0, len(pieces)), run
                changes = run.changes
            else:
                changes = under_kernel(governor, CpuFreq(target.root), cluster, command)
        done = msgspec.json.decode(out.read_bytes(), type=FramesRun)
    settle = min(round(1e3 * _SETTLE_S / period_ms), len(pieces) // 2)
    released_ms = period_ms * np.arange(len(pieces))
    after_ms = (1e3 * np.array(done.start_s) + np.array(done.latency_ms) - released_ms)[settle:]
    spent = counters.between(done.begin_s + done.start_s[settle], done.end_s)
    return {
        "frames": len(after_ms),
        "late": int((after_ms > period_ms).sum()),
        "late_buffered": int((after_ms > 2 * period_ms).sum()),
        "latency_ms": float(np.median(done.latency_ms[settle:])),
        "energy_mj": spent.busy_mj_per_work_s * float(full_ms[settle:].mean()) / 1e3,
        "timed_mj": spent.busy_mj / len(after_ms),
        "idle_mw": spent.idle_mw,
        "changes": changes,
    }


def _at_full_speed(cluster: Any) -> float:
    """Return pieces of work per ms at a cluster's highest clock."""
    from runtime.device.actuators import CpuFreq
    from tests.benchmarks._kernel_governors import performance

    with performance(CpuFreq(), cluster):
        command = "from runtime.device.actuators import pin\n"
        command += "from tests.benchmarks import _variable_frames as program\n"
        command += f"pin({tuple(cluster.cpus[-1:])})\nprint(program.pieces_per_ms())"
        shown = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return float(shown.stdout)


if __name__ == "__main__":
    main()
