"""A against B: two bundles, or two files of records; which is faster, and how sure that is."""

from runtime.measure.compare.difference import Difference, compare
from runtime.measure.compare.gate import check_memory, check_slowdown
from runtime.measure.compare.measuring import measure_both, shared_variants

__all__ = ["Difference", "check_memory", "check_slowdown", "compare", "measure_both", "shared_variants"]
