"""Start a command on a device, and skip what its shell says first: a banner, a warning of start-up files."""

from __future__ import annotations

from typing import Any

from runtime.errors import DeviceStableError

_MARK = b"\x1eedgekit\x1e"  # record separators: no banner has them
_MOST_BYTES = 1 << 16  # that a shell may say at a login
_MOST_S = 120.0  # until it has said them; a version manager's start-up file waits a minute for its lock


def start_command(transport: Any, command: str, *, combine_stderr: bool = False) -> tuple[Any, bytes]:
    """Return a channel on which all that is still to read comes from ``command``, and what came without it.

    The latter is empty unless the shell ended before the command began: then it is what it said.

    Args:
        transport: a paramiko ``Transport`` that is logged in.
        combine_stderr: whether both of the command's streams come as one; the shell's errors never do.

    Raises:
        DeviceStableError: the shell said more than ``_MOST_BYTES``.
        SSHException, OSError, EOFError: the connection is gone, or the shell took more than ``_MOST_S``.
    """
    channel = transport.open_session()
    channel.settimeout(_MOST_S)
    both = "exec 2>&1; " if combine_stderr else ""  # sshd would send the shell's own errors after the mark
    channel.exec_command(f"printf '\\036edgekit\\036'; {both}{command}")
    said = bytearray()
    while not said.endswith(_MARK):
        byte = channel.recv(1)  # not one more: what follows is the command's
        if not byte:
            return channel, bytes(said) + channel.makefile_stderr("rb").read(_MOST_BYTES)
        said += byte
        if len(said) > _MOST_BYTES:
            channel.close()
            raise DeviceStableError(
                f"its shell says more than {_MOST_BYTES} bytes at each login; is it the board you mean, and "
                "what do its start-up files (~/.bashrc) print?"
            )
    channel.settimeout(None)
    return channel, b""
