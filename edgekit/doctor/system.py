"""Python, the platform, what this process may do, and the programs around us."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

import psutil

from edgekit.doctor.check import Check

PROGRAMS = {
    "adb": (("adb",), "Android phones"),
    "ssh": (("ssh",), "boards over the network"),
    "cmake": (("cmake",), "the native runner"),
    "qemu-aarch64": (("qemu-aarch64-static", "qemu-aarch64"), "64-bit Arm programs on this machine"),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "web measurements"),
}


def check_platform(_root: Path, version: tuple[int, ...] = sys.version_info[:3]) -> tuple[Check, ...]:
    """Tell the Python, the system and its memory."""
    text = ".".join(map(str, version))
    if (3, 11) <= version[:2] < (3, 14):
        python = Check("Python", "ok", f"{text} at {sys.executable}")
    elif version[:2] == (3, 10):  # boards; what trains and exports has packages for newer ones only
        python = Check("Python", "ok", f"{text} at {sys.executable}: runs and measures bundles, makes none")
    else:
        python = Check("Python", "broken", f"{text}; 3.11 to 3.13 are supported", "install Python 3.12")
    memory_gib = psutil.virtual_memory().total / 2**30
    disk_gib = shutil.disk_usage(Path.cwd()).free / 2**30
    return (
        python,
        Check("system", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Check("memory", "ok" if memory_gib >= 4 else "warn", f"{memory_gib:.1f} GiB"),
        Check("disk here", "ok" if disk_gib >= 4 else "warn", f"{disk_gib:.0f} GiB free"),
    )


def check_privileges(root: Path) -> tuple[Check, ...]:
    """Tell what this process may do to the machine."""
    is_root = os.geteuid() == 0
    user = Check("user", "ok", "root" if is_root else f"uid {os.geteuid()}, not root")
    if os.access(root / "sys/devices/system/cpu", os.W_OK):
        return (user, Check("/sys", "ok", "writable"))
    hint = "mount /sys writable into the container" if is_root else "run as root to set clocks"
    return (user, Check("/sys", "missing", "not writable: clocks cannot be set", hint))


def check_tools(_root: Path, path: str | None = None) -> tuple[Check, ...]:
    """Tell which helpful programs are there; none is needed to export and tune.

    Args:
        path: folders to look in, as in ``PATH``; default: ``PATH`` itself.
    """
    checks = []
    for name, (candidates, purpose) in PROGRAMS.items():
        found = next(filter(None, (shutil.which(one, path=path) for one in candidates)), None)
        if found:
            checks.append(Check(name, "ok", found))
        else:
            checks.append(Check(name, "missing", f"for {purpose}"))
    return tuple(checks)
