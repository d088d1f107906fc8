"""From what a block drew to the energy fields of its record."""

from __future__ import annotations

from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.device.soc.account import work_mj
from runtime.engines import Samples
from runtime.targets import Target


def energy_fields(
    target: Target, setting: Setting, samples: Samples, latency_ms: float, *, is_paced: bool = False
) -> tuple[float | None, float | None, str, str | None]:
    """Return power in mW, energy of one frame in mJ, their source or why there is none, and what they count.

    A meter's reading comes before any table.
    """
    read = samples.energy
    if read is not None and read.power_mw is not None:
        return read.power_mw, _per_frame_mj(read, latency_ms, is_paced), read.text, read.counted
    power = target.power(setting)
    if power is None:
        return None, None, target.energy_note if read is None else read.text, None
    # Measured power times a modelled or emulated latency is not a measured energy.
    is_measured = target.provenance == "measured"
    source = power.source if is_measured else f"{target.provenance} latency x {power.source}"
    return power.power_mw, work_mj(power.power_mw, latency_ms), source, power.counted


def _per_frame_mj(read: EnergyReading, latency_ms: float, is_paced: bool) -> float:
    """Return the energy of a frame; one that is waited for costs the wait too."""
    power_mw = read.power_mw or 0.0
    return power_mw * read.duration_s / read.frames if is_paced else power_mw * latency_ms / 1000
