"""The host's cores that play a phone's: how slow each is, and which machine uses it now."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.device.emulation.steal import Spinner
from runtime.errors import DeviceTransientError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_FRESH_S = 600.0
_MOST_WAIT_S = 300.0  # a machine uses a core while a benchmark runs on it
_LOCK_DIRS = (Path("/run/lock"), Path(tempfile.gettempdir()))


class HostCores:
    """Slows the host's cores down; one emulated machine at a time may use a core.

    What a spinner's sleep loses is measured once and kept beside the lock for ten minutes: measuring
    takes most of the core for a third of a second, which would disturb a machine that uses it.

    Args:
        program: from ``runtime.device.emulation.steal.build``.
        hosts: the host's numbers.
        locks: folder that all emulated machines of the host share.
        wait: lets a moment pass in which a core, named by its number, is another machine's.

    Raises:
        DeviceTransientError: another machine uses a core that has to be measured, and does not end.
    """

    def __init__(
        self,
        program: Path,
        hosts: Sequence[int],
        locks: Path | None = None,
        wait: Callable[[int], None] = lambda host: time.sleep(0.1),
    ):
        self._wait = wait
        folder = locks or next(path for path in _LOCK_DIRS if path.is_dir())
        self._locks = {
            host: os.open(folder / f"edgekit-core{host}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            for host in hosts
        }
        key = f"{program.name} {_BOOT_ID.read_text().strip()}"
        known = {host: self._known_ns(host, key) for host in hosts}
        self._spinners = {host: Spinner(program, host, known[host]) for host in hosts}
        for host, spinner in self._spinners.items():
            spinner.wait_ready()
            if known[host] is None:
                data = f"{key} {spinner.overhead_ns}".encode()
                os.pwrite(self._locks[host], data, 0)
                os.ftruncate(self._locks[host], len(data))
                self.release(host)

    def _known_ns(self, host: int, key: str) -> int | None:
        """Return the overhead of a core as it was measured; ``None`` with the core claimed to measure."""
        lock = self._locks[host]
        found, _, number = os.pread(lock, 4096, 0).decode(errors="replace").rpartition(" ")
        is_known = found == key and number.isdecimal()
        is_fresh = time.time() - os.fstat(lock).st_mtime < _FRESH_S
        if is_known and (is_fresh or not self.claim(host)):
            return int(number)
        self._wait_for(host)  # without a figure
        return None

    def _wait_for(self, host: int) -> None:
        until_s = time.monotonic() + _MOST_WAIT_S
        while not self.claim(host):
            if time.monotonic() > until_s:
                raise DeviceTransientError(
                    f"another emulated machine has used core {host} of this host for {_MOST_WAIT_S:g} s, and "
                    "what slowing it down loses is not measured yet; start this one when that has ended"
                )
            self._wait(host)

    @property
    def spinner_pids(self) -> tuple[int, ...]:
        """Processes that take the time away."""
        return tuple(spinner.pid for spinner in self._spinners.values())

    def keep(self, host: int, share: float) -> None:
        """Leave ``share`` of a core to what is not a spinner."""
        self._spinners[host].keep(share)

    def claim(self, host: int) -> bool:
        """Return whether the core is this machine's from now on; ``False``: another one uses it."""
        try:
            fcntl.flock(self._locks[host], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self, host: int) -> None:
        """Let other machines use the core."""
        fcntl.flock(self._locks[host], fcntl.LOCK_UN)

    def close(self) -> None:
        """End the spinners and release every core."""
        for spinner in self._spinners.values():
            spinner.close()
        for lock in self._locks.values():
            os.close(lock)
