"""Control groups: bounds of utilisation (uclamp) of the group this process is in.

cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), v1 and Android's v1 mount ``/dev/cpuctl``.
``cpu.uclamp.min`` and ``.max`` are percent of the fastest CPU at its highest clock; the scheduler picks the
clock that gives them. Everything in the group feels it: this process, the worker it starts, and whatever
else the system put there.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from runtime.device.actuators.holding import held
from runtime.device.actuators.journal import Journal
from runtime.device.actuators.states import GroupState, State
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.device.sysfs import parse_cpu_list, read_text
from runtime.errors import DeviceStableError, DeviceTransientError, EdgekitError, PermissionNeeded

UCLAMP = ("cpu.uclamp.min", "cpu.uclamp.max")
# Where the groups of the controller "cpu" may be, best first; "" is v2, which has all in one tree.
_MOUNTS = (
    ("", "sys/fs/cgroup"),
    ("", "sys/fs/cgroup/unified"),
    ("cpu", "dev/cpuctl"),
    ("cpu", "sys/fs/cgroup/cpu"),
)


def parse_membership(text: str) -> dict[str, str]:
    """Return controller → path of ``/proc/PID/cgroup``; the controller of v2 is the empty text.

    Example:
        >>> parse_membership("3:cpuset:/top-app\\n0::/user.slice\\n")
        {'cpuset': '/top-app', '': '/user.slice'}
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        cells = line.split(":", 2)
        if len(cells) == 3 and cells[2].startswith("/") and ".." not in cells[2].split("/"):
            for controller in cells[1].split(","):
                found.setdefault(controller, cells[2])
    return found


def find_uclamp(root: Path = Path("/")) -> Path:
    """Return the folder whose uclamp files this process may write: that of its own group.

    Raises:
        DeviceStableError: there are none: the kernel lacks them, or the group is the root. Says where they
            were looked for.
        PermissionNeeded: they may not be written.
    """
    paths = parse_membership(read_text(root / "proc/self/cgroup") or "")
    groups = [root / mount / paths[name].strip("/") for name, mount in _MOUNTS if name in paths]
    group = next((group for group in groups if all((group / name).is_file() for name in UCLAMP)), None)
    if group is None:
        where = ", ".join(map(str, groups)) or f"no control groups in {root / 'proc/self/cgroup'}"
        raise DeviceStableError(f"no {UCLAMP[0]} in this process's group ({where})")
    for name in UCLAMP:
        if not os.access(group / name, os.W_OK):
            raise PermissionNeeded(f"{group / name} is not writable: run as root, or get the group delegated")
    return group


@contextlib.contextmanager
def hold_uclamp(group: Path, low: float, high: float, journal: Journal | None = None) -> Iterator[None]:
    """Keep the utilisation of ``group`` between two capacities of 1024 inside the block.

    Raises:
        ValueError: not 0 <= low <= high <= 1024.
        PermissionNeeded: the files may not be written.
        DeviceError: the kernel does not take them.
    """
    if not 0 <= low <= high <= FULL_CAPACITY:
        raise ValueError(f"capacities are {low:g} to {high:g}; need 0 <= low <= high <= {FULL_CAPACITY}")
    wanted = {"cpu.uclamp.max": _percent(high), "cpu.uclamp.min": _percent(low)}
    with _held(group, wanted, journal):
        yield


def write_group(state: State) -> None:
    """Bring a group back to ``state``, as far as it can be; then raises what went wrong first."""
    assert isinstance(state, GroupState)
    failures: list[EdgekitError] = []
    for name, value in state.values.items():
        try:
            _write(Path(state.group) / name, value)
        except EdgekitError as err:
            failures.append(err)
    if failures:
        raise failures[0]


@contextlib.contextmanager
def _held(group: Path, wanted: Mapping[str, str], journal: Journal | None) -> Iterator[None]:
    def read() -> GroupState:
        return GroupState(str(group), {name: _need(group / name) for name in wanted})

    with held(journal or Journal(), str(group), read, write_group) as signals:
        signals.deliver()
        for name, value in wanted.items():
            _write(group / name, value)
        yield


def _percent(capacity: float) -> str:
    return f"{100 * capacity / FULL_CAPACITY:.2f}"


def _need(path: Path) -> str:
    text = read_text(path)
    if text is None:
        raise DeviceStableError(f"cannot read {path}; this group cannot be held")
    return text


def _write(path: Path, value: str) -> None:
    before = read_text(path)
    if before is None:
        raise DeviceStableError(f"{path} has vanished; the group is gone")
    if _is_same(before, value):
        return  # so that undoing nothing needs no privilege
    try:
        path.write_text(f"{value}\n")
    except OSError as err:
        if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise PermissionNeeded(f"cannot write {path} ({err.strerror}); run as root") from err
        why = f"{path} does not take {value!r} ({err.strerror})"
        raise DeviceStableError(f"{why}; choose another value") from err
    if not _is_same(after := read_text(path) or "", value):
        raise DeviceTransientError(
            f"{path} was set to {value!r} but reads {after!r}; another program holds it"
        )


def _is_same(shown: str, value: str) -> bool:
    if shown == value:
        return True
    try:  # 100.00 and max, 0.00 and 0
        return abs(float(shown.replace("max", "100")) - float(value.replace("max", "100"))) < 0.01
    except ValueError:
        cpus = parse_cpu_list(shown)
        return cpus is not None and cpus == parse_cpu_list(value)
