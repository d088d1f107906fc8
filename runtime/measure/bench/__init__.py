"""Measure a bundle on a target: interleaved blocks in random order, raw samples kept, resumable."""

from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.bench.choosing import choose_variants, default_log
from runtime.measure.bench.plan import Plan
from runtime.measure.bench.protocol import protocol
from runtime.measure.bench.rows import BenchRow, summarise
from runtime.measure.bench.run import bench

__all__ = [
    "BenchRow",
    "Plan",
    "bench",
    "choose_variants",
    "default_log",
    "open_bundle_or_model",
    "protocol",
    "summarise",
]
