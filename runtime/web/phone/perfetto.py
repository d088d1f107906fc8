"""A trace that Android's own tracer records on a phone while a gesture lasts."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.errors import DeviceError, DeviceStableError
from runtime.targets.adb.shell import AdbShell

_FOLDER = "/data/misc/perfetto-traces"  # the one place that the tracer may write to
_MOST_MS = 180_000  # it ends by itself then: this machine may be gone
_BUFFER_KB = 8192  # some 60 kB a second
_BEGINS_S = 0.5  # until its sources have begun
_ENDS_LOOKS = 50  # of 0.1 s, in which it writes its file
_PID = re.compile(r"^\s*(\d{1,10})\s*$", re.MULTILINE)


@dataclass
class Recorded:
    """A trace, complete once the block of ``recording`` is left."""

    data: bytes = b""
    fault: str | None = None


@contextlib.contextmanager
def recording(shell: AdbShell, data_source: str) -> Iterator[Recorded]:
    """Record ``data_source`` on the phone while the block runs; no fault of that reaches the work."""
    recorded, path = Recorded(), f"{_FOLDER}/edgekit-{uuid.uuid4().hex[:12]}"
    config = (
        f"buffers {{ size_kb: {_BUFFER_KB} }} duration_ms: {_MOST_MS} "
        f'data_sources {{ config {{ name: "{data_source}" }} }}'
    )
    pid = None
    try:
        said = shell.run(
            f"echo '{config}' | perfetto --txt -c - -o {path} --background 2>/dev/null && sleep {_BEGINS_S:g}"
        )
        pid = _PID.search(said)
    except DeviceError as err:
        recorded.fault = f"perfetto does not start ({err})"
    try:
        yield recorded
    finally:
        if pid is not None:
            try:
                recorded.data = _stop(shell, pid[1], path)
            except DeviceError as err:
                recorded.fault = f"perfetto's trace cannot be read ({err})"
    if pid is None and recorded.fault is None:
        recorded.fault = "perfetto does not say that it has started"


def _stop(shell: AdbShell, pid: str, path: str) -> bytes:
    """End the tracer, which writes the file then, and return that."""
    text = shell.run(
        f"kill -TERM {pid} 2>/dev/null; i=0; while [ -d /proc/{pid} ] && [ $i -lt {_ENDS_LOOKS} ]; do "
        f"sleep 0.1; i=$((i+1)); done; base64 {path}; rm -f {path}"
    )
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as err:
        raise DeviceStableError(f"it is no base64: {text[:80]!r}; measure again") from err
