"""The host side that a fault campaign kills.

``python -m tests.benchmarks._fault_host WHERE BUNDLE LOG ROOT`` benches for ever, over the lowest and
the highest clock of each cluster, in blocks of a few frames. WHERE is ``local``, ``thread`` (local, but
not in the main thread) or ``agent``; ``govern`` governs a program instead, within each of its frames where
power is known.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.govern.governor import VariableLoad, govern_command, plan_for
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import LocalTarget, Target
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk

FPS = 60.0
_FRAMES = f"""
import random, time
from runtime.govern.governor.client import Session
with Session({1e3 / FPS}) as session:
    while session.is_governed:
        with session.frame():
            end_s = time.thread_time() + random.choice([0.0005, 0.002, 0.004])
            while time.thread_time() < end_s:
                pass
        time.sleep(0.005)
"""


def open_place(where: str, root: Path) -> Target:
    """Return the machine below ``root``, directly or through an agent, without a meter."""
    if where == "agent":
        command = [sys.executable, "-m", "runtime.targets.agent", "--root", str(root)]
        target: Target = AgentTarget("agent", ProcessConnection(command, os.environ), SameDisk())
        print("agent", target._link._connection.process.pid, flush=True)
    else:
        target = LocalTarget(root)
    target.use_meter("none")
    return target


def settings_of(target: Target) -> list[Setting]:
    """Return the lowest and the highest clock of each cluster that can be asked for."""
    offered = target.settings()
    clusters = dict.fromkeys(setting.cluster for setting in offered)
    ends = []
    for cluster in clusters:
        of_it = sorted((s for s in offered if s.cluster == cluster), key=lambda s: s.freq_khz or 0)
        ends += [of_it[0], of_it[-1]]
    return ends


def bench_for_ever(where: str, model: Path, log: Path, root: Path) -> None:
    """Bench until killed."""
    target, bundle = open_place(where, root), open_bundle_or_model(model)
    print("ready", flush=True)
    for seed in range(1_000_000):
        settings = settings_of(target)
        bench(bundle, target, settings=settings, runs=3, warmup=1, blocks=1, seed=seed, log=RecordLog(log))


def govern_for_ever(root: Path) -> None:
    """Govern a program until killed; it ends when nobody governs it any more."""
    target = LocalTarget(root)
    has_power = all(target.power(setting) is not None for setting in target.settings())
    plan = plan_for(target, None, FPS, variable_load=VariableLoad() if has_power else None)
    print("ready", flush=True)
    govern_command(plan, [sys.executable, "-c", _FRAMES], reports_frames=True, meter="none")


def main(arguments: list[str]) -> None:
    """Run as the module's text says."""
    where, model, log, root = arguments
    work = (where, Path(model), Path(log), Path(root))
    if where == "govern":
        govern_for_ever(Path(root))
    elif where == "thread":
        threading.Thread(target=bench_for_ever, args=work).start()
    else:
        bench_for_ever(*work)


if __name__ == "__main__":
    main(sys.argv[1:])
