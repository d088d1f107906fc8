"""Governed inference on emulated phones: ``python -m tests.benchmarks.governed``.

MobileNetV2 at 224x224 (LiteRT, one thread) runs at 15 and 30 FPS under ``edgekit`` (the governor of
``edgekit govern``, by a policy tuned on the same machine just before), ``performance`` on the fastest
cluster, ``interactive`` and ``schedutil`` there, and ``schedutil`` on the cluster that EAS would choose; the
latter four are played in user space (see ``_kernel_governors``). Frames are real, on cores that are really
slow, and a frame is late when it ends after its period. Blocks of each governor are repeated in ABBA order;
their first frames, in which governors find their clock, do not count.

Energy is that of a frame's work: time busy at each clock, times the power there, over the work that was done
in it by the profile's speeds (``_emulated.Spent``). So it tells what was decided, and the host's speed does
not move it; ``timed`` is the energy of the time the frames really took, and scatters as the host does. What
idle clusters take stands apart. Latency and energy are emulated.

Needs Linux, root and a C compiler, and a machine that does nothing else. ``--seconds 3 --repeats 2 --every
4`` is a quick look.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.cli._output import note
from tests.benchmarks._emulated import Counters, rows_inside
from tests.benchmarks._governed_frames import Block, Child
from tests.benchmarks._kernel_governors import energy_aware_cluster, follower, performance
from tests.benchmarks._repeats import OURS, STEADY, abba, rows_of
from tests.benchmarks._table import rounded, show, write_report

SOCS = ("gs101", "exynos5422")
RATES = (15.0, 30.0)
GOVERNORS = (OURS, "schedutil", "interactive", STEADY, "schedutil+eas")
_STEADY_S = 2.0  # of one clock no more has to be seen
_COLUMNS = {
    "soc": "SoC", "fps": "FPS", "governor": "governor", "cluster": "cores", "frames": "frames",
    "late_pct": "late %", "latency_ms": "ms", "energy_mj": "busy mJ/frame", "energy_off_pct": "+- %",
    "timed_mj": "timed mJ", "idle_mw": "idle mW", "changes": "changes", "above_pct": "edgekit above %",
    "above_off_pct": "+- points",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.governed", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", action="append", help="repeatable; default: " + ", ".join(SOCS))
    parser.add_argument("--fps", action="append", type=float, help="repeatable; default: 15 and 30")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each block that count")
    parser.add_argument("--settle", type=float, default=2.0, help="seconds of each block that do not")
    parser.add_argument("--repeats", type=int, default=5, help="blocks of each governor")
    parser.add_argument("--every", type=int, default=1, help="bench only every Nth clock to tune by")
    parser.add_argument("--late", type=float, default=0.01, help="share of frames that may be late")
    parser.add_argument("--bundle", type=Path, help="of your own; of a flow whole frames run")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # file to write the rows to
    options = parser.parse_args(arguments)
    options.fps = options.fps or list(RATES)
    if options.inside:
        options.inside.write_bytes(msgspec.json.encode(measure(options)))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = options.bundle or build(Path(folder) / "mobilenet_v2.edgekit")
        for soc in options.soc or SOCS:
            copied = Path(folder) / f"{soc}.edgekit"  # each SoC is "local" to its records
            shutil.copytree(bundle, copied, ignore=shutil.ignore_patterns("records", "runs"))
            found = run_inside(soc, copied, Path(folder) / "rows.json", options)
            rows += found
            show(_COLUMNS, [rounded(row) for row in found])
    write_report(options.json, "governed", rows, summarise(rows))


def build(path: Path) -> Path:
    """Export the network and return its bundle's path."""
    note("exporting MobileNetV2 ...")
    command = ["export", "mobilenet_v2", "--weights", "none", "--engine", "litert", "-o", str(path)]
    subprocess.run([sys.executable, "-m", "edgekit", *command], check=True, capture_output=True)
    return path


