"""Which machine's CPUs a target's jobs use: one machine does one job at a time."""

from __future__ import annotations

THIS_MACHINE = "this machine"
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


def machine_of(target: str) -> str:
    """Return the machine whose CPUs a target's jobs use.

    Example:
        >>> machine_of("virtual:gs101"), machine_of("ssh:me@board:2222")
        ('this machine', 'ssh:board')
    """
    kind, _, rest = target.partition(":")
    if kind in ("local", "virtual", "emulated"):
        return THIS_MACHINE
    if kind != "ssh":
        return target
    host = rest.rpartition("@")[2]
    if host.count(":") == 1 or host.startswith("["):
        host = host.rpartition(":")[0] if not host.endswith("]") else host
    return THIS_MACHINE if host in _LOOPBACK else f"ssh:{host}"
