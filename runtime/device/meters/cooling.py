"""Whether the kernel holds the CPU back because of heat."""

from __future__ import annotations

from pathlib import Path

from runtime.device.sysfs import read_int, read_text

_COOLING = Path("sys/class/thermal")
_SLOWS_CPU = ("cpu", "processor", "powerclamp")


def read_cooling(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the active cooling devices that slow the CPU, as ``type=state/most``.

    A state above 0 is active (Documentation/ABI/testing/sysfs-class-thermal). Fans, modems,
    displays and chargers cool as well, but not by slowing the CPU.
    """
    found = []
    for device in sorted((root / _COOLING).glob("cooling_device[0-9]*")):
        kind, state = read_text(device / "type"), read_int(device / "cur_state")
        if kind is None or state is None:
            continue  # a device whose driver is asleep refuses to be read
        if state > 0 and any(word in kind.lower() for word in _SLOWS_CPU):
            found.append(f"{kind}={state}/{_most(device)}")
    return tuple(found)


def _most(device: Path) -> str:
    most = read_int(device / "max_state")
    return "?" if most is None else str(most)
