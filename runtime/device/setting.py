"""A setting: which cores, at which clock, with how many threads."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_THREADS = 4096
_MOST_KHZ = 100_000_000  # 100 GHz: what is above was never read from a machine


@dataclass(frozen=True, order=True)
class Setting:
    """Where and how fast work runs.

    Attributes:
        cluster: name of the cluster, as the target's SoC profile calls it; ``mid+big``: both as one, see
            ``runtime.device.soc.span``.
        freq_khz: clock of the cluster in kHz, of several the fastest one's; ``None`` leaves it to the kernel.
        threads: worker threads, one per core of the cluster.
    """

    cluster: str
    freq_khz: int | None
    threads: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= _MOST_THREADS:
            raise ValueError(f"threads is {self.threads}; it must be at least 1, at most {_MOST_THREADS}")
        if self.freq_khz is not None and not 0 < self.freq_khz <= _MOST_KHZ:
            raise ValueError(
                f"freq_khz is {self.freq_khz}; it must be 1 to {_MOST_KHZ}, or None (kernel's choice)"
            )

    def __str__(self) -> str:
        clock = "kernel clock" if self.freq_khz is None else f"{self.freq_khz / 1000:g} MHz"
        return f"{self.cluster} @ {clock} x{self.threads}"
