"""Mounts of an emulated machine, seen by nobody outside it; and what a host lacks for one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from runtime.device.emulation.devices import FAKED_CLASSES, HIDDEN_CLASSES
from runtime.device.emulation.notify import Notifier
from runtime.device.emulation.steal import SPINNER_PRIORITY, find_compiler
from runtime.device.marker import CPU_DIR, find_marker
from runtime.errors import DeviceStableError, PermissionNeeded

# include/uapi/linux/{sched,mount}.h
CLONE_NEWNS, CLONE_NEWPID = 0x0002_0000, 0x2000_0000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 0x2, 0x4, 0x8
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
_CLASS_DIR = Path("/sys/class")
_HIDDEN_BUSES = ("iio", "i2c")  # where INA3221 and ODPM meters of the host would show


def probe() -> tuple[bool, str]:
    """Return whether this machine can emulate others, and what it lacks."""
    if not sys.platform.startswith("linux"):
        return False, f"emulated machines need Linux, this is {sys.platform}; use a virtual target"
    if os.geteuid() != 0:
        return False, "emulated machines need root (mounts, real-time priority); run as root"
    if find_marker() is not None:
        return False, "this machine is emulated itself; leave it first"
    if find_compiler() is None:
        return False, "emulated machines need a C compiler; install gcc, such as with: apt install gcc"
    try:
        Notifier().close()
    except DeviceStableError as err:
        return False, str(err)
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(SPINNER_PRIORITY))
        os.sched_setscheduler(0, *before)
    except PermissionError:
        return False, (
            "real-time priority is refused; give CAP_SYS_NICE, and real-time time to the cgroup "
            "(cpu.rt_runtime_us)"
        )
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _unshare(CLONE_NEWNS | CLONE_NEWPID) == 0 else 1)
    if os.waitpid(pid, 0)[1] != 0:
        return False, "a mount namespace is refused; give CAP_SYS_ADMIN (docker: --privileged)"
    return True, "Linux, root, a C compiler, fanotify, real-time priority and namespaces are there"


@contextlib.contextmanager
def process_namespace() -> Iterator[None]:
    """Make the next child process 1 of a process namespace: with it dies all that it started.

    Raises:
        PermissionNeeded: the kernel refuses.
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _leave(CLONE_NEWPID)
        try:
            yield
        finally:
            ctypes.CDLL(None).setns(own, CLONE_NEWPID)
    finally:
        os.close(own)


def _leave(flags: int) -> None:
    if _unshare(flags) != 0:
        why = os.strerror(ctypes.get_errno())
        raise PermissionNeeded(f"cannot make a namespace ({why}); run as root with CAP_SYS_ADMIN")


def hide_host() -> None:
    """Make a mount namespace of this process's own, whose /sys has room for another machine's files.

    The rest of /sys stays: /sys/class keeps its entries, but for the host's meters.
    """
    _leave(CLONE_NEWNS)
    _mount("none", Path("/"), None, _MS_REC | _MS_PRIVATE)
    _mount("proc", Path("/proc"), "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _mount("tmpfs", Path("/") / CPU_DIR, "tmpfs", _MS_NOSUID | _MS_NODEV)
    for name in _HIDDEN_BUSES:
        if (bus := Path("/sys/bus") / name).is_dir():
            _mount("tmpfs", bus, "tmpfs", _MS_NOSUID | _MS_NODEV)
    below = os.open(_CLASS_DIR, os.O_PATH | os.O_DIRECTORY)
    try:
        kept = [name for name in os.listdir(_CLASS_DIR) if name not in (*FAKED_CLASSES, *HIDDEN_CLASSES)]
        _mount("tmpfs", _CLASS_DIR, "tmpfs", _MS_NOSUID | _MS_NODEV)
        for name in kept:
            if os.path.isdir(f"/proc/self/fd/{below}/{name}"):
                (_CLASS_DIR / name).mkdir()
                _mount(f"/proc/self/fd/{below}/{name}", _CLASS_DIR / name, None, _MS_BIND)
    finally:
        os.close(below)


def _unshare(flags: int) -> int:
    return int(ctypes.CDLL(None, use_errno=True).unshare(flags))


def _mount(source: str, target: Path, kind: str | None, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(
        source.encode(), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), None
    )
    if done != 0:
        why = os.strerror(ctypes.get_errno())
        raise PermissionNeeded(f"cannot mount on {target} ({why}); run as root with CAP_SYS_ADMIN")
