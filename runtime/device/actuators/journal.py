"""What to restore, kept on the disk while a machine is changed: survives a ``kill -9``."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from runtime.bundle import write_atomic
from runtime.bundle.decoding import decode_json
from runtime.device.actuators.states import PolicyState, State, ThreadsState
from runtime.device.marker import FOLDER, find_marker
from runtime.errors import DeviceTransientError, PermissionNeeded

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_FILES = ("policy*-*.json", "group*-*.json", "threads*-*.json")


@dataclass(frozen=True)
class Entry:
    """A state to go back to, and the process that owes it; ``pid_started`` is in seconds since boot.

    ``device`` is the target whose state it is, ``None`` for this machine; ``boot_id`` is that machine's.
    """

    state: State
    pid: int
    pid_started: float
    boot_id: str
    device: str | None = None

    @property
    def is_owner_alive(self) -> bool:
        """Whether the process that made the change still runs and will undo it itself."""
        return started_s(self.pid) == self.pid_started

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the change can still be there: clocks and control groups do not survive a reboot."""
        return self.boot_id == read_boot_id()


class Journal:
    """A folder with one small file per change in progress.

    Args:
        folder: default: this user's.
        device: whose clocks are changed, such as ``adb:R5CT1234``; ``None``: this machine's.
        boot_id: of that device.
        guardian: module that restores what this process held when a signal ended it; see ``holding.guard``.
    """

    def __init__(
        self,
        folder: Path | None = None,
        device: str | None = None,
        boot_id: str | None = None,
        guardian: str = "runtime.device.actuators.guardian",
    ):
        self.folder = folder or default_folder()
        self.guardian = guardian
        self._device = device
        self._boot_id = read_boot_id() if boot_id is None else boot_id

    def write(self, state: State) -> Path:
        """Put ``state`` on the disk and return its file; ``unlink`` it once the state is back.

        Raises:
            PermissionNeeded: the folder cannot be written; without it a kill could not be repaired.
        """
        pid = os.getpid()
        entry = Entry(state, pid, started_s(pid) or 0.0, self._boot_id, self._device)
        where = "" if self._device is None else f"{zlib.crc32(self._device.encode()):08x}-"
        path = self.folder / f"{_stem(state)}-{where}{pid}.json"
        with self._noting():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, msgspec.json.encode(entry))
            _sync_folder(self.folder)
        return path

    @contextlib.contextmanager
    def claim(self, thing: str) -> Iterator[None]:
        """Make sure that nobody else who uses this journal changes ``thing`` inside the block.

        Raises:
            DeviceTransientError: another process, or another thread of this one, holds it.
            PermissionNeeded: the folder cannot be written.
        """
        key = zlib.crc32(f"{self._device or ''}{thing}".encode())
        name = f"{Path(thing).name}-{key:08x}.lock"
        with self._noting():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by the kernel if we are killed
            except BlockingIOError as err:
                owners = [str(entry.pid) for _, entry in self.entries() if self._is_about(entry, thing)]
                raise DeviceTransientError(
                    f"{Path(thing).name} is held by another run (process {', '.join(owners) or 'unknown'}); "
                    "wait for it to end, or stop it"
                ) from err
            yield
        finally:
            os.close(lock)

    def left_behind(self, thing: str) -> list[tuple[Path, Entry]]:
        """Return what was noted about ``thing`` since the machine started and not restored, newest first.

        Ask inside ``claim``: then nobody holds it any more. Its owner was killed, or lives on but could
        not restore it, as when a phone was unplugged. Whoever writes these states back in this order
        ends with the oldest: the one from before all of them.
        """
        return [
            (path, entry)
            for path, entry in self.entries()
            if self._is_about(entry, thing) and entry.boot_id == self._boot_id
        ]

    def _is_about(self, entry: Entry, thing: str) -> bool:
        return entry.device == self._device and entry.state.thing == thing

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            what = f"cannot note in {self.folder} how the machine was ({err.strerror})"
            if err.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DeviceTransientError(f"{what}; make room there, or set XDG_STATE_HOME") from err
            raise PermissionNeeded(
                f"{what}; make it writable, or set XDG_STATE_HOME to a folder that is"
            ) from err

    def entries(self) -> list[tuple[Path, Entry]]:
        """Return every entry and its file, newest first.

        Raises:
            DataError: a file there is not an entry.
        """
        found: list[tuple[Path, Entry]] = []
        for path in _newest_first(p for kind in _FILES for p in self.folder.glob(kind)):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # its owner has just restored the state
            where = f"{path} does not say what to restore"
            found.append((path, decode_json(data, Entry, where=where, advice="remove it, or reboot")))
        return found


def _stem(state: State) -> str:
    if isinstance(state, PolicyState):
        return Path(state.policy).name
    if isinstance(state, ThreadsState):
        return f"threads{min(state.cpus, default=0)}"
    return f"group{zlib.crc32(state.group.encode()):08x}"


def _sync_folder(folder: Path) -> None:
    """Bring the name of a new file to the disk, too: without it a power cut could lose the note."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def default_folder() -> Path:
    """Return ``$XDG_STATE_HOME/edgekit``, usually ``~/.local/state/edgekit``.

    An emulated machine has its own: its policies go by the names of the host's.
    """
    if find_marker() is not None:
        return Path("/") / FOLDER / "journal"
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "edgekit"


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    written_ns = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            written_ns[path] = path.stat().st_mtime_ns
    return sorted(written_ns, key=lambda path: (-written_ns[path], path))


def started_s(pid: int) -> float | None:
    """Return when a process started, in seconds since boot; ``None`` if it is gone or only a zombie.

    Not ``psutil.Process.create_time``: that adds the boot time, which moves when the clock is set.
    Field 22 of /proc/PID/stat never changes (proc_pid_stat(5)).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _started_elsewhere_s(pid)
    except ProcessLookupError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the name in brackets may hold spaces
    return None if fields[0] in "ZX" else int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _started_elsewhere_s(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def read_boot_id() -> str:
    """Return what changes whenever this machine starts."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else "unknown"
