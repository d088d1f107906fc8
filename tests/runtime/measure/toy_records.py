"""Records of a toy model, made up."""

from dataclasses import replace

import numpy as np

from runtime.device.setting import Setting
from runtime.measure.records import Record

RECORD = Record(
    model="toy",
    model_sha256="0" * 64,
    variant="litert-fp32",
    engine="litert",
    precision="fp32",
    target="local",
    provenance="measured",
    setting=Setting("big", 2_000_000),
    setting_read=None,
    control_level="affinity",
    samples_ms=(4.0, 1.0, 3.0, 2.0, 10.0),
    first_frame_ms=20.0,
    warmup=5,
    power_mw=None,
    energy_mj=None,
    energy_source="this machine has no power meter",
    temp_c=None,
    verdict="stable",
    reasons=(),
    block=0,
    seed=0,
    created_utc="2026-01-01T00:00:00Z",
)


def blocks_of(latency_ms, n=5, noise=0.005, seed=0, run=None, **facts):
    """Return ``n`` stable blocks around a latency."""
    rng = np.random.default_rng(seed)
    middles = latency_ms * np.exp(noise * rng.standard_normal(n))
    return [
        replace(RECORD, samples_ms=(float(ms),) * 9, block=block, run=run, **facts)
        for block, ms in enumerate(middles)
    ]
