"""How busy everything else kept the machine while something was measured."""

from __future__ import annotations

import time

import psutil


class BackgroundMeter:
    """CPU time of the whole machine less that of one process, over a span.

    Args:
        pid: the process that is meant to be busy.

    Example:
        >>> meter = BackgroundMeter(os.getpid())      # doctest: +SKIP
        >>> work(); meter.read_share()                # doctest: +SKIP
    """

    def __init__(self, pid: int):
        self._process = psutil.Process(pid)
        self._cpus = psutil.cpu_count() or 1
        self._start_s = time.monotonic()
        self._others_s = self._read_others_s()

    def read_share(self) -> float:
        """Return the share of all CPUs that others used since the start, 0 to 1."""
        span_s = (time.monotonic() - self._start_s) * self._cpus
        used_s = self._read_others_s() - self._others_s
        return min(1.0, max(0.0, used_s / span_s)) if span_s > 0 else 0.0

    def _read_others_s(self) -> float:
        machine = psutil.cpu_times()
        # guest time is counted in user time already; steal is the hypervisor's other guests
        busy_s = sum(
            getattr(machine, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")
        )
        own = self._process.cpu_times()
        return float(busy_s - own.user - own.system)
