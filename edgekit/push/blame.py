"""Which side a failed push failed on, and what to do about it."""

from __future__ import annotations

import re
import shlex

from edgekit.push.packages import NO_INDEX
from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError
from runtime.targets.ssh.device_files import DeviceFiles

KEPT = "what has arrived is kept, what ran there before still runs; push again to go on"
# What programs on a device say, in the order in which they are looked for.
_CAUSES = (
    (
        re.compile(r"No space left|Disk quota exceeded|not enough space", re.IGNORECASE),
        "its disk is full: {free} are free in {home}; make room there (some 150 MB), or name a "
        "folder on another disk as EDGEKIT_HOME there",
    ),
    (
        re.compile(r"Read-only file system|Permission denied|Operation not permitted", re.IGNORECASE),
        "it may not write to {home}, or run programs there (noexec?); give that folder to this login, or "
        "name another one as EDGEKIT_HOME there",
    ),
    (
        NO_INDEX,
        "the device (not this machine) cannot reach a package index; push with --offline: every wheel is "
        "sent from here",
    ),
    (
        re.compile(r"exit status 137|Killed|MemoryError|Cannot allocate memory"),
        "a program was killed there, as when memory runs out; free some, or add swap",
    ),
)


def explain(err: DeviceError, files: DeviceFiles, step: str) -> DeviceError:
    """Return ``err`` with the step that it ended, the side that it is of, and what to do."""
    if isinstance(err, DeviceTransientError):
        return DeviceTransientError(f"{err} (it happened while {step}; {KEPT})")
    cause = next((text for pattern, text in _CAUSES if pattern.search(str(err))), None)
    if cause is None:
        return err
    where = cause.format(home=files.home, free=_free(files))
    return DeviceStableError(f"{files.where}, while {step}: {where}; {KEPT} (it said: {err})")


def _free(files: DeviceFiles) -> str:
    """Return how much room the device has, in words."""
    home = shlex.quote(files.home)
    script = f'd={home}; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; df -Pk "$d" | tail -n 1'
    try:
        return f"{int(files.shell(script).split()[3]) / 1e3:.0f} MB"
    except (DeviceError, IndexError, ValueError):
        return "an unknown number of MB"
