"""Where a campaign kills commands: its folders, a device to push to, and what a command left of itself."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.places import ROOT
from tests.runtime import sshd

_MARK = "EDGEKIT_KILLED_CAMPAIGN"  # in the environment of all that a campaign starts
_SHA256 = re.compile("[0-9a-f]{64}")  # what a file on the device is called by
_END_S = 20.0  # for what a killed command started to end by itself; Ray's workers take some seconds
_OTHERS = {"ray", "__pycache__"}  # of Ray, which keeps its logs; of Python, which keeps what it compiled
_MOVING = ("scaling_cur_freq", "cpuinfo_cur_freq", "cpuinfo_avg_freq", "/stats/")


@dataclass(frozen=True)
class Place:
    """Where a campaign works.

    Attributes:
        folder: of rounds; its path is short, as the sockets below it want.
        config: ssh's, for the device.
        phone: the device that is pushed to, ``None`` without sshd.
    """

    folder: Path
    phone: sshd.Phone | None

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def home(self) -> Path:
        return self.phone.home if self.phone else self.folder / "home"

    def environment(self) -> dict[str, str]:
        ours = {
            _MARK: str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        return os.environ | ours | ({"EDGEKIT_SSH_CONFIG": str(self.phone.config)} if self.phone else {})

    def clear(self, keep_cache: bool = True) -> None:
        """Make the folders as they are before a round."""
        for name in ("work", "tmp", "state", *(() if keep_cache else ("cache",))):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("work", "tmp", "state", "cache"):
            (self.folder / name).mkdir(exist_ok=True)

    def files(self) -> set[str]:
        """Return the names of everything that a command may have left, here and on the device."""
        tops = [self.folder / name for name in ("work", "tmp", "state", "cache")] + [self.home]
        return {_SHA256.sub("SHA256", str(path)) for top in tops for path in _walk(top)}

    def processes(self) -> list[psutil.Process]:
        """Return those that a command started and that run still, here and on the device."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get(_MARK) == str(self.folder)
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
        if self.phone is not None:
            found += psutil.Process(self.phone.process.pid).children(recursive=True)
        return found

    def wait_for_end(self) -> list[str]:
        """Return the names of processes that do not end; they are ended."""
        until_s = time.monotonic() + _END_S
        while (left := self.processes()) and time.monotonic() < until_s:
            time.sleep(0.2)
        names = []
        for process in left:
            with contextlib.suppress(psutil.Error):
                names.append(" ".join(process.cmdline())[:120])
                process.kill()
        return names


def _walk(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in _OTHERS]
        if "pyvenv.cfg" in files:  # what pip installed is pip's
            folders[:] = []
        yield from (Path(folder, name) for name in (*folders, *files))


def machine() -> dict[str, str]:
    """Return what commands may change of the machine while they run: clocks and mounts."""
    paths = [p for p in Path("/sys/devices/system/cpu").glob("cpufreq/**/*") if p.is_file()]
    kept = [p for p in paths if not any(word in str(p) for word in _MOVING)]
    found = {"mounts": Path("/proc/self/mounts").read_text()}
    for path in kept:
        with contextlib.suppress(OSError):
            found[str(path)] = path.read_text()
    return found


@contextlib.contextmanager
def open_place() -> Iterator[Place]:
    """Make the folders, and a device behind an sshd where that is installed."""
    with tempfile.TemporaryDirectory(prefix="ek") as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        phone = None
        if sshd.SSHD is not None:
            (folder / "phone").mkdir()
            phone = sshd.start_sshd(
                folder / "phone", with_runtime=False, variables={"TMPDIR": str(folder / "tmp")}
            )
            stack.callback(sshd.stop, phone)
        yield Place(folder, phone)
