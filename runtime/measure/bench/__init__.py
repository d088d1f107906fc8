"""Measure a bundle on a target: interleaved blocks in random order, raw samples kept, resumable."""

from runtime.measure.bench.choosing import choose_variants, default_log
from runtime.measure.bench.plan import BenchPlan
from runtime.measure.bench.protocol import protocol
from runtime.measure.bench.rows import BenchRow, frame_lines, summarise
from runtime.measure.bench.run import bench

__all__ = [
    "BenchPlan",
    "BenchRow",
    "bench",
    "choose_variants",
    "default_log",
    "frame_lines",
    "protocol",
    "summarise",
]
