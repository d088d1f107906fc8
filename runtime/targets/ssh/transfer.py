"""Bytes to and from a device: by SFTP, or by ``cat`` where its ssh server has none (dropbear, often)."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from runtime.targets.ssh.command import start_command

_CHUNK_BYTES = 1 << 18


class TooLong(ValueError):
    """A file has more bytes than are taken; the message is how many."""


class Transfer(Protocol):
    """Files of a device, by path.

    What fails raises ``OSError``, ``EOFError`` or paramiko's ``SSHException``.
    """

    def size(self, path: str) -> int | None:
        """Return the bytes of a file, ``None`` where there is none."""

    def append(self, source: IO[bytes], path: str, on_sent: Callable[[int], None]) -> None:
        """Write what is left of ``source`` to the end of a file; ``on_sent`` gets the bytes of each piece."""

    def rename(self, path: str, new: str) -> None:
        """Give a file another name at once, in place of what has that name."""

    def remove(self, path: str) -> None:
        """Remove a file."""

    def read(self, path: str, most_bytes: int) -> bytes | None:
        """Return what a file holds, ``None`` where there is none; raises ``TooLong`` too."""


def open_transfer(client: Any) -> Transfer:
    """Return the way to move files on ``client``, a paramiko ``SSHClient`` that is logged in."""
    from paramiko import SSHException

    try:
        return SftpTransfer(client.open_sftp())
    except (SSHException, EOFError):  # refused; or promised, without a program to keep it
        if not client.get_transport().is_active():
            raise
        return CatTransfer(client.get_transport())


class SftpTransfer:
    """By SFTP; see ``Transfer``."""

    def __init__(self, sftp: Any):
        self._sftp = sftp

    def size(self, path: str) -> int | None:
        try:
            return int(self._sftp.stat(path).st_size)
        except FileNotFoundError:
            return None

    def append(self, source: IO[bytes], path: str, on_sent: Callable[[int], None]) -> None:
        with self._sftp.open(path, "ab") as remote:
            remote.set_pipelined(True)
            for chunk in _chunks(source):
                remote.write(chunk)
                on_sent(len(chunk))

    def rename(self, path: str, new: str) -> None:
        self._sftp.posix_rename(path, new)

    def remove(self, path: str) -> None:
        self._sftp.remove(path)

    def read(self, path: str, most_bytes: int) -> bytes | None:
        try:
            with self._sftp.open(path, "rb") as stream:
                size_bytes = int(stream.stat().st_size or 0)
                if size_bytes > most_bytes:
                    raise TooLong(str(size_bytes))
                stream.prefetch(size_bytes)
                return bytes(stream.read(size_bytes))
        except FileNotFoundError:
            return None


class CatTransfer:
    """By programs of the device's shell, each on a channel of its own; see ``Transfer``."""

    def __init__(self, transport: Any):
        self._transport = transport

    def size(self, path: str) -> int | None:
        name = shlex.quote(path)
        text = self._run(f"[ ! -f {name} ] || wc -c < {name}")
        return int(text) if text.strip() else None

    def append(self, source: IO[bytes], path: str, on_sent: Callable[[int], None]) -> None:
        channel = self._start(f"cat >> {shlex.quote(path)}")
        try:
            for chunk in _chunks(source):
                channel.sendall(chunk)
                on_sent(len(chunk))
            channel.shutdown_write()
        except OSError:
            if not self._transport.is_active():
                raise
            # Else `cat` has ended before its input did, and its status says why.
        self._finish(channel)

    def rename(self, path: str, new: str) -> None:
        self._run(f"mv -f {shlex.quote(path)} {shlex.quote(new)}")

    def remove(self, path: str) -> None:
        self._run(f"rm -f {shlex.quote(path)}")

    def read(self, path: str, most_bytes: int) -> bytes | None:
        size_bytes = self.size(path)
        if size_bytes is None:
            return None
        if size_bytes > most_bytes:
            raise TooLong(str(size_bytes))
        # It may have grown since: no more is taken than was there.
        data = self._run_bytes(f"head -c {size_bytes} {shlex.quote(path)}", size_bytes)
        if len(data) < size_bytes:
            raise OSError(errno.EIO, f"{len(data)} of {size_bytes} bytes arrived", path)
        return data

    def _run(self, command: str) -> str:
        return self._run_bytes(command, 1 << 16).decode(errors="replace")

    def _run_bytes(self, command: str, most_bytes: int) -> bytes:
        channel = self._start(command)
        data = bytearray()
        while len(data) <= most_bytes and (chunk := channel.recv(_CHUNK_BYTES)):
            data += chunk
        self._finish(channel)
        return bytes(data[:most_bytes])

    def _start(self, command: str) -> Any:
        return start_command(self._transport, command)[0]

    def _finish(self, channel: Any) -> None:
        said = channel.makefile_stderr("rb").read(1 << 12).decode(errors="replace").strip()
        status = channel.recv_exit_status()
        channel.close()
        if status == -1:
            raise EOFError("the connection ended")
        if status != 0:
            full = "No space left" in said
            raise OSError(errno.ENOSPC if full else errno.EIO, said[-200:] or f"exit status {status}")


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk
