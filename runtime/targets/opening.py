"""From a name on the command line to a target."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.targets.local import LocalTarget
from runtime.targets.name import TargetName
from runtime.targets.target import Target
from runtime.targets.virtual import VirtualTarget


def open_target(name: str) -> Target:
    """Return the target called ``name``.

    Args:
        name: ``local``, ``ssh:user@host:port``, ``adb:SERIAL``, ``virtual:SOC`` or ``emulated:SOC``,
            where the SoC may be a file: ``virtual:PATH.toml`` or ``.yaml``.

    Raises:
        ValueError: no such target; near matches are named.
        DeviceError: the device cannot be reached, or has no edgekit.
        DataError: the file cannot be read as a SoC profile.
        MissingExtra: devlib is not installed, which reaches it.

    Example:
        >>> open_target("virtual:sdm845").provenance
        'modelled'
    """
    parsed = TargetName.parse(name)
    if parsed.kind == "virtual":
        return VirtualTarget(parsed.rest)
    if parsed.kind == "emulated":
        from runtime.targets.emulated import open_emulated

        return open_emulated(parsed.rest)
    if parsed.kind == "ssh":
        from runtime.targets.ssh.target import open_ssh

        return open_ssh(parsed)
    if parsed.kind == "adb":
        from runtime.targets.adb.target import AdbTarget

        return AdbTarget(parsed.rest)
    # A tree of files in place of the machine's own /sys, as the agent takes it; for tests.
    return LocalTarget(Path(os.environ.get("EDGEKIT_ROOT", "/")))
