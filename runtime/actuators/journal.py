"""What to put back, kept on the disk while a machine is changed: survives a ``kill -9``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from runtime.bundle import write_atomic
from runtime.errors import DataError, PermissionNeeded

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A journal is replayed as root: it may write the files of a clock domain and nothing else.
_POLICY_DIR = re.compile(r"/.*/devices/system/cpu/cpufreq/policy\d+")


@dataclass(frozen=True)
class PolicyState:
    """How a clock domain was before it was changed; clocks in kHz."""

    policy: str
    governor: str
    min_khz: int
    max_khz: int
    setspeed_khz: int | None = None

    def __post_init__(self) -> None:
        if not _POLICY_DIR.fullmatch(self.policy) or ".." in self.policy:
            raise ValueError(f"policy is {self.policy!r}; it must be .../devices/system/cpu/cpufreq/policyN")


@dataclass(frozen=True)
class Entry:
    """A state to go back to, and the process that owes it."""

    state: PolicyState
    pid: int
    pid_started: float
    boot_id: str

    @property
    def is_owner_alive(self) -> bool:
        """Whether the process that made the change still runs and will undo it itself."""
        try:
            return bool(psutil.Process(self.pid).create_time() == self.pid_started)
        except psutil.NoSuchProcess:
            return False

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the change can still be there: clocks do not survive a reboot."""
        return self.boot_id == _boot_id()


class Journal:
    """A folder with one small file per change in progress."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or default_folder()

    def write(self, state: PolicyState) -> Path:
        """Put ``state`` on the disk and return its file; ``unlink`` it once the state is back.

        Raises:
            PermissionNeeded: the folder cannot be written; without it a kill could not be repaired.
        """
        process = psutil.Process()
        entry = Entry(state, process.pid, process.create_time(), _boot_id())
        path = self.folder / f"{Path(state.policy).name}-{process.pid}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, msgspec.json.encode(entry))
        except OSError as err:
            raise PermissionNeeded(
                f"cannot note in {self.folder} how the clock was ({err.strerror}); make it writable, "
                "or set XDG_STATE_HOME to a folder that is"
            ) from err
        return path

    def entries(self) -> list[tuple[Path, Entry]]:
        """Return every entry and its file.

        Raises:
            DataError: a file there is not an entry.
        """
        found = []
        for path in sorted(self.folder.glob("policy*-*.json")):
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Entry)))
            except msgspec.DecodeError as err:
                raise DataError(f"{path} does not say what to restore ({err}); remove it, or reboot") from err
        return found


def default_folder() -> Path:
    """Return ``$XDG_STATE_HOME/edgekit``, usually ``~/.local/state/edgekit``."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state") / "edgekit"


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else "unknown"
