"""Commands on a phone whose answers are read up to a size: what answers as a phone need not be one."""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import time
from collections.abc import Sequence
from typing import IO, Any, cast

from runtime.errors import DeviceStableError

MOST_BYTES = 4 << 20  # an answer of a phone is some kB: 40 clocks, 100 properties, the help of a program
_CHUNK_BYTES = 1 << 16


def read_bounded(command: Sequence[str], timeout_s: float | None) -> tuple[int, str, str]:
    """Return the exit status and both streams of ``command``, which has ended or was killed after.

    Raises:
        TimeoutError: it did not end within ``timeout_s``.
        DeviceStableError: it printed more than ``MOST_BYTES``.
    """
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            out, err = _drain([cast(IO[bytes], process.stdout), cast(IO[bytes], process.stderr)], end_s)
            status = process.wait(None if end_s is None else max(0.0, end_s - time.monotonic()))
        except subprocess.TimeoutExpired as late:
            raise TimeoutError from late
        finally:
            process.kill()
    return status, out.decode(errors="replace"), err.decode(errors="replace")


def _drain(streams: Sequence[IO[bytes]], end_s: float | None) -> list[bytearray]:
    read = [bytearray() for _ in streams]
    with selectors.DefaultSelector() as selector:
        for stream, data in zip(streams, read, strict=True):
            selector.register(stream, selectors.EVENT_READ, data)
        while selector.get_map():
            patience_s = None if end_s is None else end_s - time.monotonic()
            if patience_s is not None and patience_s <= 0:
                raise TimeoutError
            for key, _ in selector.select(patience_s):
                chunk = os.read(key.fd, _CHUNK_BYTES)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if sum(map(len, read)) > MOST_BYTES:
                raise DeviceStableError(
                    f"it answered with more than {MOST_BYTES} bytes, which no phone does; is it the one you "
                    "mean?"
                )
    return read


def bounded_connection(android: Any, errors: Any) -> Any:
    """Return devlib's connection over adb, whose answers are read up to ``MOST_BYTES``.

    devlib reads what comes, for as long as it comes, and leaves a program that timed out running.

    Args:
        android, errors: the modules ``devlib.utils.android`` and ``devlib.exception``.
    """

    class Connection(android.AdbConnection):
        """devlib's, with the reading above."""

        def execute(
            self,
            command: str,
            timeout: float | None = None,
            check_exit_code: bool = False,
            as_root: bool = False,
            **ignored: object,
        ) -> str:
            # Old versions of adb end with 0 whatever the command did, so the phone prints its status.
            line = f"({command}) 2>&1; code=$?; echo; echo $code"
            if as_root and not self.connected_as_root:
                line = self.su_cmd.format(shlex.quote(line))
            program = [
                "adb",
                *(() if self.adb_server is None else ("-H", self.adb_server)),
                "-s",
                self.device,
            ]
            try:
                status, out, err = read_bounded([*program, "shell", line], timeout)
            except TimeoutError as late:
                raise errors.TimeoutError(command, output="") from late
            if status != 0:
                raise errors.TargetStableError(f"adb shell ended with status {status}: {(err or out)[-300:]}")
            said, _, code = out.replace("\r\n", "\n").rstrip("\n").rpartition("\n")
            if check_exit_code and not code.isdecimal():
                raise errors.TargetTransientError(f"adb gave no exit status back: {(err or out)[-300:]}")
            if check_exit_code and int(code) != 0:
                raise errors.TargetStableCalledProcessError(int(code), command, said, err)
            return "\n".join(text for text in (said, err) if text)

    return Connection
