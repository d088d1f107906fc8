"""A SoC played by this machine's cores (``runtime.device.emulation``), reached through an agent inside it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import runtime
from runtime.device.emulation.namespace import probe
from runtime.errors import DeviceStableError, DeviceTransientError
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk


def open_emulated(soc: str) -> AgentTarget:
    """Return the emulated machine ``soc``: a profile's name or the path of a TOML file.

    It lasts as long as the target.

    Raises:
        DeviceStableError: this machine cannot emulate that one; says what is lacking.
        DeviceTransientError: the emulated machine did not start.
    """
    ok, reason = probe()
    if not ok:
        raise DeviceStableError(f"emulated:{soc}: {reason}")
    home = str(Path(runtime.__file__).parents[1])
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    python = sys.executable
    connection = ProcessConnection(
        [python, "-m", "runtime.device.emulation", soc, "--", python, "-m", "runtime.targets.agent"],
        os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    try:
        return AgentTarget(f"emulated:{soc}", connection, SameDisk())
    except DeviceTransientError as err:
        _, is_refused, reason = str(err).partition("its last words: Error: ")
        if is_refused:  # the machine did not break off, it never began
            raise DeviceStableError(f"emulated:{soc}: {reason}") from err
        raise
