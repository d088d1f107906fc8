"""Dynamic blocks where they cost least: measured costs, a budget, and the choice of layers."""

from edgekit.search.placement.benefit import benefit_of
from edgekit.search.placement.budget import parse_budget
from edgekit.search.placement.choice import Placement, SiteChoice, choose_sites, dynamic_choices, place
from edgekit.search.placement.cost_table import CostTable, default_costs, load_costs
from edgekit.search.placement.for_run import place_for_run
from edgekit.search.placement.knapsack import best_subset
from edgekit.search.placement.paired import paired_engine_latencies_ms

__all__ = [
    "CostTable",
    "Placement",
    "SiteChoice",
    "benefit_of",
    "best_subset",
    "choose_sites",
    "default_costs",
    "dynamic_choices",
    "load_costs",
    "paired_engine_latencies_ms",
    "parse_budget",
    "place",
    "place_for_run",
]
