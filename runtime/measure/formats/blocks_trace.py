"""The blocks of a bench on a time line, as a Chrome trace for ui.perfetto.dev.

Each block has a span with its frames inside, and counters show heat, clock and the probe around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.device.conditions import Conditions
from runtime.measure.profiling.trace import counter, name_track, span
from runtime.measure.records import Record

_BLOCKS, _FRAMES = 1, 2  # tracks


def blocks_trace(records: Sequence[Record]) -> bytes:
    """Return a trace with one process per target and run.

    Blocks stand where the device's clock put them; those of records that do not know stand one
    after the other. Frames that ran back to back end with their block; paced ones keep their pace.
    """
    places: dict[tuple[str, str | None], list[Record]] = {}
    for record in records:
        places.setdefault((record.target, record.run), []).append(record)
    events: list[dict[str, Any]] = []
    for process, ((target, run), group) in enumerate(places.items(), start=1):
        events += [
            name_track("process_name", process, 0, f"{target} {run or ''}".strip()),
            name_track("thread_name", process, _BLOCKS, "blocks"),
            name_track("thread_name", process, _FRAMES, "frames"),
        ]
        starts_ms = [record.before.time_s * 1000 for record in group if record.before is not None]
        begin_ms, free_ms = min(starts_ms, default=0.0), 0.0
        for record in group:
            start_ms = free_ms if record.before is None else record.before.time_s * 1000 - begin_ms
            end_ms = start_ms + sum(record.samples_ms)
            if record.after is not None and record.before is not None:
                end_ms = max(end_ms, record.after.time_s * 1000 - begin_ms)
            free_ms = max(free_ms, end_ms)
            events += _block(process, record, start_ms, end_ms)
    return msgspec.json.format(
        msgspec.json.encode({"traceEvents": events, "displayTimeUnit": "ms"}), indent=1
    )


def _block(process: int, record: Record, start_ms: float, end_ms: float) -> list[dict[str, Any]]:
    facts = {
        "block": record.block, "mode": record.mode, "provenance": record.provenance,
        "verdict": record.verdict, "reasons": record.reasons, "latency_ms": record.latency_ms,
        "first_frame_ms": record.first_frame_ms, "energy_mj": record.energy_mj,
        "control_level": record.control_level,
        "memory_mb": None if record.memory is None else record.memory.model_mb,
        "setting_read": str(record.setting_read),
    }  # fmt: skip
    name = f"{record.variant} {record.setting}"
    events = [span(process, _BLOCKS, name, start_ms, end_ms - start_ms, facts)]
    period_ms = None if record.fps_target is None else 1000 / record.fps_target
    total_ms = sum(record.samples_ms) if period_ms is None else period_ms * len(record.samples_ms)
    frame_ms = max(start_ms, end_ms - total_ms)
    for number, latency_ms in enumerate(record.samples_ms):
        is_late = period_ms is not None and latency_ms > period_ms
        events.append(
            span(process, _FRAMES, record.variant, frame_ms, latency_ms, {"frame": number, "late": is_late})
        )
        frame_ms += latency_ms if period_ms is None else max(period_ms, latency_ms)
    for moment_ms, moment in ((start_ms, record.before), (end_ms, record.after)):
        events += _counters(process, moment_ms, moment)
    return events


def _counters(process: int, moment_ms: float, moment: Conditions | None) -> list[dict[str, Any]]:
    if moment is None:
        return []
    values = {"temp_c": moment.temp_c, "freq_khz": moment.freq_khz, "probe_ms": moment.probe_ms}
    return [counter(process, name, moment_ms, value) for name, value in values.items() if value is not None]
