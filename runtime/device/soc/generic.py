"""Profiles of SoCs that nobody described: cores by type, count and clocks, as a data sheet lists them."""

from __future__ import annotations

import re

from runtime.device.soc.cores import CORES
from runtime.device.soc.profile import Cluster, Opp, SocProfile

PREFIX = "generic:"
EXAMPLE = "generic:4xcortex-a55@1800+4xcortex-a76@2400"
_CLUSTER = re.compile(r"(\d{1,3})x([a-z0-9-]{1,40})@(\d{2,5}(?:,\d{2,5})*)")
_NAMES = {1: ("cpu",), 2: ("little", "big"), 3: ("little", "mid", "big")}
_MOST_CPUS = 256


def cluster_names(count: int) -> tuple[str, ...]:
    """Return what ``count`` clusters are called, slowest first."""
    return _NAMES.get(count) or tuple(f"cluster{i}" for i in range(count))


def generic_profile(name: str) -> SocProfile:
    """Return the SoC that ``name`` describes: clusters, slowest first, joined by +.

    Each is COUNTxCORE@MHZ[,MHZ...]. A latency depends on no more; power is unknown.

    Raises:
        ValueError: it is not such a name, or has a core of which no speed is known.

    Example:
        >>> little, big = generic_profile("generic:2xcortex-a55@1800+1xa76@1200,2400").clusters
        >>> little.cpus, big.core, big.max_khz
        ((0, 1), 'cortex-a76', 2400000)
    """
    parts = name.removeprefix(PREFIX).split("+")
    clusters: list[Cluster] = []
    for part, called in zip(parts, cluster_names(len(parts)), strict=True):
        found = _CLUSTER.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} of {name!r} is no cluster; write {EXAMPLE}: cores x type @ MHz")
        first = sum(len(cluster.cpus) for cluster in clusters)
        cpus = tuple(range(first, first + int(found[1])))
        if not cpus or cpus[-1] >= _MOST_CPUS:
            raise ValueError(f"{name!r} has {len(cpus) + first} CPUs; 1 to {_MOST_CPUS} are allowed")
        clocks = sorted({int(mhz) * 1000 for mhz in found[3].split(",")})
        clusters.append(Cluster(called, _core(found[2]), cpus, tuple(Opp(khz) for khz in clocks)))
    return SocProfile(
        name, "generic, by its cores", "no board", tuple(clusters), ("as given on the command line",)
    )


def _core(text: str) -> str:
    core = text if text in CORES else f"cortex-{text}"
    if core not in CORES:
        raise ValueError(f"nothing is known of cores of type {text!r}; known: {', '.join(CORES)}")
    return core
