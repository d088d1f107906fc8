"""Pruning: methods as training hooks, one plan, one physical removal."""

from edgekit.models.surgery.groups import ChannelGraph, PrunableConv, Removal
from edgekit.models.surgery.plan import ChannelPlan, compose_plans, removable_channels
from edgekit.models.surgery.removal import mask_channels, physically_remove
from edgekit.pruning.latency import paired_latencies_ms
from edgekit.pruning.one_shot import OneShotPruning
from edgekit.pruning.psfp import ProgressiveSoftFilterPruning, progressive_rate
from edgekit.pruning.run import METHODS, Cost, PruningReport, prune
from edgekit.pruning.sfp import SoftFilterPruning

__all__ = [
    "METHODS",
    "ChannelGraph",
    "ChannelPlan",
    "Cost",
    "OneShotPruning",
    "ProgressiveSoftFilterPruning",
    "PrunableConv",
    "PruningReport",
    "Removal",
    "SoftFilterPruning",
    "compose_plans",
    "mask_channels",
    "paired_latencies_ms",
    "physically_remove",
    "progressive_rate",
    "prune",
    "removable_channels",
]
