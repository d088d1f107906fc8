"""``benchmark_results.json`` of ExecuTorch's Android benchmark app: means only, no single frames.

Source: extension/benchmark/android/benchmark (ModelRunner, BenchmarkMetric): a list of
``{benchmarkModel{name, backend, quantization}, metric, actualValue, targetValue, deviceInfo}``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec

from runtime.errors import DataError

_METRICS = {
    "avg_inference_latency(ms)": "mean_ms",
    "trimmean_inference_latency(ms)": "trimmed_mean_ms",
    "model_load_time(ms)": "load_ms",
    "load_status": "load_status",
    "ram_pss_usage(mb)": "memory_mb",
}


class _Model(msgspec.Struct):
    name: str
    backend: str = ""
    quantization: str = ""


class _Metric(msgspec.Struct):
    benchmarkModel: _Model
    metric: str
    actualValue: float
    deviceInfo: dict[str, Any] = {}


@dataclass(frozen=True)
class AppResult:
    """What the app measured of one model.

    Attributes:
        mean_ms: mean latency of all frames; ``trimmed_mean_ms``: of the middle 80 % of them.
        load_status: 0 where the model was loaded.
        memory_mb: memory (PSS) that it added.
    """

    model: str
    backend: str
    quantization: str
    device: str
    mean_ms: float | None = None
    trimmed_mean_ms: float | None = None
    load_ms: float | None = None
    load_status: int | None = None
    memory_mb: float | None = None


def parse_benchmark_results(data: bytes) -> list[AppResult]:
    """Return one result per model of a ``benchmark_results.json``; unknown metrics are left out.

    Raises:
        DataError: not such a file.
    """
    try:
        metrics = msgspec.json.decode(data, type=list[_Metric])
    except (msgspec.DecodeError, RecursionError) as err:
        raise DataError(f"this is no benchmark_results.json of ExecuTorch's Android app ({err})") from err
    found: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for one in metrics:
        model, device = one.benchmarkModel, str(one.deviceInfo.get("device", ""))
        values = found.setdefault((model.name, model.backend, model.quantization, device), {})
        field = _METRICS.get(one.metric)
        if field is not None and math.isfinite(one.actualValue):
            values[field] = int(one.actualValue) if field == "load_status" else one.actualValue
    return [AppResult(*key, **values) for key, values in found.items()]
