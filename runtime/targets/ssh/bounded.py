"""Commands on a device behind ssh, read up to a size and for a time: it need not be a board of ours."""

from __future__ import annotations

import time
from typing import Any

from runtime.errors import DeviceStableError
from runtime.targets.ssh.command import start_command

MOST_BYTES = 4 << 20  # of an answer: sums of files, the words of an installer
MOST_S = 3600.0  # for a command: a small board that installs numpy takes minutes
_CHUNK_BYTES = 1 << 16


def run_bounded(client: Any, script: str) -> tuple[int, str]:
    """Return the exit status of ``script`` and what it prints on both streams.

    devlib's ``execute`` reads what comes, for as long as it comes.

    Args:
        client: a paramiko ``SSHClient`` that is logged in.

    Raises:
        DeviceStableError: it printed more than ``MOST_BYTES``.
        SSHException, OSError, EOFError: the connection is gone, or it took more than ``MOST_S``.
    """
    end_s = time.monotonic() + MOST_S
    channel, said = start_command(client.get_transport(), script, combine_stderr=True)
    with channel:
        channel.shutdown_write()
        output = bytearray(said)
        while True:
            channel.settimeout(max(0.1, end_s - time.monotonic()))
            chunk = channel.recv(_CHUNK_BYTES)
            if not chunk:
                break
            output += chunk
            if len(output) > MOST_BYTES:
                raise DeviceStableError(
                    f"it answered with more than {MOST_BYTES} bytes, which no board of ours does; is it the "
                    "one you mean?"
                )
        if not channel.status_event.wait(max(0.1, end_s - time.monotonic())):
            raise TimeoutError(f"no end of the command within {MOST_S:.0f} s")
        return channel.recv_exit_status(), output.decode(errors="replace")
