"""A SoC played by this machine's cores (``runtime.device.emulation``), reached through an agent inside it."""

from __future__ import annotations

from runtime.device.child import module_command, module_environment
from runtime.device.emulation.namespace import probe
from runtime.errors import DeviceStableError, DeviceTransientError
from runtime.targets.agent.link import ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk
from runtime.targets.name import TargetName


def open_emulated(soc: str) -> AgentTarget:
    """Return the emulated machine ``soc``: a profile's name or the path of a TOML or YAML file.

    It lasts as long as the target.

    Raises:
        DeviceStableError: this machine cannot emulate that one; says what is lacking.
        DeviceTransientError: the emulated machine did not start.
    """
    name = str(TargetName("emulated", soc))
    ok, reason = probe()
    if not ok:
        raise DeviceStableError(f"{name}: {reason}")
    agent = module_command("runtime.targets.agent")
    connection = ProcessConnection(
        module_command("runtime.device.emulation", soc, "--", *agent), module_environment()
    )
    try:
        return AgentTarget(name, connection, SameDisk())
    except DeviceTransientError as err:
        _, is_refused, reason = str(err).partition("its last words: Error: ")
        if is_refused:  # the machine did not break off, it never began
            raise DeviceStableError(f"{name}: {reason}") from err
        raise
