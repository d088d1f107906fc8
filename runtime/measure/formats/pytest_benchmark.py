"""JSON as pytest-benchmark 5 saves it, so that ``pytest-benchmark compare`` and its plots work.

Field by field as ``pytest_benchmark/stats.py`` computes them; all times in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from runtime.measure.bench import summarise
from runtime.measure.records import Record

_VERSION = "5.3.1"


def pytest_benchmark_json(records: Sequence[Record]) -> bytes:
    """Return one benchmark per (variant, setting, pace), over the frames of all its blocks."""
    first = records[0]
    device = first.device
    document = {
        "machine_info": {
            "node": device.get("name", first.target),
            "processor": device.get("soc", ""),
            "machine": device.get("arch", ""),
            "python_implementation": "CPython",
            "python_version": first.versions.get("python", ""),
            "release": device.get("kernel", ""),
            "system": device.get("os", ""),
            "cpu": {"brand_raw": device.get("soc", "")},
        },
        "commit_info": {
            "id": first.model_sha256, "time": None, "author_time": None, "dirty": False,
            "project": first.model, "branch": "(unknown)",
        },
        "benchmarks": [_benchmark(group) for group in _groups(records)],
        "datetime": first.created_utc,
        "version": _VERSION,
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _groups(records: Sequence[Record]) -> list[list[Record]]:
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        key = (record.target, record.model_sha256, record.variant, record.setting, record.fps_target)
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def _benchmark(group: Sequence[Record]) -> dict[str, Any]:
    record, [row] = group[0], summarise(group)
    setting = record.setting
    where = f"{setting.cluster}-{setting.freq_khz or 'kernel'}-x{setting.threads}"
    pace = "" if record.fps_target is None else f"-{record.fps_target:g}fps"
    name = f"{record.variant}[{where}{pace}]"
    return {
        "group": record.model,
        "name": name,
        "fullname": f"{record.target}::{record.model}::{name}",
        "params": {
            "cluster": setting.cluster, "freq_khz": setting.freq_khz, "threads": setting.threads,
            "fps_target": record.fps_target,
        },
        "param": f"{where}{pace}",
        "extra_info": {
            "target": record.target, "provenance": record.provenance, "verdict": row.verdict,
            "reasons": row.reasons, "blocks": len(group), "model_sha256": record.model_sha256,
            "power_mw": row.power_mw, "energy_mj": row.energy_mj, "energy_source": row.energy_source,
            "latency_low_ms": row.interval_ms.low, "latency_high_ms": row.interval_ms.high,
            "memory_mb": row.memory_mb,
        },
        "options": {
            "disable_gc": False, "timer": "perf_counter_ns", "min_rounds": 1, "max_time": 0.0,
            "min_time": 0.0, "warmup": record.warmup > 0,
        },
        "stats": _stats(np.array([ms for block in group for ms in block.samples_ms]) / 1000),
    }  # fmt: skip


def _stats(times_s: np.ndarray) -> dict[str, Any]:
    q1, median, q3 = (float(x) for x in np.percentile(times_s, [25, 50, 75]))
    mean = float(np.mean(times_s))
    stddev = float(np.std(times_s, ddof=1)) if len(times_s) > 1 else 0.0
    fence = 1.5 * (q3 - q1)
    inside = times_s[(times_s >= q1 - fence) & (times_s <= q3 + fence)]
    iqr_outliers = int(len(times_s) - len(inside))
    stddev_outliers = int(np.sum(np.abs(times_s - mean) > stddev))
    return {
        "min": float(times_s.min()),
        "max": float(times_s.max()),
        "mean": mean,
        "stddev": stddev,
        "rounds": len(times_s),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": iqr_outliers,
        "stddev_outliers": stddev_outliers,
        "outliers": f"{stddev_outliers};{iqr_outliers}",
        "ld15iqr": float(inside.min()),
        "hd15iqr": float(inside.max()),
        "ops": 1 / mean,
        "total": float(times_s.sum()),
        "iterations": 1,
        "data": times_s.tolist(),
    }
