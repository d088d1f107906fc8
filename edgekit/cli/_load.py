"""Train beside other programs: threads that wait asleep.

OpenMP's threads spin while they wait for each other, for milliseconds (GOMP_SPINCOUNT, KMP_BLOCKTIME). Where
another program has the core of the one they wait for, all of them burn what it needs: a step of MobileNetV2
took 12 s instead of 2.6 on two cores at a load of 9. Asleep they cost a wake-up for each parallel loop, so
where the machine is theirs they spin on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

from runtime.device.meters.cpu_time import read_cpu_times, total

# What libgomp, Intel's and LLVM's OpenMP read once, when torch loads them.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
_LOOK_S = 0.3
_BUSY_SHARE = 0.10  # of all CPUs: one program on ten cores is enough to hold one of ten threads up


def wait_asleep_if_busy(
    on_message: Callable[[str], None],
    environment: MutableMapping[str, str] = os.environ,
    root: Path = Path("/"),
    look: Callable[[float], None] = time.sleep,
) -> bool:
    """Let OpenMP's threads wait asleep if other programs are at work, and say so; return whether it was set.

    What the user has set stays, and so it does once torch is loaded.

    Args:
        look: lets so many seconds pass, in which others are watched.
    """
    before, begin_s = total(read_cpu_times(root)), time.monotonic()
    look(_LOOK_S)
    times, span_s = read_cpu_times(root), time.monotonic() - begin_s
    after = total(times)
    if before is None or after is None:
        return False
    share = min(1.0, (after.busy_s - before.busy_s) / (span_s * len(times)))
    if share < _BUSY_SHARE:
        return False
    is_ours = "torch" not in sys.modules and not any(name in environment for name in PASSIVE)
    if is_ours:
        environment.update(PASSIVE)
    how = "; threads that wait sleep meanwhile" if is_ours else ""
    on_message(f"this machine is busy: other programs use {share:.0%} of its CPUs, steps take longer{how}")
    return is_ours
