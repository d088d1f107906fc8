"""A fixed piece of work, timed: the same on every visit, so a slowed machine shows.

It hashes (arithmetic in registers) and streams (memory), a little of each of what a network does.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence

import numpy as np

from runtime.actuators.affinity import pin

_HASHED_BYTES = 1 << 18
_STREAMED = 1 << 18  # float32 values, three arrays of 1 MiB
_SETTLE_S = 0.03  # a governor that follows the load needs about this long to raise the clock
_ROUNDS = 15


def time_probe_ms(cpus: Sequence[int] | None = None) -> float:
    """Return the median time of one round in ms, on the slowest of ``cpus``.

    Takes about 50 ms a CPU. The calling thread keeps its own affinity.

    Args:
        cpus: where to run, one after the other; ``None`` runs wherever the kernel puts it.

    Raises:
        DeviceStableError: one of ``cpus`` is not to be had.
    """
    return max(_time_on((cpu,)) for cpu in cpus) if cpus else _time_on(None)


def _time_on(cpus: Sequence[int] | None) -> float:
    found: list[float] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            if cpus is not None:
                pin(cpus)  # this thread only
            found.append(_spin_ms())
        except Exception as err:  # noqa: BLE001  raised again in the caller's thread
            errors.append(err)

    thread = threading.Thread(target=work, name="edgekit-probe")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return found[0]


def _spin_ms() -> float:
    hashed = bytes(_HASHED_BYTES)
    a, b, c = (np.ones(_STREAMED, np.float32) for _ in range(3))
    end_s = time.perf_counter() + _SETTLE_S
    while time.perf_counter() < end_s:
        _round(hashed, a, b, c)
    return float(np.median([_round(hashed, a, b, c) for _ in range(_ROUNDS)]))


def _round(hashed: bytes, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    start_ns = time.perf_counter_ns()
    hashlib.sha256(hashed).digest()
    np.add(a, b, out=c)
    return (time.perf_counter_ns() - start_ns) / 1e6
