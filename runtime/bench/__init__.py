"""Measure a bundle on a target: interleaved blocks in random order, raw samples kept, resumable."""

from runtime.bench.choosing import choose_variants, default_log
from runtime.bench.plan import Plan
from runtime.bench.protocol import protocol
from runtime.bench.rows import BenchRow, summarise
from runtime.bench.run import bench
from runtime.model_file import open_bundle_or_model

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
