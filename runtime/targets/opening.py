"""From a name on the command line to a target."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from runtime.device.soc import list_profiles
from runtime.targets.local import LocalTarget
from runtime.targets.target import Target
from runtime.targets.virtual import VirtualTarget


def list_targets() -> list[str]:
    """Return the names of all targets that can be opened without a file of one's own."""
    profiles = list_profiles()
    return ["local", *(f"{kind}:{soc}" for kind in ("virtual", "emulated") for soc in profiles)]


def open_target(name: str) -> Target:
    """Return the target called ``name``.

    Args:
        name: ``local``, ``ssh:user@host:port``, ``adb:SERIAL``, ``virtual:SOC`` or ``emulated:SOC``,
            where the SoC may be a file: ``virtual:PATH.toml``.

    Raises:
        ValueError: no such target; near matches are named.
        DeviceError: the device cannot be reached, or has no edgekit.
        DataError: the TOML file cannot be read as a SoC profile.
        MissingExtra: devlib is not installed, which reaches it.

    Example:
        >>> open_target("virtual:sdm845").provenance
        'modelled'
    """
    kind, _, rest = name.partition(":")
    if name == "local":
        # A tree of files in place of the machine's own /sys, as the agent takes it; for tests.
        return LocalTarget(Path(os.environ.get("EDGEKIT_ROOT", "/")))
    if kind == "emulated" and (rest in list_profiles() or rest.endswith(".toml")):
        from runtime.targets.emulated import open_emulated

        return open_emulated(rest)
    if kind == "ssh":
        from runtime.targets.ssh.target import open_ssh

        return open_ssh(name)
    if kind == "virtual" and (rest in list_profiles() or rest.endswith(".toml")):
        return VirtualTarget(rest)
    if kind == "adb" and rest:
        from runtime.targets.adb.target import AdbTarget

        return AdbTarget(rest)
    meant = "emulated" if kind == "emulated" else "virtual"
    full_names = {full.removeprefix(f"{meant}:"): full for full in list_targets()}
    near = difflib.get_close_matches(rest if kind == meant else name, full_names, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(full_names[short] for short in near)}?" if near else None
    hint = hint or f"known: {', '.join(list_targets())}"
    raise ValueError(
        f"unknown target {name!r}; {hint} (your own SoC: virtual:PATH.toml or emulated:PATH.toml; "
        "a device: ssh:USER@HOST; a phone: adb:SERIAL)"
    )
