"""Pruning methods as training hooks, and the run that trains, prunes, removes and recovers."""

from edgekit.pruning import (  # noqa: F401 (they register)
    from_scratch,
    importance,
    increg,
    one_shot,
    psfp,
    regularised,
    sfp,
    spp,
    stripe,
)
from edgekit.pruning.budget import AMOUNTS, Budget
from edgekit.pruning.from_file import amount_of, prune_start, read_pruning, train_by_file
from edgekit.pruning.how import Pruning
from edgekit.pruning.latency import paired_latencies_ms
from edgekit.pruning.latency_limit import LatencyLimit, parse_latency
from edgekit.pruning.method import METHODS, Allocation, PruningMethod, make_method
from edgekit.pruning.rates import load_rates
from edgekit.pruning.report import Cost, PruningReport
from edgekit.pruning.run import prune, train_and_prune
from edgekit.pruning.sensitivity import RATIOS, Scan, scan
from edgekit.pruning.timing import LatencyResult

__all__ = [
    "AMOUNTS",
    "METHODS",
    "RATIOS",
    "Allocation",
    "Budget",
    "Cost",
    "LatencyLimit",
    "LatencyResult",
    "Pruning",
    "PruningMethod",
    "PruningReport",
    "Scan",
    "amount_of",
    "load_rates",
    "make_method",
    "paired_latencies_ms",
    "parse_latency",
    "prune",
    "prune_start",
    "read_pruning",
    "scan",
    "train_and_prune",
    "train_by_file",
]
