"""Governed inference on emulated phones: ``python -m tests.benchmarks.governed``.

MobileNetV2 at 224x224 (LiteRT, one thread) runs at 15 and 30 FPS for a minute each under ``edgekit`` (the
governor of ``edgekit govern``, by a policy tuned on the same machine just before), ``performance`` on the
fastest cluster, ``schedutil`` there, and ``schedutil`` on the cluster that EAS would choose; the latter
three are played in user space (see ``_kernel_governors``). Frames are real, on cores that are really
slow, and a frame is late when it ends after its period; energy is the emulation's account of all clusters,
idle ones included, from the first frame's release to the last one's end. Latency and energy are emulated.

Needs Linux, root and a C compiler, and a machine that does nothing else. ``--seconds 5 --every 4`` is a
quick look.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgekit.cli._output import note
from tests.benchmarks._emulated import Meter, rows_inside
from tests.benchmarks._kernel_governors import energy_aware_cluster, under_kernel
from tests.benchmarks._table import show, write_report

SOCS = ("gs101", "exynos5422")
RATES = (15.0, 30.0)
GOVERNORS = ("edgekit", "performance", "schedutil", "schedutil+eas")
_COLUMNS = {
    "soc": "SoC", "fps": "FPS", "governor": "governor", "cluster": "cores", "frames": "frames",
    "late": "late", "late_pct": "late %", "latency_ms": "ms", "p95_ms": "p95 ms",
    "energy_mj": "mJ/frame", "changes": "changes", "saved_pct": "edgekit saves %",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.governed", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--soc", action="append", help="repeatable; default: " + ", ".join(SOCS))
    parser.add_argument("--fps", action="append", type=float, help="repeatable; default: 15 and 30")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each run")
    parser.add_argument("--every", type=int, default=1, help="bench only every Nth clock to tune by")
    parser.add_argument("--late", type=float, default=0.01, help="share of frames that may be late")
    parser.add_argument("--bundle", type=Path, help="of your own, with a LiteRT variant")
    parser.add_argument("--logs", type=Path, help="folder for the governed runs' logs")
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
            show(_COLUMNS, found)
    write_report(options.json, "governed", rows, summarise(rows))


def build(path: Path) -> Path:
    """Export the network and return its bundle's path."""
    note("exporting MobileNetV2 ...")
    command = ["export", "mobilenet_v2", "--weights", "none", "--engine", "litert", "-o", str(path)]
    subprocess.run([sys.executable, "-m", "edgekit", *command], check=True, capture_output=True)
    return path


