"""Train beside other programs: threads that wait asleep.

OpenMP's threads spin while they wait for each other, for milliseconds (GOMP_SPINCOUNT, KMP_BLOCKTIME). Where
another program has the core of the one they wait for, all of them burn what it needs: a step of MobileNetV2
took 12 s instead of 2.6 on two cores at a load of 9. Asleep they cost a wake-up for each parallel loop, so
where the machine is theirs they spin on.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

import psutil

from runtime.device.meters.cpu_time import read_cpu_times, total

# What libgomp, Intel's and LLVM's OpenMP read once, when torch loads them.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
_LOOK_S = 0.3
_WATCH_S = 10.0
_BUSY_SHARE = 0.10  # of all CPUs: one program on ten cores is enough to hold one of ten threads up


def heed_others(on_message: Callable[[str], None]) -> None:
    """Let threads wait asleep where other programs are at work; else say so once they are."""
    if not wait_asleep_if_busy(on_message):
        watch_others(on_message)


def wait_asleep_if_busy(
    on_message: Callable[[str], None],
    environment: MutableMapping[str, str] = os.environ,
    root: Path = Path("/"),
    look: Callable[[float], None] = time.sleep,
) -> bool:
    """Let OpenMP's threads wait asleep if other programs are at work, and say so; return whether they are.

    What the user has set stays, and so it does once torch is loaded.

    Args:
        look: lets so many seconds pass, in which others are watched.
    """
    share = _share_of_others(_LOOK_S, root, look)
    if share < _BUSY_SHARE:
        return False
    is_ours = "torch" not in sys.modules and not any(name in environment for name in PASSIVE)
    if is_ours:
        environment.update(PASSIVE)
    how = "; threads that wait sleep meanwhile" if is_ours else ""
    on_message(f"this machine is busy: other programs use {share:.0%} of its CPUs, steps take longer{how}")
    return True


def watch_others(
    on_message: Callable[[str], None], root: Path = Path("/"), look: Callable[[float], None] = time.sleep
) -> threading.Thread:
    """Say once, from a thread of its own, when other programs are at work for two looks in a row.

    How its threads wait a process cannot change any more; one that is started anew can.
    """

    def watch() -> None:
        times_busy = 0
        while times_busy < 2:
            share = _share_of_others(_WATCH_S, root, look)
            times_busy = times_busy + 1 if share >= _BUSY_SHARE else 0
        on_message(
            f"this machine has become busy: other programs use {share:.0%} of its CPUs, steps take longer; "
            "stop the run and continue it with --resume to let threads that wait sleep"
        )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def _share_of_others(span_s: float, root: Path, look: Callable[[float], None]) -> float:
    """Return which share of all CPUs is used by others within so many seconds; 0 where it is not told."""
    before, own_s, begin_s = total(read_cpu_times(root)), _own_time_s(), time.monotonic()
    look(span_s)
    times, own_s, passed_s = read_cpu_times(root), _own_time_s() - own_s, time.monotonic() - begin_s
    after = total(times)
    if before is None or after is None:
        return 0.0
    return min(1.0, (after.busy_s - before.busy_s - own_s) / (passed_s * len(times)))


def _own_time_s() -> float:
    """Return the CPU time of this process and all that it started."""
    own = psutil.Process()
    spent_s = sum(own.cpu_times()[:4])  # ended children count in its own
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            spent_s += sum(child.cpu_times()[:4])
    return spent_s
