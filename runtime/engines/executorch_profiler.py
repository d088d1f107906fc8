"""ExecuTorch with its event tracer on: every op outside the delegates, and XNNPACK's own ops inside."""

from __future__ import annotations

import tempfile
from pathlib import Path

from runtime.engines.engine import PROFILED_ENGINES, OpEvent
from runtime.engines.etdump import DumpEvent, read_etdump
from runtime.engines.executorch import ExecuTorch
from runtime.errors import DeviceStableError

_RUN = "Execute"
_FRAME = "Method::execute"
_OUTSIDE = "OPERATOR_CALL"
_DELEGATE = "DELEGATE_CALL"
_KERNEL = "native_call_"


@PROFILED_ENGINES.register("executorch")
class ProfiledExecuTorch(ExecuTorch):
    """The same program and kernels; the binding of PyPI is built with the tracer and XNNPACK's profiler."""

    partitions: tuple[tuple[int, ...], ...] = ()

    def __init__(self, path: str, graph: str, threads: int):
        super().__init__(path, graph, threads, with_etdump=True)
        if not self._program.has_etdump():
            raise DeviceStableError("this ExecuTorch is built without its event tracer; install PyPI's")
        self._frames = 0
        self._wanted: list[int] = []

    def invoke(self) -> None:
        super().invoke()
        self._frames += 1

    def begin_frame(self) -> None:
        self._wanted.append(self._frames)

    def end_frame(self) -> None:
        pass  # the tracer is always on

    def take_frames(self) -> list[tuple[int, list[OpEvent]]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "profile.etdp"
            self._program.write_etdump_result_to_file(str(path))
            runs = [events for name, events in read_etdump(path.read_bytes()) if name == _RUN]
        if len(runs) != self._frames:
            raise DeviceStableError(f"its profile holds {len(runs)} frames, {self._frames} were run")
        wanted, self._wanted, self._frames = self._wanted, [], 0  # writing the dump empties it
        return [_frame(runs[i]) for i in wanted]


def _frame(events: list[DumpEvent]) -> tuple[int, list[OpEvent]]:
    """Return ns and ops of one run: ops inside a delegate are told before the call they belong to."""
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
            for one in inside or [event]:  # a delegate that tells nothing counts as one op
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
