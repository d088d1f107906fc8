"""How a process learns that its machine is emulated, and which host cores play its CPUs.

Imported by everything that pins a thread, so it imports little itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.errors import DataError, DeviceStableError, DeviceTransientError

CPU_DIR = Path("sys/devices/system/cpu")
MARKER = CPU_DIR / "edgekit.json"
FOLDER = CPU_DIR / "edgekit"  # pins of the machine's processes, and their journal
PINS = FOLDER / "pins"
DRIVER = "edgekit-emulated"
BUSY = "busy"  # begins the answer to a pin that may be granted later
_PATIENCE_S, _RETRY_S = 60.0, 0.05


@dataclass(frozen=True)
class Marker:
    """What an emulated machine says of itself.

    Attributes:
        soc: name of the profile, or path of a TOML file.
        host_cpus: emulated CPU number, as text, to the host's.
        least_capacity: slowest clock that the host can play, of 1024.
        spinner_pids: processes that take time away from the host's cores.
        assumed: of the energy it shows, what no table says.
    """

    soc: str
    host_cpus: dict[str, int]
    least_capacity: float = 0.0
    spinner_pids: tuple[int, ...] = ()
    assumed: str = ""

    def map(self, cpus: Sequence[int]) -> tuple[int, ...]:
        """Return the host cores that play ``cpus``.

        Raises:
            DeviceStableError: the machine has no such CPU, or one host core would have to play two.
        """
        known = {int(cpu): host for cpu, host in self.host_cpus.items()}
        if missing := [cpu for cpu in cpus if cpu not in known]:
            raise DeviceStableError(
                f"CPU {missing[0]} is not one of emulated {self.soc}'s; choose from {sorted(known)}"
            )
        hosts = tuple(known[cpu] for cpu in cpus)
        if len(set(hosts)) < len(hosts):
            count = len(set(known.values()))
            raise DeviceStableError(
                f"{len(cpus)} CPUs of emulated {self.soc} ({list(cpus)}) need as many host cores to play "
                f"them, and it has {count} ({sorted(set(known.values()))}); ask for at most {count} "
                f"thread{'s' if count > 1 else ''}, or emulate on a machine with more cores"
            )
        return hosts


def find_marker(root: Path = Path("/")) -> Marker | None:
    """Return what the machine below ``root`` says of itself; ``None`` where it is not emulated."""
    try:
        data = (root / MARKER).read_bytes()
    except OSError:
        return None
    try:
        return msgspec.json.decode(data, type=Marker)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as err:
        raise DataError(f"{root / MARKER} does not describe an emulated machine ({err})") from err


def announce(
    cpus: Sequence[int], root: Path = Path("/"), name: str | None = None, patience_s: float = _PATIENCE_S
) -> None:
    """Tell the emulated machine that this thread runs on ``cpus`` from now on.

    Said by a process's main thread, it holds for the whole process. Its core is as slow as they are
    when this returns.

    Args:
        name: of somebody else's process, ``PID``, or thread, ``PID:TID``; default: this thread's.
        patience_s: how long to wait for another emulated machine to leave the host's core.

    Raises:
        DeviceStableError: the machine refuses, and why.
        DeviceTransientError: another emulated machine has used the host's core for all that time.
    """
    path = root / PINS / (name or _own_name())
    asked = _text(cpus)
    deadline_s = time.monotonic() + patience_s
    while True:
        path.write_text(asked)
        answer = path.read_text().strip()
        if answer == asked:
            return
        if not answer.startswith(BUSY):
            raise DeviceStableError(answer or f"the machine does not answer in {path}; start it again")
        if time.monotonic() > deadline_s:
            raise DeviceTransientError(f"{answer}; try again when it is done")
        time.sleep(_RETRY_S)


def announced_cpus(root: Path = Path("/")) -> tuple[int, ...] | None:
    """Return the emulated CPUs that this thread, or else its process, was pinned to; ``None``: to none."""
    for name in (_own_name(), str(os.getpid())):
        try:
            return tuple(int(cpu) for cpu in (root / PINS / name).read_text().split())
        except (FileNotFoundError, ValueError):
            continue  # not pinned, or refused
    return None


def _own_name() -> str:
    """Return ``PID``, or ``PID:TID`` in another thread than the main one."""
    pid, tid = os.getpid(), threading.get_native_id()
    return str(pid) if pid == tid else f"{pid}:{tid}"


def _text(cpus: Sequence[int]) -> str:
    return " ".join(str(cpu) for cpu in cpus)
