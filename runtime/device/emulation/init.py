"""Process 1 of an emulated machine: makes its /sys, serves its files, ends when the command does.

Started by the launcher as ``python -m runtime.device.emulation.init BOOT`` in a process namespace of its own,
so that nothing it started outlives it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.device.emulation.cores import HostCores
from runtime.device.emulation.machine import EmulatedMachine
from runtime.device.emulation.namespace import hide_host
from runtime.device.emulation.notify import FileEvent, Notifier
from runtime.device.emulation.processes import HostProcesses
from runtime.device.emulation.steal import SPINNER_PRIORITY
from runtime.device.soc import load_profile
from runtime.errors import EdgekitError
from runtime.visible import visible

_TICK_MS, _IDLE_TICK_MS = 20, 100  # while a governor follows work, and otherwise
_GRACE_S = 10.0  # from SIGTERM to SIGKILL, for a command that does not heed it
_PR_SET_PDEATHSIG = 1
_NOT_FOUND, _NOT_RUNNABLE = 127, 126  # as a shell has it


@dataclass(frozen=True)
class Boot:
    """What the launcher hands over. ``life`` is a pipe: signals come through it, its end is the end."""

    soc: str
    command: tuple[str, ...]
    program: str
    others: tuple[int, ...]
    hosts: tuple[int, ...]
    least_capacity: float
    life: int


def run(boot: Boot) -> int:
    """Run the machine until its command has ended; return the command's status."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    hide_host()
    os.sched_setaffinity(0, boot.others)
    cores = HostCores(Path(boot.program), boot.hosts, wait=_waiting(boot.life))
    machine = EmulatedMachine(
        load_profile(boot.soc),
        Path("/"),
        boot.hosts,
        cores,
        HostProcesses(cores.spinner_pids, boot.others),
        least_capacity=boot.least_capacity,
        soc=boot.soc,
    )
    machine.mark(cores.spinner_pids)
    notifier = Notifier()
    for folder in machine.folders():
        notifier.watch(folder)
    # Above the spinners, or on one core they would keep this process from slowing them.
    rank = os.sched_param(SPINNER_PRIORITY + 1)
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, rank)
    # Keys of the terminal are for the command; other signals come through the pipe.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    try:
        command = _start(boot.command)
    except OSError as err:
        print(f"Error: cannot run {boot.command[0]!r} ({err.strerror})", file=sys.stderr)
        return _NOT_FOUND if isinstance(err, FileNotFoundError) else _NOT_RUNNABLE
    return _serve(machine, notifier, boot.life, command, set(cores.spinner_pids))


def _waiting(life: int) -> Callable[[int], None]:
    """Return what waits a moment for a core of the host, says so once, and heeds signals meanwhile."""
    told: set[int] = set()

    def wait(host: int) -> None:
        if host not in told:
            told.add(host)
            line = f"core {host} of this host plays another emulated machine: waiting until it is free"
            print(line, file=sys.stderr, flush=True)
        if select.select([life], [], [], _TICK_MS / 1000)[0]:
            number = os.read(life, 1)
            raise SystemExit(128 + (number[0] if number else signal.SIGKILL))

    return wait


def _start(command: tuple[str, ...]) -> int:
    """Start the command with the signals of a fresh process; return its number."""
    reset = [s for s in signal.Signals if s not in (signal.SIGKILL, signal.SIGSTOP)]
    return os.posix_spawnp(command[0], command, os.environ, setsigmask=[], setsigdef=reset)


def _serve(machine: EmulatedMachine, notifier: Notifier, life: int, command: int, spinners: set[int]) -> int:
    poll = select.poll()
    for fd in (notifier.fileno(), life):
        poll.register(fd, select.POLLIN)
    deadline_s: float | None = None
    while True:
        ready = {fd for fd, _ in poll.poll(_TICK_MS if machine.is_busy else _IDLE_TICK_MS)}
        if notifier.fileno() in ready:
            for event in notifier.events():
                _answer(machine, event)
        machine.account(time.monotonic())
        status = _reap(command, spinners)
        if status is not None:
            return status
        if life in ready:
            number = os.read(life, 1)
            if not number:
                return 128 + signal.SIGKILL  # the launcher is gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(command, number[0])
            if number[0] == signal.SIGTERM:
                deadline_s = time.monotonic() + _GRACE_S
        if deadline_s is not None and time.monotonic() > deadline_s:
            return 128 + signal.SIGTERM


def _answer(machine: EmulatedMachine, event: FileEvent) -> None:
    now_s = time.monotonic()
    if event.is_written:
        text = machine.written(event.path, event.read(), now_s)
    elif event.read():  # empty: somebody is writing it just now
        text = machine.shown(event.path, now_s)
    else:
        return
    if text is not None and text != event.read():
        event.write(text)


def _reap(command: int, spinners: set[int]) -> int | None:
    """Collect children that ended; return the command's status once it did."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        if pid in spinners:
            print("Error: the program that slows the core down died; the machine ends", file=sys.stderr)
            return 1
        if pid == command:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def main() -> None:
    """Run the machine that the first argument describes."""
    try:
        status = run(msgspec.json.decode(sys.argv[1], type=Boot))
    except EdgekitError as err:
        print(f"Error: {visible(str(err))}", file=sys.stderr)
        status = err.exit_code
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except SystemExit as err:
        status = int(err.code or 0)
    os._exit(status)  # the kernel ends everything else; spinners need no farewell


if __name__ == "__main__":
    main()
