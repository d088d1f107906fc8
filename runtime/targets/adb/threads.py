"""Threads of a phone's programs: their CPU time, where they may run, and back to where they could.

Programs of others are moved as root, by toybox's ``taskset``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from runtime.device.actuators import Journal
from runtime.device.actuators.holding import held
from runtime.device.actuators.states import State, ThreadsState
from runtime.errors import DeviceStableError
from runtime.targets.adb.facts import pull
from runtime.targets.adb.shell import AdbShell
from runtime.targets.name import TargetName

_HZ = 100.0  # of USER_HZ, in which /proc/PID/stat counts: the same on every Android
_STARTED, _USER, _SYSTEM = 19, 11, 12  # fields 22, 14 and 15 of proc_pid_stat(5), after the name's bracket
_TIMES = re.compile(r"^/proc/(\d{1,10})/task/(\d{1,10})\t([^\t\n]*)\t([^\t\n]*)$", re.MULTILINE)
_MASK = re.compile(r"^pid (\d{1,10})'s current affinity mask: ([0-9a-fA-F]{1,512})$", re.MULTILINE)
# The shell reads by itself: a program for each of some eighty files would take a second.
_READ = (
    'for t in {tasks}; do s=; n=; IFS= read -r s < "$t/schedstat"; IFS= read -r n < "$t/comm"; '
    'printf "%s\\t%s\\t%s\\n" "$t" "$n" "$s"; done 2>/dev/null; true'
)


def read_times(shell: AdbShell, pids: Sequence[int]) -> list[tuple[int, int, str, str]]:
    """Return process, thread, name and ``schedstat`` of all threads of ``pids``; gone ones are left out.

    Raises:
        DeviceTransientError: the phone is gone.
    """
    text = shell.run(_READ.format(tasks=" ".join(f"/proc/{pid}/task/*" for pid in pids)))
    return [(int(pid), int(tid), name, times) for pid, tid, name, times in _TIMES.findall(text)]


def read_busy_s(shell: AdbShell, pids: Sequence[int]) -> float | None:
    """Return the CPU time of processes so far, with threads that ended; ``None``: one does not show it."""
    fields = [_stat(shell, pids).get(pid) for pid in pids]
    if not fields or not all(fields):
        return None
    return sum(int(each[place]) for each in fields if each for place in (_USER, _SYSTEM)) / _HZ


@contextlib.contextmanager
def moved(shell: AdbShell, journal: Journal, pids: Sequence[int], cpus: Sequence[int]) -> Iterator[None]:
    """Let all threads of ``pids``, and what they start, run on ``cpus`` only within the block.

    What to go back to is on the disk of this machine first; ``edgekit restore`` does it after a kill.

    Raises:
        DeviceError: the phone is gone, or does not move them.
    """

    def go_back(state: State) -> None:
        assert isinstance(state, ThreadsState)
        _restore(shell, state)

    with held(journal, "threads", lambda: _read_state(shell, pids), go_back) as signals:
        signals.deliver()
        mask = sum(1 << cpu for cpu in cpus)
        _set_masks(shell, [f"-ap {mask:x} {pid}" for pid in pids])
        wrong = {found for found in _read_masks(shell, pids).values() if found != mask}
        if wrong:
            raise DeviceStableError(
                f"adb:{shell.serial}: the browser's threads were to run on CPUs {list(cpus)} but may run on "
                f"{sorted(_cpus(wrong.pop()))}; a cpuset of the phone leaves them out, or they are offline"
            )
        yield


def restore_threads(name: str, state: ThreadsState, boot_id: str) -> bool:
    """Let threads of the phone called ``adb:SERIAL`` run where they could; ``False``: all have ended.

    Raises:
        DeviceError: the phone cannot be reached, or does not move them.
    """
    shell = AdbShell(TargetName.parse(name).rest)
    if shell.run("cat /proc/sys/kernel/random/boot_id").strip() != boot_id:
        return False
    return _restore(shell, state)


def _read_state(shell: AdbShell, pids: Sequence[int]) -> ThreadsState:
    masks = _read_masks(shell, pids)
    if not masks:
        raise DeviceStableError(
            f"adb:{shell.serial} does not show where threads of processes {list(pids)} may run; they have "
            "ended, or its taskset is no toybox's: measure without root"
        )
    return ThreadsState(_started_s(shell, pids), {tid: _cpus(mask) for tid, mask in masks.items()}, {})


def _restore(shell: AdbShell, state: ThreadsState) -> bool:
    now_s = _started_s(shell, tuple(state.started_s))
    pids = [pid for pid, started_s in state.started_s.items() if now_s.get(pid) == started_s]
    if not pids:
        return False
    every = {tid: sum(1 << cpu for cpu in cpus) for tid, cpus in state.cpus.items()}
    anywhere = 0
    for mask in every.values():
        anywhere |= mask
    # Those that were started meanwhile may run wherever one could; then each that could not, where it did.
    _set_masks(shell, [f"-ap {anywhere:x} {pid}" for pid in pids])
    there = _read_masks(shell, pids)
    _set_masks(
        shell, [f"-p {mask:x} {tid}" for tid, mask in every.items() if tid in there and mask != anywhere]
    )
    return True


def _started_s(shell: AdbShell, pids: Sequence[int]) -> dict[int, float]:
    return {pid: int(fields[_STARTED]) / _HZ for pid, fields in _stat(shell, pids).items()}


def _stat(shell: AdbShell, pids: Sequence[int]) -> dict[int, list[str]]:
    files = pull(shell, " ".join(f"/proc/{pid}/stat" for pid in pids))
    found = {int(path.split("/")[2]): text.rpartition(")")[2].split() for path, text in files.items()}
    return {
        pid: fields
        for pid, fields in found.items()
        if len(fields) > _STARTED and all(fields[at].isdecimal() for at in (_USER, _SYSTEM, _STARTED))
    }


def _read_masks(shell: AdbShell, pids: Sequence[int]) -> dict[int, int]:
    text = shell.run("; ".join(f"taskset -ap {pid}" for pid in pids) + "; true", as_root=True)
    return {int(tid): int(mask, 16) for tid, mask in _MASK.findall(text)}


def _set_masks(shell: AdbShell, arguments: Sequence[str]) -> None:
    """Run ``taskset`` with each of ``arguments``; a thread that has ended is none to move."""
    if arguments:
        shell.run("; ".join(f"taskset {each}" for each in arguments) + "; true", as_root=True)


def _cpus(mask: int) -> tuple[int, ...]:
    return tuple(cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1)
