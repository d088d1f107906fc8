"""Systems on chip as data: clusters, operating points, power, and what a core can compute."""

from runtime.device.soc.cores import CORES, CoreType
from runtime.device.soc.latency_model import (
    ModelledLatency,
    bounds_basis,
    modelled_frame,
    modelled_latency,
    modelled_latency_ms,
)
from runtime.device.soc.loader import list_profiles, load_profile
from runtime.device.soc.power import PowerFigure, has_power, power_mw, rail_of, setting_power
from runtime.device.soc.profile import Cluster, LeftOut, Opp, SocProfile

__all__ = [
    "CORES",
    "Cluster",
    "CoreType",
    "LeftOut",
    "ModelledLatency",
    "Opp",
    "PowerFigure",
    "SocProfile",
    "bounds_basis",
    "has_power",
    "list_profiles",
    "load_profile",
    "modelled_frame",
    "modelled_latency",
    "modelled_latency_ms",
    "power_mw",
    "rail_of",
    "setting_power",
]
