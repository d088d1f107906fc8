"""Whether the machine below ``root`` is one that edgekit plays."""

from __future__ import annotations

from pathlib import Path

MARKER = Path("sys/devices/system/cpu/edgekit.json")


def is_emulated(root: Path = Path("/")) -> bool:
    """Return whether the tree says of itself that it is emulated."""
    return (root / MARKER).is_file()
