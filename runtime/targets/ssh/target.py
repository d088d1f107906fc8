"""A machine reached over ssh, through the agent that ``edgekit push`` put on it; transport by devlib."""

from __future__ import annotations

import shlex
from typing import IO, Any

from runtime.errors import DeviceStableError
from runtime.targets.agent.target import AgentTarget
from runtime.targets.name import TargetName
from runtime.targets.ssh.address import Address
from runtime.targets.ssh.command import start_command
from runtime.targets.ssh.connection import connect
from runtime.targets.ssh.device_files import DeviceFiles, Progress


class ChannelConnection:
    """A command on the device, with its three streams.

    devlib's ``background`` keeps back what a command writes until a buffer is full, which an answer
    of a few bytes never does. So the stream is a channel of its own on devlib's connection.
    """

    def __init__(self, conn: Any, command: str):
        self.channel, _ = start_command(conn.client.get_transport(), command)
        self.stdin: IO[bytes] = self.channel.makefile_stdin("wb")
        self.stdout: IO[bytes] = self.channel.makefile("rb")
        self.stderr: IO[bytes] = self.channel.makefile_stderr("rb")

    def close(self) -> None:
        """Cut the connection; the agent notices the end of its stdin."""
        self.channel.close()


def reach(name: TargetName, progress: Progress | None = None) -> DeviceFiles:
    """Log in to the target ``name`` (``ssh:user@host:port``) and return its files.

    Raises:
        ValueError: it is another kind of target.
        DeviceError: it cannot be logged in to; see ``connect``.
        MissingExtra: devlib is not installed.
    """
    if name.kind != "ssh":
        raise ValueError(
            f"target {str(name)!r} cannot be pushed to; give ssh:user@host or ssh:user@host:port"
        )
    return DeviceFiles(connect(Address.parse(name.rest)), str(name), progress)


def open_ssh(name: TargetName) -> AgentTarget:
    """Return the target ``name``; a session sends the model file it needs by itself.

    Raises:
        DeviceStableError: edgekit was not pushed to it yet.
        VersionConflict: another version of it was.
        MissingExtra, ValueError, DeviceError: see ``reach``.
    """
    return _start_agent(reach(name))[0]


def greet(files: DeviceFiles) -> str:
    """Return the Python on the device that runs this very edgekit; raises as ``open_ssh``."""
    target, python = _start_agent(files)
    target.close()
    return python


def _start_agent(files: DeviceFiles) -> tuple[AgentTarget, str]:
    python = f"{files.home}/runtime/bin/python"
    if files.shell(f"test -x {shlex.quote(python)} || echo missing").strip():
        raise DeviceStableError(
            f"{files.where} has no edgekit in {files.home}; "
            f"put it there: edgekit push BUNDLE --target {files.where}"
        )
    connection = ChannelConnection(files.conn, f"exec {shlex.quote(python)} -I -m runtime.targets.agent")
    return AgentTarget(files.where, connection, files), python