def run_inside(soc: str, bundle: Path, out: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run this very program on an emulated ``soc`` and return its rows."""
    given = [f"--bundle={bundle}", f"--seconds={options.seconds}", f"--every={options.every}"]
    given += [f"--late={options.late}", *(f"--fps={fps}" for fps in options.fps)]
    if options.logs is not None:
        options.logs.mkdir(parents=True, exist_ok=True)
        given.append(f"--logs={options.logs.resolve() / soc}")
    return rows_inside(soc, "governed", out, given)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return one row per rate and governor of the machine this runs on."""
    from runtime.bundle import Bundle
    from runtime.device.setting import Setting
    from runtime.targets import open_target

    target = open_target("local")
    assert target.provenance == "emulated"
    bundle = Bundle.open(options.bundle)
    fastest = max(target.profile.clusters, key=target.profile.capacity)
    policies = {fps: tune(bundle, target, fps, options) for fps in options.fps}
    rows = []
    for fps, policy in policies.items():
        full = Setting(fastest.name, fastest.max_khz)
        [full_ms] = [e.latency_ms for e in policy.considered if e.setting == full]
        placed = {
            "performance": fastest,
            "schedutil": fastest,
            "schedutil+eas": energy_aware_cluster(target.profile, full_ms, 1e3 / fps),
        }
        block = []
        for governor in GOVERNORS:
            log = None if options.logs is None else Path(f"{options.logs}-{fps:g}fps.jsonl")
            row = run_one(target, bundle, policy, fps, governor, placed.get(governor), options, log)
            block.append({"fps": fps, "governor": governor, **row})
            note(
                f"{target.profile.name} {fps:g} FPS {governor}: {row['late']} of {row['frames']} late, "
                f"{row['energy_mj']:.3g} mJ a frame"
            )
        for row in block:
            row["saved_pct"] = 100 * (1 - block[0]["energy_mj"] / row["energy_mj"])
        rows += block
    return rows


def tune(bundle: Any, target: Any, fps: float, options: argparse.Namespace) -> Any:
    """Bench the machine, if that is not done yet, and return the policy for a rate."""
    from runtime.choose.tuning.tune import tune_bundle
    from runtime.measure.bench import bench, default_log
    from runtime.targets import choose_settings

    settings = choose_settings(target, every=options.every)
    log = default_log(bundle, target)
    note(f"benching {len(settings)} settings to tune for {fps:g} FPS ...")
    records = bench(bundle, target, settings=settings, runs=20, warmup=2, blocks=1, log=log)
    thinned = Thinned(target, settings)
    return tune_bundle(bundle, thinned, fps, records=records)[1]


class Thinned:
    """A target that offers only some of its settings, so that a policy needs no predictor."""

    def __init__(self, target: Any, settings: Sequence[Any]):
        self._target, self._settings = target, tuple(settings)

    def settings(self, threads: Sequence[int] = (1,)) -> tuple[Any, ...]:
        return self._settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def run_one(
    target: Any,
    bundle: Any,
    policy: Any,
    fps: float,
    governor: str,
    cluster: Any,
    options: argparse.Namespace,
    log: Path | None,
) -> dict[str, Any]:
    """Run the frames under one governor and return its row."""
    from runtime.device.actuators import CpuFreq
    from runtime.govern.governor import GovernPlan, govern_command
    from runtime.govern.governor.frames import FramesRun, command_of, stream_for
    from runtime.govern.governor.tables import policy_rows

    limit_ms = policy.goal.latency_limit_ms
    table = policy_rows(policy, target.profile)
    plan = GovernPlan(target, table, policy, 1e3 / fps, limit_ms, late_share=options.late)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "frames.json"
        stream = stream_for(
            bundle,
            bundle.manifest.variant(policy.variant),
            plan,
            threads=1,
            frames=max(10, round(options.seconds * fps)),
            out=out,
        )
        with Meter(target.root) as meter:
            if cluster is None:
                run = govern_command(plan, command_of(stream), reports_frames=True, log=log, meter="none")
                assert run.status == 0, run
                changes, untrusted, where = run.changes, run.untrusted_frames, cores_of(run.frames_at)
            else:
                stream = replace(stream, cpus=cluster.cpus[-1:])
                changes, untrusted, where = under_kernel(
                    governor, CpuFreq(target.root), cluster, command_of(stream)
                )
        frames = msgspec.json.decode(out.read_bytes(), type=FramesRun)
        assert frames.is_governed == (cluster is None), frames.problem
    energy_mj = meter.energy_mj(frames.begin_s, frames.end_s)
    return {
        "cluster": where,
        "frames": len(frames.late),
        "late": sum(frames.late),
        "late_pct": 100 * sum(frames.late) / len(frames.late),
        "latency_ms": float(np.median(frames.latency_ms)),
        "p95_ms": float(np.percentile(frames.latency_ms, 95)),
        "energy_mj": energy_mj / len(frames.late),
        "power_mw": energy_mj / (frames.end_s - frames.begin_s),
        "changes": changes,
        "untrusted": untrusted,
    }


def cores_of(frames_at: dict[str, int]) -> str:
    """Return the clusters that frames ran on, the most used first."""
    counts: dict[str, int] = {}
    for setting, count in frames_at.items():
        name = setting.partition(" ")[0]
        counts[name] = counts.get(name, 0) + count
    return "+".join(sorted(counts, key=lambda name: -counts[name]))


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return, per SoC and rate, what edgekit saves and how many frames are late under each governor."""
    summary: dict[str, Any] = {}
    for row in rows:
        found = summary.setdefault(f"{row['soc']} {row['fps']:g} FPS", {})
        found[f"{row['governor']}_late_pct"] = row["late_pct"]
        found[f"{row['governor']}_energy_mj"] = row["energy_mj"]
        if row["governor"] != "edgekit":
            found[f"saved_vs_{row['governor']}_pct"] = row["saved_pct"]
    return summary


if __name__ == "__main__":
    main()
