"""A against B: two bundles, or two files of records; which is faster, and how sure that is."""

from runtime.measure.compare.difference import Difference, compare
from runtime.measure.compare.gate import check_energy, check_memory, check_slowdown
from runtime.measure.compare.gestures import GestureDifference, check_fps, compare_gestures
from runtime.measure.compare.measuring import measure_both, shared_variants

__all__ = [
    "Difference",
    "GestureDifference",
    "check_energy",
    "check_fps",
    "check_memory",
    "check_slowdown",
    "compare",
    "compare_gestures",
    "measure_both",
    "shared_variants",
]
