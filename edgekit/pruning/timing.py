"""What an exported network was found to take."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.measure.interval import Interval


@dataclass(frozen=True)
class Timing:
    """What one exported network takes.

    Attributes:
        latency_ms, interval_ms: median and its 95 % interval, or of a modelled one its bounds.
        ratio, ratio_interval: to the whole network's latency, from blocks that took turns.
        verdict, reasons: whether to believe it, as ``edgekit bench`` has it.
        provenance, setting: how it came about: measured, modelled or emulated, and under what.
        file_bytes: size of the file.
        export_s, timing_s: what it took to know this.
    """

    latency_ms: float
    interval_ms: Interval
    ratio: float
    ratio_interval: Interval
    verdict: str
    reasons: tuple[str, ...]
    provenance: str
    setting: str
    file_bytes: int
    export_s: float
    timing_s: float
