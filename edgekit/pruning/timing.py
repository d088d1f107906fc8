"""What an exported network was found to take."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.measure.interval import Interval


@dataclass(frozen=True)
class Timing:
    """What one exported network takes.

    Attributes:
        latency_ms, interval_ms: median and its 95 % interval, or of a modelled one its bounds.
        ratio, ratio_interval: to the whole network's latency: of the quieter frames of blocks that
            took turns.
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


@dataclass(frozen=True)
class LatencyResult:
    """How a limit of latency was met; stored in the checkpoint.

    Attributes:
        limit_ms: what was allowed.
        before, after: of the whole network, and of what is left of it, exported before it was trained.
        used: share of the limit that is taken.
        exports, duration_s: what the search cost.
    """

    limit_ms: float
    target: str
    engine: str
    before: Timing
    after: Timing
    used: float
    exports: int
    duration_s: float
    warnings: tuple[str, ...] = ()
