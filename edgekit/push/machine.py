"""What a device is, as far as wheels care."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from runtime.errors import DeviceStableError
from runtime.targets.ssh.device_files import DeviceFiles

_OLDEST, _BELOW = (3, 10), (3, 14)  # requires-python in pyproject.toml
# The newest first; "python3" and what was brought before last, because they may be any version. -I keeps
# files of the login's home and what its PYTHONPATH names (ROS sets one) out of it.
_PROBE = rf"""
fits='import sys; sys.exit(not {_OLDEST} <= sys.version_info[:2] < {_BELOW})'
probe='import platform, sys
libc = "".join(platform.libc_ver()[1:]) or "-"
print(sys.executable, "%d.%d" % sys.version_info[:2], platform.machine(), libc)'
for p in {{candidates}}; do
  if "$p" -I -c "$fits" 2>/dev/null; then "$p" -I -c "$probe"; exit 0; fi
done
echo "none $(uname -m) $(python3 --version 2>&1 || true)"
"""
_ITS_OWN = " ".join(f"python3.{minor}" for minor in range(_BELOW[1] - 1, _OLDEST[1] - 1, -1)) + " python3"


@dataclass(frozen=True)
class Machine:
    """Its Python, architecture and C library."""

    python: str
    version: str
    arch: str
    glibc: str

    @property
    def platforms(self) -> list[str]:
        """The wheel tags that fit, newest first (PEP 600: manylinux_X_Y needs glibc X.Y or newer)."""
        major, _, minor = self.glibc.partition(".")
        newest = int(minor) if major == "2" and minor.isdigit() else 17
        tags = [f"manylinux_2_{n}_{self.arch}" for n in range(newest, 16, -1)]
        legacy = [f"{tag}_{self.arch}" for tag in ("manylinux2014", "manylinux2010", "manylinux1")]
        return [*tags, *legacy, f"linux_{self.arch}"]


def read_machine(files: DeviceFiles, python: str | None = None) -> Machine:
    """Return what the device is.

    Args:
        python: path on the device of the interpreter to use; default: its own, else one brought before.

    Raises:
        DeviceStableError: it has no Python that edgekit runs on, or no glibc.
    """
    candidates = f"{_ITS_OWN} {shlex.quote(files.home)}/pythons/*/bin/python3"
    script = _PROBE.replace("{candidates}", candidates if python is None else shlex.quote(python))
    words = files.shell(script).splitlines()[-1].split()
    if words[0] == "none":
        arch, found = words[1], " ".join(words[2:]) or "no python3"
        raise DeviceStableError(
            f"{files.where} has no Python 3.10 to 3.13 ({found}); send it one with --python FILE, "
            f"where FILE is cpython-3.11.*-{arch}-unknown-linux-gnu-install_only.tar.gz of "
            "https://github.com/astral-sh/python-build-standalone/releases (30 MB), or the folder that "
            f"`uv python install cpython-3.11-linux-{arch}-gnu` makes; it lies beside edgekit there and "
            "changes nothing else"
        )
    machine = Machine(*words)
    if machine.glibc == "-":
        raise DeviceStableError(
            f"{files.where} has no glibc (musl or Android?), which the engines' wheels need; "
            "use a userland with glibc there"
        )
    return machine
