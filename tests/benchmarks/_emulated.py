"""What benchmarks on emulated phones share: a run inside of one, its energy between any two moments."""

from __future__ import annotations

import bisect
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np


def rows_inside(soc: str, benchmark: str, out: Path, given: Sequence[str]) -> list[dict[str, Any]]:
    """Run ``tests.benchmarks.BENCHMARK --inside OUT`` on an emulated ``soc``; return the rows it writes."""
    again = [sys.executable, "-m", f"tests.benchmarks.{benchmark}", f"--inside={out}", *given]
    subprocess.run([sys.executable, "-m", "runtime.device.emulation", soc, "--", *again], check=True)
    return [{"soc": soc, **row} for row in msgspec.json.decode(out.read_bytes())]


class Meter:
    """Looks at the energy counters from a thread, to tell the energy between any two moments."""

    def __init__(self, root: Path):
        from runtime.device.meters import find_meter

        found = find_meter(root, "hwmon").meter
        assert found is not None
        self._meter, self._over = found, threading.Event()
        self._times_s: list[float] = []
        self._energies_mj: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def energy_mj(self, begin_s: float, end_s: float) -> float:
        """Return the energy between two moments of the monotonic clock."""
        return self._at(end_s) - self._at(begin_s)

    def _at(self, moment_s: float) -> float:
        index = bisect.bisect(self._times_s, moment_s)
        assert 0 < index < len(self._times_s), (moment_s, self._times_s[:1], self._times_s[-1:])
        return float(np.interp(moment_s, self._times_s, self._energies_mj))

    def _look(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._over.wait(0.05)
            reading = self._meter.read()
            self._times_s.append(time.perf_counter())
            self._energies_mj.append(reading.energy_mj)
