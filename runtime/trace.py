"""Write profiles as a Chrome trace, which ui.perfetto.dev and chrome://tracing open.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.profiling import Profile

_FRAME, _OPS = 1, 2  # tracks


def trace_json(profiles: Sequence[Profile]) -> bytes:
    """Return a trace with one process per profile: one typical frame and the ops in it.

    Times are in µs. Inside XNNPACK only durations are measured: its ops stand one after the other.
    """
    events: list[dict[str, Any]] = []
    for process, profile in enumerate(profiles, start=1):
        events += [
            _name("process_name", process, 0, f"{profile.variant} ({profile.version})"),
            _name("thread_name", process, _FRAME, "frame"),
            _name("thread_name", process, _OPS, "ops"),
            _span(process, _FRAME, profile.variant, 0.0, profile.frame_ms, {"threads": profile.threads}),
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
            events.append(_span(process, _OPS, name, op.start_ms, op.duration_ms, facts))
    trace = {"traceEvents": events, "displayTimeUnit": "ms"}
    return msgspec.json.format(msgspec.json.encode(trace), indent=1)


def _name(what: str, process: int, track: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": process, "tid": track, "args": {"name": name}}


def _span(
    process: int, track: int, name: str, start_ms: float, duration_ms: float, facts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ph": "X", "pid": process, "tid": track, "name": name,
        "ts": round(start_ms * 1000, 3), "dur": round(duration_ms * 1000, 3), "args": facts,
    }  # fmt: skip
