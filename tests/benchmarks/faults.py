"""Kill, fill, take away, refuse: is the machine as before? ``python -m tests.benchmarks.faults``.

As root it runs inside an emulated phone, whose files answer as a kernel's do; else, or with
``--tree``, on a tree of files. Each row counts the cases, those after which every cpufreq file was as
before, and those in which a clock was held when the fault came.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import click
import psutil

from edgekit.cli._output import note
from runtime.device.actuators import CpuFreq, Journal, restore
from runtime.device.emulation.namespace import probe
from runtime.device.marker import find_marker
from tests.benchmarks import _faults as faults
from tests.benchmarks._faults import Host, Outcome, Place
from tests.benchmarks._table import show, write_report
from tests.runtime.fake_device import make_device
from tests.runtime.tflite_builder import write_doubling_conv

_COLUMNS = {"fault": "fault", "cases": "cases", "ok": "as before", "held": "clock held", "seconds": "s"}
_KILLS: dict[str, tuple[str, Callable[[Host], None], bool]] = {
    "kill -9 the agent": ("agent", lambda h: h.kill(signal.SIGKILL, agent=True, host=False), True),
    "kill -9 the host side": ("agent", lambda h: h.kill(signal.SIGKILL), True),
    "kill -9 both": ("agent", lambda h: h.kill(signal.SIGKILL, agent=True), True),
    "kill -9 a local bench": ("local", lambda h: h.kill(signal.SIGKILL), True),
    "kill -9 a bench in a thread, no restore": ("thread", lambda h: h.kill(signal.SIGKILL), False),
    "kill -9 a governor": ("govern", lambda h: h.kill(signal.SIGKILL), True),
    "SIGTERM to a governor, no restore": ("govern", lambda h: h.kill(signal.SIGTERM), False),
    "SIGTERM, no restore": ("local", lambda h: h.kill(signal.SIGTERM), False),
    "SIGINT, no restore": ("local", lambda h: h.kill(signal.SIGINT), False),
    "SIGTERM, SIGINT, SIGHUP in a row, no restore": (
        "local",
        lambda h: h.kill(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
        False,
    ),
    "SIGTERM to a bench in a thread, no restore": ("thread", lambda h: h.kill(signal.SIGTERM), False),
    "kill -9 the host side, no restore": ("agent", lambda h: h.kill(signal.SIGKILL), False),
}  # fmt: skip


def campaign(place: Place, tree: Place, kills: int, seed: int, only: str = "") -> Iterator[dict[str, Any]]:
    """Yield a row per fault.

    Args:
        place: where runs are killed.
        tree: a tree of files, for what cannot be done to an emulated machine's files.
        kills: random moments per way to end a run.
        only: faults whose name holds this.
    """
    cases: dict[str, Callable[[], list[Outcome]]] = {}
    for name, (where, do, repairs) in _KILLS.items():
        cases[name] = lambda where=where, do=do, repairs=repairs: [
            faults.killed(place, where, moment, do, repairs=repairs) for moment in faults.moments(kills, seed)
        ]
    few = max(2, kills // 5)
    cases["kill -9 the restore, restore again"] = lambda: [
        faults.restore_killed(place, moment / 4) for moment in faults.moments(few, seed)
    ]
    policy = CpuFreq(tree.root).domains()[0]
    clock = policy.available_khz[0]
    shared = CpuFreq(place.root).domains()[0]
    cases["two runs, one clock"] = lambda: [
        faults.two_holders(place, shared, shared.available_khz[0]) for _ in range(few)
    ]
    cases["a file vanishes under a held clock"] = lambda: [
        faults.vanished(tree, policy, clock, f"scaling_{name}")
        for name in ("max_freq", "min_freq", "governor")
    ]
    cases["EINVAL, EROFS and EACCES on a write"] = lambda: _refusals(tree)
    cases["no room for the journal"] = lambda: _full_journal(tree)
    cases["no room for the records"] = lambda: _full_records(place)
    cases["the clock is set back or forth"] = lambda: _set_clocks(tree)
    for name, run in cases.items():
        if only not in name:
            continue
        begun_s = time.monotonic()
        try:
            outcomes = run()
        except _Unable as err:
            note(f"{name}: left out: {err}")
            continue
        yield {
            "fault": name,
            "cases": len(outcomes),
            "ok": sum(outcome.is_ok for outcome in outcomes),
            "held": sum(outcome.was_held for outcome in outcomes),
            "seconds": round(time.monotonic() - begun_s, 1),
        }
        note(f"{name}: {sum(outcome.is_ok for outcome in outcomes)}/{len(outcomes)}")


class _Unable(Exception):
    """This machine does not let the fault be made."""


@contextlib.contextmanager
def _mounted(*words: str) -> Iterator[None]:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _Unable(f"mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", words[-1]], check=False)


def _refusals(tree: Place) -> list[Outcome]:
    policy = CpuFreq(tree.root).domains()[0]
    clock = policy.available_khz[0]
    governor = str(policy.path / "scaling_governor")
    outcomes = []
    # A kernel's own files that refuse the value: 'userspace' is no number, 300000 no overcommit mode.
    for file, name in (("swappiness", "scaling_governor"), ("overcommit_memory", "scaling_setspeed")):
        with _mounted("--bind", f"/proc/sys/vm/{file}", str(policy.path / name)):
            outcomes.append(faults.refused(tree, policy, clock))
    with _mounted("--bind", governor, governor):
        subprocess.run(["mount", "-o", "remount,bind,ro", governor], check=True)
        outcomes.append(faults.refused(tree, policy, clock))
    with tempfile.TemporaryDirectory() as temporary:  # where others may look in
        open_tree = _make_tree(Path(temporary))
        Path(temporary).chmod(0o755)
        open_tree.work.chmod(0o777)
        os.seteuid(65534)
        try:
            outcomes.append(faults.refused(open_tree, CpuFreq(open_tree.root).domains()[0], clock))
        finally:
            os.seteuid(0)
    return outcomes


def _full_journal(tree: Place) -> list[Outcome]:
    policy = CpuFreq(tree.root).domains()[0]
    outcomes = []
    for index, options in enumerate(("size=16k", "nr_inodes=2", "nr_inodes=1")):
        folder = tree.work / f"full{index}"
        folder.mkdir()
        with _mounted("-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
            if options.startswith("size"):
                with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
                    while filler.write(bytes(4096)):
                        pass
            outcomes.append(faults.full_journal(tree, policy, policy.available_khz[0], folder))
    return outcomes


def _full_records(place: Place) -> list[Outcome]:
    """Bench until the disk of the records is full, make room, go on: every record is whole."""
    folder = place.work / "records"
    folder.mkdir(exist_ok=True)
    outcomes = []
    for size in ("8k", "12k", "16k"):
        with _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
            before = place.files()
            log = folder / "log.jsonl"
            command = [
                sys.executable,
                "-m",
                "edgekit",
                "bench",
                str(place.model),
                "--runs",
                "200",
                "-o",
                str(log),
            ]
            command += ["--warmup", "0", "--meter", "none", "--blocks", "6", "--every", "100"]
            env = place.env | {"EDGEKIT_ROOT": str(place.root)}
            first = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            whole = len(list(faults.RecordLog(log)))
            subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
            second = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            done = len(list(faults.RecordLog(log)))
            is_told = first.returncode == 1 and "disk is full" in first.stderr
            is_whole = second.returncode == 0 and done > whole > 0
            outcomes.append(Outcome(is_told and is_whole and place.files() == before, False))
    return outcomes


def _set_clocks(tree: Place) -> list[Outcome]:
    """Look at a live owner, and at a dead one, after the time of day was set."""
    policy = CpuFreq(tree.root).domains()[0]
    journal = Journal(tree.work / "time")
    outcomes = []
    for step_s in (-86400.0, -3600.0, -1.0, 3600.0):
        before = tree.files()
        clocks = {"time.time": time.time(), "psutil._pslinux.boot_time": psutil.boot_time()}
        moved = [mock.patch(name, return_value=now + step_s) for name, now in clocks.items()]
        with contextlib.ExitStack() as stack:
            stack.enter_context(CpuFreq(tree.root, journal=journal).hold(policy, policy.available_khz[0]))
            for patch in moved:
                stack.enter_context(patch)
            held = tree.files()
            is_left = [done.action[:10] for done in restore(journal)] == [
                "left alone"
            ] and tree.files() == held
            [(path, entry)] = journal.entries()
            of_dead = path.read_text().replace(f'"pid":{entry.pid}', '"pid":4194305')
        path.write_text(of_dead)
        (policy.path / "scaling_max_freq").write_text(f"{policy.available_khz[0]}\n")
        with moved[0], moved[1]:
            is_back = [done.action for done in restore(journal)] == ["restored"]
        outcomes.append(Outcome(is_left and is_back and tree.files() == before, held != before))
    return outcomes


def _make_tree(folder: Path) -> Place:
    device = make_device(folder)
    (folder / "work").mkdir()
    return Place(device.root, folder / "work", write_doubling_conv(folder / "double.tflite"))


@click.command()
@click.option("--kills", type=click.IntRange(min=1), default=50, show_default=True, help="Moments per kind.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random moments.")
@click.option("--only", default="", help="Only faults whose name holds this.")
@click.option("--soc", default="gs101", show_default=True, help="Phone to emulate.")
@click.option("--tree", is_flag=True, help="Use a tree of files even where a phone can be emulated.")
@click.option("--json", "out", type=click.Path(path_type=Path), default=None, help="Write the report here.")
def main(kills: int, seed: int, only: str, soc: str, tree: bool, out: Path | None) -> None:
    """Do every fault to runs at random moments and count how often the machine was as before."""
    ok, reason = probe()
    if not tree and ok and find_marker() is None:
        words = [sys.executable, "-m", "tests.benchmarks.faults", *sys.argv[1:]]
        sys.exit(subprocess.call([sys.executable, "-m", "runtime.device.emulation", soc, "--", *words]))
    is_emulated = find_marker() is not None
    note(f"on emulated {soc}" if is_emulated else f"on a tree of files ({'asked for' if tree else reason})")
    with tempfile.TemporaryDirectory() as temporary:
        files = _make_tree(Path(temporary))
        place = Place(Path("/"), files.work, files.model) if is_emulated else files
        rows = list(campaign(place, files, kills, seed, only))
    show(_COLUMNS, rows)
    summary = {row["fault"]: f"{row['ok']}/{row['cases']}" for row in rows}
    write_report(out, "faults", rows, {"machine": f"emulated:{soc}" if is_emulated else "tree", **summary})
    sys.exit(0 if all(row["ok"] == row["cases"] for row in rows) else 1)


if __name__ == "__main__":
    main()
