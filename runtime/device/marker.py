"""How a process learns that its machine is emulated, and which host cores play its CPUs.

Imported by everything that pins a thread, so it imports little itself.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.errors import DataError, DeviceStableError, DeviceTransientError

CPU_DIR = Path("sys/devices/system/cpu")
MARKER = CPU_DIR / "edgekit.json"
FOLDER = CPU_DIR / "edgekit"  # pins of the machine's processes, and their journal
PINS = FOLDER / "pins"  # what processes ask for, a file for each request
PINNED = FOLDER / "pinned"  # what was granted, a file for each process
DRIVER = "edgekit-emulated"
BUSY = "busy"  # begins the answer to a pin that may be granted later
_PATIENCE_S, _RETRY_S = 60.0, 0.05
_MOVE = "move"  # begins the name of a request for several processes
_PROCESS = re.compile(r"[0-9]{1,10}(:[0-9]{1,10})?")

Places = Mapping[str, Sequence[int]]  # of processes PID and threads PID:TID: emulated CPUs; none: anywhere


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


def announce(cpus: Sequence[int], root: Path = Path("/"), patience_s: float = _PATIENCE_S) -> None:
    """Tell the emulated machine that this thread runs on ``cpus`` from now on.

    Said by a process's main thread, it holds for the whole process. Its core is as slow as they are
    when this returns.

    Args:
        patience_s: how long to wait for another emulated machine to leave the host's core.

    Raises:
        DeviceStableError: the machine refuses, and why.
        DeviceTransientError: another emulated machine has used the host's core for all that time.
    """
    _request(root / PINS / _own_name(), _text(cpus), patience_s)


def announce_all(places: Places, root: Path = Path("/"), patience_s: float = _PATIENCE_S) -> None:
    """Tell the emulated machine where processes and threads run from now on: all of them, or it refuses.

    Those that have ended are passed over. Raises as ``announce``.
    """
    path = root / PINS / f"{_MOVE}.{_own_name()}"
    names: dict[str, list[str]] = {}
    for name, cpus in places.items():
        names.setdefault(_text(cpus), []).append(name)
    try:
        _request(path, "\n".join(f"{cpus} = {' '.join(its)}" for cpus, its in names.items()), patience_s)
    finally:
        path.unlink(missing_ok=True)


def _request(path: Path, asked: str, patience_s: float) -> None:
    deadline_s = time.monotonic() + patience_s
    while True:
        path.write_text(asked)
        answer = path.read_text().strip()
        if answer == asked.strip():
            return
        if not answer.startswith(BUSY):
            raise DeviceStableError(answer or f"the machine does not answer in {path}; start it again")
        if time.monotonic() > deadline_s:
            raise DeviceTransientError(f"{answer}; try again when it is done")
        time.sleep(_RETRY_S)


def parse_places(name: str, text: str) -> dict[str, tuple[int, ...]]:
    """Return what is asked for in the file ``name`` of ``PINS``.

    Raises:
        ValueError: it is no request.

    Example:
        >>> parse_places("12", "6 7"), parse_places("move.9", "6 = 12 13:15\\n = 14")
        ({'12': (6, 7)}, {'12': (6,), '13:15': (6,), '14': ()})
    """
    places = {}
    for line in text.split("\n"):
        cpus, _, names = line.partition("=") if name.startswith(_MOVE) else (line, "", name)
        if not all(word.isdecimal() for word in cpus.split()):
            raise ValueError(f"a pin takes CPU numbers, not {line[:80]!r}")
        for each in names.split():
            if not _PROCESS.fullmatch(each):
                raise ValueError(f"a pin takes processes PID and threads PID:TID, not {each[:40]!r}")
            places[each] = tuple(int(word) for word in cpus.split())
    return places


def announced_cpus(root: Path = Path("/")) -> tuple[int, ...] | None:
    """Return the emulated CPUs that this thread, or else its process, was pinned to; ``None``: to none."""
    pinned = read_pinned([os.getpid()], root)
    return pinned.get(_own_name()) or pinned.get(str(os.getpid()))


def read_pinned(pids: Collection[int], root: Path = Path("/")) -> dict[str, tuple[int, ...]]:
    """Return where processes ``PID`` and their threads ``PID:TID`` are pinned, those that are."""
    found = {}
    for name in os.listdir(root / PINNED) if (root / PINNED).is_dir() else ():
        if int(name.partition(":")[0]) in pids:
            try:
                found[name] = tuple(int(cpu) for cpu in (root / PINNED / name).read_text().split())
            except FileNotFoundError:
                continue  # it ended meanwhile
    return found


def _own_name() -> str:
    """Return ``PID``, or ``PID:TID`` in another thread than the main one."""
    pid, tid = os.getpid(), threading.get_native_id()
    return str(pid) if pid == tid else f"{pid}:{tid}"


def _text(cpus: Sequence[int]) -> str:
    return " ".join(str(cpu) for cpu in cpus)