def run_inside(soc: str, bundle: Path, out: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run this very program on an emulated ``soc`` and return its rows."""
    given = [f"--bundle={bundle}", *(f"--fps={fps}" for fps in options.fps)]
    names = ("seconds", "settle", "repeats", "every", "late")
    given += [f"--{name}={getattr(options, name)}" for name in names]
    return rows_inside(soc, "governed", out, given)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return one row per rate and governor of the machine this runs on."""
    from runtime.bundle import Bundle
    from runtime.flow.frames import as_frames
    from runtime.targets import open_target

    target = open_target("local")
    assert target.provenance == "emulated"
    bundle = as_frames(Bundle.open(options.bundle))
    policies = {fps: tune(bundle, target, fps, options) for fps in options.fps}
    rows: list[dict[str, Any]] = []
    for fps, policy in policies.items():
        phone = Phone(target, bundle, policy, options)
        blocks: dict[str, list[dict[str, Any]]] = {name: [] for name in GOVERNORS}
        with Child(phone.stream) as child:
            for name in abba(GOVERNORS, options.repeats):
                block = phone.run(name, child)
                blocks[name].append(block)
                note(
                    f"{target.profile.name} {fps:g} FPS {name}: {block['late']} of {block['frames']} late, "
                    f"{block['energy_mj']:.3g} mJ a frame"
                )
        for row in rows_of(blocks):
            rows.append({"fps": fps, **row, "cluster": blocks[row["governor"]][-1]["cluster"]})
    return rows


def tune(bundle: Any, target: Any, fps: float, options: argparse.Namespace) -> Any:
    """Bench the machine, if that is not done yet, and return the policy for a rate."""
    from runtime.choose.tuning.tune import tune_bundle
    from runtime.measure.bench import bench, default_log
    from runtime.targets import choose_settings

    settings = choose_settings(target, every=options.every)
    log = default_log(bundle, target)
    note(f"benching {len(settings)} settings to tune for {fps:g} FPS ...")
    records = bench(bundle, target, settings=settings, runs=20, warmup=2, log=log)
    thinned = Thinned(target, settings)
    return tune_bundle(bundle, thinned, fps, records=records)[1]


class Thinned:
    """A target that offers only some of its settings, so that a policy needs no predictor."""

    def __init__(self, target: Any, settings: Sequence[Any]):
        self._target, self._settings = target, tuple(settings)

    def settings(self, threads: Sequence[int] = (1,), clusters: Sequence[str] = ()) -> tuple[Any, ...]:
        return self._settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Phone:
    """The machine with frames at one rate, to be run under any of the governors."""

    def __init__(self, target: Any, bundle: Any, policy: Any, options: argparse.Namespace):
        from runtime.device.actuators import CpuFreq
        from runtime.device.setting import Setting
        from runtime.govern.governor import GovernPlan
        from runtime.govern.governor.frames import stream_for
        from runtime.govern.governor.tables import policy_rows

        self.options, self.cpufreq = options, CpuFreq(target.root)
        table, period_ms = policy_rows(policy, target.profile), 1e3 / policy.fps_target
        limit_ms = policy.goal.latency_limit_ms
        self.plan = GovernPlan(target, table, policy, period_ms, limit_ms, late_share=options.late)
        variant = bundle.manifest.variant(policy.variant)
        self.stream = stream_for(bundle, variant, self.plan, threads=1, frames=1)
        fastest = max(target.profile.clusters, key=target.profile.capacity)
        full = Setting(fastest.name, fastest.max_khz)
        [full_ms] = [
            e.latency_ms for e in policy.considered if (e.variant, e.setting) == (policy.variant, full)
        ]
        self.full_s = full_ms / 1e3
        self.clusters = {
            STEADY: fastest,
            "schedutil": fastest,
            "interactive": fastest,
            "schedutil+eas": energy_aware_cluster(target.profile, full_ms, period_ms),
        }

    def run(self, governor: str, child: Child) -> dict[str, Any]:
        """Run a block of frames under a governor and return what came of it."""
        fps, settle_s = 1e3 / self.plan.period_ms, self.options.settle
        seconds = min(self.options.seconds, _STEADY_S) if governor == STEADY else self.options.seconds
        settle, count = round(settle_s * fps), max(5, round(seconds * fps))
        with Counters(self.plan.target) as counters:
            if governor == OURS:
                run, changes, where = self._govern(child, settle + count)
            else:
                run, changes = self._leave_to_kernel(governor, child, settle + count)
                where = self.clusters[governor].name
        spent = counters.between(run.begin_s + run.start_s[settle], run.end_s)
        return {
            "cluster": where,
            "frames": count,
            "late": sum(run.late[settle:]),
            "latency_ms": float(np.median(run.latency_ms[settle:])),
            "energy_mj": spent.busy_mj_per_work_s * self.full_s,
            "timed_mj": spent.busy_mj / count,
            "idle_mw": spent.idle_mw,
            "changes": changes,
        }

    def _govern(self, child: Child, frames: int) -> tuple[Any, int, str]:
        from runtime.govern.governor.serving import serving

        with (
            tempfile.TemporaryDirectory() as folder,
            serving(self.plan, socket=Path(folder) / "governor.sock") as server,
        ):
            child.ask(self._block(frames, socket=str(server.path)))
            server.serve(until=child.has_answered)
            run, governor = child.answer(), server.governor
            assert run.is_governed, run.problem
            return run, governor.machine.clocks.changes, cores_of(governor.frames_at)

    def _leave_to_kernel(self, governor: str, child: Child, frames: int) -> tuple[Any, int]:
        cluster = self.clusters[governor]
        block = self._block(frames, cpus=cluster.cpus[-1:])
        if governor == STEADY:
            with performance(self.cpufreq, cluster):
                child.ask(block)
                return child.answer(), 0
        with follower(governor, self.cpufreq, cluster).following() as following:
            following.follow(*child.pids)
            child.ask(block)
            return child.answer(), following.changes

    def _block(self, frames: int, **where: Any) -> Block:
        plan = self.plan
        return Block(frames, plan.period_ms, plan.deadline_ms, plan.latency_limit_ms, **where)


def cores_of(frames_at: dict[str, int]) -> str:
    """Return the clusters that frames ran on, the most used first."""
    counts: dict[str, int] = {}
    for setting, count in frames_at.items():
        name = setting.partition(" ")[0]
        counts[name] = counts.get(name, 0) + count
    return "+".join(sorted(counts, key=lambda name: -counts[name]))


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return, per SoC and rate, late frames and energy under each governor, and by how much ours is above."""
    summary: dict[str, Any] = {}
    for row in rows:
        found = summary.setdefault(f"{row['soc']} {row['fps']:g} FPS", {})
        name = row["governor"]
        found[f"{name}_late_pct"] = row["late_pct"]
        found[f"{name}_energy_mj"] = row["energy_mj"]
        if name != OURS:
            found[f"above_{name}_pct"] = row["above_pct"]
            found[f"above_{name}_off_pct"] = row["above_off_pct"]
        if name == STEADY:
            found["performance_spread_pct"] = row["spread_pct"]
            found["performance_timed_spread_pct"] = row["timed_spread_pct"]
            # Above 1 by more than the emulation is off: something else ran on the phone's core.
            found["performance_timed_over_counted"] = row["timed_mj"] / row["energy_mj"]
    return summary


if __name__ == "__main__":
    main()
