"""What is different about reading a machine that edgekit plays."""

from __future__ import annotations

from pathlib import Path

from runtime.device.marker import Marker


def read_stolen_s(marker: Marker, root: Path = Path("/")) -> float:
    """Return the seconds that were taken from the host's cores to make them slow: nobody's work."""
    return sum(
        int((root / f"proc/{pid}/schedstat").read_text().split()[0]) / 1e9 for pid in marker.spinner_pids
    )
