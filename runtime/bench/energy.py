"""From what a block drew to the energy fields of its record."""

from __future__ import annotations

from runtime.engines import Samples
from runtime.setting import Setting
from runtime.targets import Target


def energy_fields(
    target: Target, setting: Setting, samples: Samples, latency_ms: float
) -> tuple[float | None, float | None, str]:
    """Return power in mW, energy of one frame in mJ, and where they come from or why there is none."""
    power = target.power(setting)
    if power is None:
        return None, None, target.energy_note
    # Measured power times a modelled latency is not a measured energy.
    is_modelled = target.provenance == "modelled"
    source = f"modelled latency x {power.source}" if is_modelled else power.source
    return power.power_mw, power.power_mw * latency_ms / 1000, source
