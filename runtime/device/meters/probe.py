"""A fixed piece of work, timed: the same on every visit, so a slowed machine shows.

It hashes (arithmetic in registers) and streams (memory), a little of each of what a network does.
"""

from __future__ import annotations

import hashlib
import statistics
import threading
import time
from collections.abc import Sequence

from runtime.device.actuators.affinity import pin

_HASHED_BYTES = 1 << 18
_STREAMED_BYTES = 1 << 20  # of each of three arrays
_SETTLE_S = 0.03  # a governor that follows the load needs about this long to raise the clock
_CHUNKS = 9
_CHUNK_S = 0.002  # longer than the 1 ms in which an emulated core is slowed


def time_probe_ms(cpus: Sequence[int] | None = None) -> float:
    """Return the time of one round in ms, on the slowest of ``cpus``.

    The median of nine chunks of at least 2 ms each: a program that cuts in now and then leaves it
    alone, a slower core does not. Takes about 50 ms a CPU. The calling thread keeps its own affinity.

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
    a, b, c = (memoryview(bytearray(_STREAMED_BYTES)) for _ in range(3))

    def chunk_ms(least_s: float) -> float:
        rounds, start_s = 0, time.perf_counter()
        while (spent_s := time.perf_counter() - start_s) < least_s or rounds == 0:
            hashlib.sha256(hashed).digest()
            c[:] = a
            b[:] = c
            rounds += 1
        return 1000 * spent_s / rounds

    chunk_ms(_SETTLE_S)
    return statistics.median(chunk_ms(_CHUNK_S) for _ in range(_CHUNKS))
