"""Names of targets, parsed once: ``local``, ``virtual:SOC``, ``emulated:SOC``, ``ssh:HOST``, ``adb:NAME``."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from runtime.device.soc.generic import EXAMPLE, PREFIX, generic_profile
from runtime.device.soc.loader import PROFILE_SUFFIXES, list_profiles
from runtime.targets.adb.serial import check_serial
from runtime.targets.ssh.address import Address

LOCAL = "local"
THIS_MACHINE = "this machine"
PLAYED = ("virtual", "emulated")  # what follows is a SoC: a profile's name, or a file
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class TargetName:
    """What a target is, and which one.

    Attributes:
        kind: ``local``, ``virtual``, ``emulated``, ``ssh`` or ``adb``.
        rest: the SoC (a profile's name, or a file's path), the address or the serial; empty for ``local``.

    Example:
        >>> name = TargetName.parse("ssh:me@board:2222")
        >>> name.kind, name.rest, name.machine, str(name)
        ('ssh', 'me@board:2222', 'ssh:board', 'ssh:me@board:2222')
    """

    kind: str
    rest: str = ""

    @classmethod
    def parse(cls, text: str) -> TargetName:
        """Return the parts of a name; whether the machine can be reached is not looked at.

        Raises:
            ValueError: no such kind of target or SoC, near matches are named; or an address or serial that
                cannot be one.
        """
        kind, _, rest = text.partition(":")
        if kind == "ssh":
            Address.parse(rest)
        elif kind == "adb" and rest:
            check_serial(rest)
        elif kind in PLAYED and rest.startswith(PREFIX):
            generic_profile(rest)
        elif not (
            text == LOCAL or (kind in PLAYED and (rest.endswith(PROFILE_SUFFIXES) or rest in list_profiles()))
        ):
            raise ValueError(_unknown(text, kind, rest))
        return cls(kind, rest)

    def __str__(self) -> str:
        return f"{self.kind}:{self.rest}" if self.rest else self.kind

    @property
    def is_modelled(self) -> bool:
        """Whether every figure it gives is modelled, the same each time it is asked for."""
        return self.kind == "virtual"

    @property
    def machine(self) -> str:
        """The machine whose CPUs it uses: ``this machine``, ``ssh:HOST`` or ``adb:SERIAL``."""
        if self.kind == "adb":
            return str(self)
        host = Address.parse(self.rest).host if self.kind == "ssh" else "localhost"
        return THIS_MACHINE if host in _LOOPBACK else f"ssh:{host}"


def list_targets() -> list[str]:
    """Return the names of all targets that can be opened without a file of one's own."""
    return [LOCAL, *(f"{kind}:{soc}" for kind in PLAYED for soc in list_profiles())]


def _unknown(text: str, kind: str, rest: str) -> str:
    meant = "emulated" if kind == "emulated" else "virtual"
    full_names = {full.removeprefix(f"{meant}:"): full for full in list_targets()}
    near = difflib.get_close_matches(rest if kind == meant else text, full_names, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(full_names[short] for short in near)}?" if near else None
    hint = hint or f"known: {', '.join(list_targets())}"
    return (
        f"unknown target {text!r}; {hint} (your own SoC: virtual:FILE or emulated:FILE, FILE ending in "
        f"{' or '.join(PROFILE_SUFFIXES)}, or by its cores virtual:{EXAMPLE}; a device: ssh:USER@HOST; a "
        "phone: adb:SERIAL)"
    )
