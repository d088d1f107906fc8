"""Files on a device reached over ssh, kept by what is in them: sent once, whole, and checked."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runtime.bundle import Bundle
from runtime.errors import DeviceStableError, DeviceTransientError, EdgekitError
from runtime.targets.ssh.bounded import run_bounded
from runtime.targets.ssh.transfer import TooLong, Transfer, open_transfer

HOME = '"${EDGEKIT_HOME:-$HOME/.local/share/edgekit}"'  # as the device's shell reads it
_MOST_FETCHED = 1 << 28  # of a file: the log of a day at 60 FPS has some 100 MB
Progress = Callable[[str, int, int], None]  # file, bytes sent, bytes in all


class DeviceFiles:
    """The folder ``objects`` on a device: each file is called by its sha256.

    devlib's ``push`` sends a file whole each time; a board on a bad line needs one that goes on
    where it broke off, so files go through channels of devlib's connection; see ``transfer``.

    Args:
        conn: a devlib ``SshConnection``.
        where: the target's name, for errors.
        progress: called as a file is sent.
    """

    def __init__(self, conn: Any, where: str, progress: Progress | None = None):
        self.conn, self.where = conn, where
        self.home = self.shell(f"echo {HOME}").strip()
        self.sent_bytes = 0
        self.sent: list[str] = []
        self._progress = progress or (lambda name, done, total: None)
        self._transfer: Transfer | None = None
        self._has_folder = False

    def shell(self, script: str) -> str:
        """Return what ``script`` prints on the device.

        Raises:
            DeviceStableError: it failed; the message ends with its last words.
            DeviceTransientError: the connection is gone.
        """
        from paramiko import SSHException

        try:
            status, output = run_bounded(self.conn.client, script)
        except DeviceStableError as err:
            raise DeviceStableError(f"{self.where}: {err}") from err
        except (SSHException, OSError, EOFError) as err:
            raise DeviceTransientError(f"{self.where}: the connection broke off ({err}); try again") from err
        if status != 0:
            words = " ".join(output.split())[-400:]
            raise DeviceStableError(f"{self.where}: exit status {status}: {words}")
        return output

    def place(self, bundle: Bundle, paths: Sequence[str]) -> dict[str, str]:
        """Return where these files of ``bundle`` lie on the device, after sending those it lacks."""
        entries = {entry.path: entry for entry in bundle.manifest.files}
        known = [(path, entries[path]) for path in paths if path in entries]
        return {path: self.send(bundle.file(path), entry.sha256) for path, entry in known}

    def send(self, file: Path, sha256: str) -> str:
        """Return the path of ``file`` on the device, after sending what of it is not there.

        A part that an interrupted transfer left is gone on with; the whole is compared with
        ``sha256`` on the device before it gets its name.

        Raises:
            DeviceError: it did not arrive; what arrived is kept for the next time.
        """
        target = f"{self.home}/objects/{sha256}"
        part = f"{target}.part"
        with self._moving(file.name) as transfer:
            if transfer.size(target) == file.stat().st_size:
                return target
            for _ in range(2):  # the second time from the start: the part was of something else, or damaged
                self._append(transfer, file, part)
                if self._sha256(part) == sha256:
                    transfer.rename(part, target)
                    self.sent.append(file.name)
                    return target
                transfer.remove(part)
        raise DeviceTransientError(
            f"{file.name} arrived damaged at {self.where}, twice; check the device's disk"
        )

    def fetch(self, path: str) -> bytes | None:
        """Return what a file on the device holds, ``None`` where it is not there.

        Raises:
            DeviceError: it cannot be read, or the connection broke off.
        """
        from paramiko import SSHException

        try:
            if self._transfer is None:
                self._transfer = open_transfer(self.conn.client)
            return self._transfer.read(path, _MOST_FETCHED)
        except TooLong as err:
            raise DeviceStableError(
                f"{path} on {self.where} has {err} bytes; at most {_MOST_FETCHED} are taken; look at it there"
            ) from err
        except (SSHException, EOFError, OSError) as err:
            raise DeviceTransientError(
                f"{path} cannot be brought from {self.where} ({err}); try again"
            ) from err

    def verify(self, sha256s: Sequence[str]) -> None:
        """Remove objects that no longer hold what their name says, so that they are sent again."""
        paths = " ".join(f"objects/{sha256}" for sha256 in sha256s)
        listed = self.shell(f"cd {shlex.quote(self.home)} && sha256sum {paths} 2>/dev/null || true")
        for line in listed.splitlines():
            found, _, path = line.partition("  ")
            if found != Path(path).name:
                self.shell(f"rm -f {shlex.quote(f'{self.home}/{path}')}")

    def _append(self, transfer: Transfer, file: Path, part: str) -> None:
        total = file.stat().st_size
        begin = transfer.size(part) or 0
        if begin > total:
            transfer.remove(part)
            begin = 0

        def count(sent_bytes: int) -> None:
            self.sent_bytes += sent_bytes
            self._progress(file.name, source.tell(), total)

        with file.open("rb") as source:
            source.seek(begin)
            transfer.append(source, part, count)
        # Writes in a pipeline do not report that they failed.
        if (arrived := transfer.size(part) or 0) < total:
            raise OSError(f"{arrived} of {total} bytes arrived")

    def _sha256(self, path: str) -> str:
        return self.shell(f"sha256sum {shlex.quote(path)}").split()[0].lstrip("\\")

    @contextlib.contextmanager
    def _moving(self, doing: str) -> Iterator[Transfer]:
        from paramiko import SSHException

        try:
            if not self._has_folder:
                self.shell(f"mkdir -p {shlex.quote(self.home)}/objects")
                self._has_folder = True
            if self._transfer is None:
                self._transfer = open_transfer(self.conn.client)
            yield self._transfer
        except EdgekitError:
            raise
        except (SSHException, EOFError, OSError) as err:
            df = f"df -Pk {shlex.quote(self.home)}/objects | tail -n 1 | awk '{{print $4}}'"
            try:
                free = self.shell(df).strip()
            except DeviceTransientError:
                raise DeviceTransientError(
                    f"the connection to {self.where} broke off while sending {doing}; run it again to go on"
                ) from err
            raise DeviceStableError(
                f"{self.where} does not take {doing} ({err}); {free} kB are free in {self.home}"
            ) from err
