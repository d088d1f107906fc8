"""Text like that of LiteRT's ``benchmark_model``, for scripts that read it; times in microseconds.

``tensorflow/lite/tools/benchmark/benchmark_tflite_model.cc``. What a record does not hold, such as the
mean of the warm-up, stands as ``nan``: never as a zero. Memory is in MiB, as there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.measure.records import Record


def benchmark_model_text(records: Sequence[Record]) -> bytes:
    """Return four lines per block: what it is, the statistics, the summary, the memory."""
    return "\n".join(_block(record) for record in records).encode() + b"\n"


def _block(record: Record) -> str:
    us = np.array(record.samples_ms) * 1000
    init_us, first_us = (
        "nan" if time_ms is None else f"{time_ms * 1000:.6g}"
        for time_ms in (record.load_ms, record.first_frame_ms)
    )
    model_bytes = None if record.memory is None else record.memory.model_bytes
    overall = "nan" if model_bytes is None else f"{model_bytes / 1024**2:.6g}"
    reasons = f" ({'; '.join(record.reasons)})" if record.verdict == "unstable" else ""
    return "\n".join(
        (
            f"# {record.model} {record.variant} on {record.target}, {record.setting}, {record.mode}, "
            f"block {record.block}: {record.provenance}, {record.verdict}{reasons}",
            f"Num threads: [{record.setting.threads}]",
            f"count={len(us)} first={us[0]:.6g} curr={us[-1]:.6g} min={us.min():.6g} max={us.max():.6g} "
            f"avg={us.mean():.6g} std={us.std():.4g}",
            f"Inference timings in us: Init: {init_us}, First inference: {first_us}, Warmup (avg): nan, "
            f"Inference (avg): {us.mean():.6g}",
            f"Memory footprint delta from the start of the tool (MB): init=nan overall={overall}",
        )
    )
