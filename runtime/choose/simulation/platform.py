"""A SoC as the simulator sees it: every operating point of every cluster in one table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from runtime.errors import DeviceStableError


@dataclass(frozen=True, eq=False)
class Platform:
    """Operating points with known power, cluster after cluster, each slowest first.

    Attributes:
        name: of the SoC.
        cluster_names: of the clusters, in the order of their numbers.
        cluster: number of each point's cluster, shape (n_opps,).
        freq_khz: clock of each point.
        capacity: computing power of one core on the kernel's scale, 1024 for the fastest point.
        power_mw: of one busy core, over an idle machine where the table says so.
        top_khz: clock of the fastest point: work is counted in its cycles.
        idle_mw: what the machine takes while the work's core waits, on top of what the table counts from.
        transition_ms: for how long a change of clock or core stops the work.
        transition_uj: what such a change takes beside the power of those moments.
        background: load of other tasks on the same core, on the scale of ``capacity``.
        left_out: clocks whose power nobody knows, as ``cluster/kHz``.
    """

    name: str
    cluster_names: tuple[str, ...]
    cluster: np.ndarray
    freq_khz: np.ndarray
    capacity: np.ndarray
    power_mw: np.ndarray
    top_khz: int
    idle_mw: float = 0.0
    transition_ms: float = 0.1
    transition_uj: float = 0.0
    background: float = 0.0
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.freq_khz.size:
            raise DeviceStableError(
                f"no clock of {self.name} has a known power; simulate on a profile with power_mw in its opps"
            )
        for name in ("idle_mw", "transition_ms", "transition_uj"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if not 0 <= self.background < float(self.capacity.max()):
            raise ValueError(
                f"background is {self.background}; allowed: 0 to below {float(self.capacity.max()):g}"
            )

    @cached_property
    def speed(self) -> np.ndarray:
        """Megacycles of the fastest point per ms, at each point, for a task alone."""
        return np.asarray(self.top_khz / 1e6 * self.capacity / float(self.capacity.max()))

    @cached_property
    def free_speed(self) -> np.ndarray:
        """Megacycles per ms that the background load leaves; never less than a twentieth (fair share)."""
        return np.asarray(np.maximum(1 - self.background / self.capacity, 0.05) * self.speed)

    @cached_property
    def background_share(self) -> np.ndarray:
        """Share of the time that the background load keeps a core busy, at each point."""
        return np.asarray(np.minimum(self.background / self.capacity, 0.95))

    @cached_property
    def waiting_mw(self) -> np.ndarray:
        """Power while no frame runs, at each point."""
        return np.asarray(self.idle_mw + self.background_share * self.power_mw)

    @cached_property
    def fastest(self) -> int:
        """Index of the fastest point; of equals the one of least power."""
        return int(np.lexsort((self.power_mw, -self.capacity))[0])

    def of_cluster(self, cluster: int) -> np.ndarray:
        """Return the indices of a cluster's points, slowest first."""
        return np.flatnonzero(self.cluster == cluster)
