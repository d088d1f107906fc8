"""Write profiles as a Chrome trace, which ui.perfetto.dev and chrome://tracing open.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.measure.profiling.profile import Profile

_FRAME, _OPS = 1, 2  # tracks


def trace_json(profiles: Sequence[Profile]) -> bytes:
    """Return a trace with one process per profile: one typical frame and the ops in it.

    Times are in µs. Inside XNNPACK only durations are measured: its ops stand one after the other.
    """
    events: list[dict[str, Any]] = []
    for process, profile in enumerate(profiles, start=1):
        events += [
            name_track("process_name", process, 0, f"{profile.variant} ({profile.version})"),
            name_track("thread_name", process, _FRAME, "frame"),
            name_track("thread_name", process, _OPS, "ops"),
            span(process, _FRAME, profile.variant, 0.0, profile.frame_ms, {"threads": profile.threads}),
        ]
        for op in profile.ops:
            facts = {
                "op": op.op,
                "kind": op.kind,
                "delegate": "outside" if op.delegate is None else op.delegate,
                "source": op.source,
                "mean_ms": op.mean_ms,
                "macs": op.macs,
                "bytes_moved": op.bytes_moved,
            }
            name = f"{op.module_path}: {op.kind}" if op.module_path else op.op
            events.append(span(process, _OPS, name, op.start_ms, op.duration_ms, facts))
    trace = {"traceEvents": events, "displayTimeUnit": "ms"}
    return msgspec.json.format(msgspec.json.encode(trace), indent=1)


def name_track(what: str, process: int, track: int, name: str) -> dict[str, Any]:
    """Return the event that names a process (``process_name``) or a track (``thread_name``)."""
    return {"ph": "M", "name": what, "pid": process, "tid": track, "args": {"name": name}}


def span(
    process: int, track: int, name: str, start_ms: float, duration_ms: float, facts: dict[str, Any]
) -> dict[str, Any]:
    """Return a span; its ``facts`` are shown when it is clicked on."""
    return {
        "ph": "X", "pid": process, "tid": track, "name": name,
        "ts": round(start_ms * 1000, 3), "dur": round(duration_ms * 1000, 3), "args": facts,
    }  # fmt: skip


def counter(process: int, name: str, moment_ms: float, value: float) -> dict[str, Any]:
    """Return one value of a counter, drawn as a line over time."""
    return {"ph": "C", "pid": process, "name": name, "ts": round(moment_ms * 1000, 3), "args": {name: value}}
