"""Systems on chip as data: clusters, operating points, power, and what a core can compute."""

from runtime.soc.cores import CORES, CoreType
from runtime.soc.loader import list_profiles, load_profile
from runtime.soc.power import PowerFigure, power_mw
from runtime.soc.profile import Cluster, LeftOut, Opp, SocProfile
from runtime.soc.roofline import roofline_latency_ms

__all__ = [
    "CORES",
    "Cluster",
    "CoreType",
    "LeftOut",
    "Opp",
    "PowerFigure",
    "SocProfile",
    "list_profiles",
    "load_profile",
    "power_mw",
    "roofline_latency_ms",
]
