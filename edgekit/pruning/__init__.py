"""Pruning methods as training hooks, and the run that trains, prunes, removes and recovers."""

from edgekit.pruning.latency import paired_latencies_ms
from edgekit.pruning.one_shot import OneShotPruning
from edgekit.pruning.psfp import ProgressiveSoftFilterPruning, progressive_rate
from edgekit.pruning.run import METHODS, Cost, PruningReport, prune
from edgekit.pruning.sfp import SoftFilterPruning

__all__ = [
    "METHODS",
    "Cost",
    "OneShotPruning",
    "ProgressiveSoftFilterPruning",
    "PruningReport",
    "SoftFilterPruning",
    "paired_latencies_ms",
    "progressive_rate",
    "prune",
]
