"""A SoC of two small clusters with round numbers, and one lane of frames on it."""

import numpy as np

from runtime.choose.simulation import Frames, Platform, periodic


def platform(**changes) -> Platform:
    """Little: 250, 500 MHz (capacity 128, 256); big: 500, 750, 1000 MHz (512, 768, 1024)."""
    return Platform(
        **{
            "name": "toy",
            "cluster_names": ("little", "big"),
            "cluster": np.array([0, 0, 1, 1, 1]),
            "freq_khz": np.array([250_000, 500_000, 500_000, 750_000, 1_000_000]),
            "capacity": np.array([128.0, 256.0, 512.0, 768.0, 1024.0]),
            "power_mw": np.array([20.0, 50.0, 200.0, 450.0, 1000.0]),
            "top_khz": 1_000_000,
            "transition_ms": 0.0,
        }
        | changes
    )


def frames(*work: float, fps: float = 50.0) -> Frames:
    """Frames of ``work`` megacycles: so many ms at the fastest point."""
    return periodic(np.array([work]), fps)
