"""Frames and their ops, from an ETDump."""

from __future__ import annotations

from runtime.engines.engine import OpEvent
from runtime.engines.etdump import DumpEvent, read_etdump
from runtime.errors import DeviceStableError

_RUN = "Execute"
_FRAME = "Method::execute"
_OUTSIDE = "OPERATOR_CALL"
_DELEGATE = "DELEGATE_CALL"
_KERNEL = "native_call_"


def read_frames(etdump: bytes) -> list[tuple[int, list[OpEvent]]]:
    """Return for each frame its ns inside ExecuTorch and its ops in order.

    Raises:
        ValueError: not an ETDump, or a damaged one.
        DeviceStableError: it is of an ExecuTorch that marks frames otherwise.
    """
    return [_frame(events) for name, events in read_etdump(etdump) if name == _RUN]


def _frame(events: list[DumpEvent]) -> tuple[int, list[OpEvent]]:
    """Return ns and ops of one run: ops inside a delegate are listed before the call they belong to."""
    whole = next((event for event in events if event.name == _FRAME), None)
    if whole is None:
        raise DeviceStableError(f"its profile holds a frame without {_FRAME}; profile with executorch 1.5")
    start_ns = whole.start_ns
    ops: list[OpEvent] = []
    inside: list[DumpEvent] = []
    kernel, delegates = "", 0
    for event in events:
        if event.delegate_op is not None:
            inside.append(event)
        elif event.name == _DELEGATE:
            for one in inside or [event]:  # a delegate that lists nothing counts as one op
                source = "XNNPACK profiler" if inside else "ETDump"
                ops.append(_op(one.delegate_op or _DELEGATE, delegates, one, start_ns, source))
            inside, delegates = [], delegates + 1
        elif event.name == _OUTSIDE:
            ops.append(_op(kernel, None, event, start_ns, "ETDump"))
        elif event.name is not None and event.name.startswith(_KERNEL):
            kernel = event.name.removeprefix(_KERNEL)
    return whole.end_ns - start_ns, ops


def _op(name: str, delegate: int | None, event: DumpEvent, frame_ns: int, source: str) -> OpEvent:
    name = name.rpartition(" #")[0] or name  # XNNPACK numbers ops of one kind
    return OpEvent(name, delegate, event.start_ns - frame_ns, event.end_ns - event.start_ns, source)
