"""Rail samples of an Odroid XU3 as arrays (format of github.com/kranik/ARMPM_BUILDMODEL)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

_COLUMNS = {
    "prog": "Benchmark",
    "run": "Run(#)",
    "time_ns": "#Timestamp",
    "mhz": "CPU(4) Frequency(MHz)",
    "temp_c": "CPU(4) Temperature(C)",
    "volt": "A15 Voltage(V)",
    "watt": "A15 Power(W)",
    "cycles": "CPU_CYCLES",
    "instructions": "INST_RETIRED",
}


def read_rail(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X (clock in GHz, V, temperature in C, utilisation, IPC), power in mW, and the programs.

    Utilisation is cycles over those of a whole sample at that clock, whose length is the median of
    the gaps between samples.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    column = {name: np.array([row[title] for row in rows]) for name, title in _COLUMNS.items()}
    number = {name: column[name].astype(float) for name in column if name not in ("prog", "time_ns")}
    gaps_s = np.diff(column["time_ns"].astype(np.int64)) / 1e9
    gap_s = float(np.median(gaps_s[gaps_s > 0]))
    freq_ghz = number["mhz"] / 1e3
    share = number["cycles"] / (freq_ghz * 1e9 * gap_s)
    utilisation = np.minimum(share / np.quantile(share, 0.99), 1.0)
    ipc = number["instructions"] / number["cycles"]
    X = np.stack([freq_ghz, number["volt"], number["temp_c"], utilisation, ipc], axis=1)
    return X, number["watt"] * 1e3, column["prog"]
