"""What a device is, as far as wheels care."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import DeviceStableError
from runtime.targets.ssh.device_files import DeviceFiles

# The newest first; "python3" last, because it may be any version. -I keeps files of
# the login's home out of it, as -P does from Python 3.11 on.
_PROBE = r"""
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
probe='import platform, sys
libc = "".join(platform.libc_ver()[1:]) or "-"
print(sys.executable, "%d.%d" % sys.version_info[:2], platform.machine(), libc)'
for p in python3.13 python3.12 python3.11 python3; do
  if $p -I -c "$fits" 2>/dev/null; then $p -I -c "$probe"; exit 0; fi
done
echo "none $(python3 --version 2>&1 || true)"
"""


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


def read_machine(files: DeviceFiles) -> Machine:
    """Return what the device is.

    Raises:
        DeviceStableError: it has no Python that edgekit runs on, or no glibc.
    """
    words = files.shell(_PROBE).splitlines()[-1].split()
    if len(words) != 4:
        raise DeviceStableError(
            f"{files.where} has no Python 3.11 to 3.13 ({' '.join(words[1:]) or 'no python3'}); "
            "install one there"
        )
    machine = Machine(*words)
    if machine.glibc == "-":
        raise DeviceStableError(
            f"{files.where} has no glibc (musl or Android?), which the engines' wheels need; "
            "use a userland with glibc there"
        )
    return machine
