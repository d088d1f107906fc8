"""What can be chosen, and what it is expected to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime.device.setting import Setting


@dataclass(frozen=True, order=True)
class Option:
    """One way to run a frame: a variant of the bundle under a setting."""

    variant: str
    setting: Setting


@dataclass(frozen=True)
class Estimate:
    """What a frame is expected to take under an option.

    Attributes:
        latency_ms: expected latency; ``latency_low_ms`` and ``latency_high_ms`` bound it.
        power_mw: while busy, over the idle machine; ``None`` where it is not known.
        energy_mj: of one frame while busy, likewise.
    """

    variant: str
    setting: Setting
    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    power_mw: float | None
    energy_mj: float | None

    @property
    def core_ms(self) -> float:
        """Milliseconds of core time of one frame: what stands for energy where that is unknown."""
        return self.latency_ms * self.setting.threads


Model = Callable[[Sequence[Option]], Sequence[Estimate]]
