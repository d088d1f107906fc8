"""Power of a cluster's cores at a clock: measured where it is, else filled in and labelled so."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.device.provenance import Provenance, least_certain, provenance_of
from runtime.device.setting import Setting
from runtime.device.soc.account import Rail
from runtime.device.soc.profile import Cluster, PowerBasis, SocProfile
from runtime.device.soc.unmeasured import fill
from runtime.errors import DeviceStableError

COEFFICIENT_LABEL = "modelled: device-tree coefficient, C f V^2 (7-68 % off measured power)"


@dataclass(frozen=True)
class Assumed:
    """What of a cluster's power is assumed, where its profile does not say.

    Attributes:
        up_share: of the time that the cluster is up anyway; ``None``: always the one with the first CPU,
            which keeps house, never another.
        idle_share: what the idle cluster takes powered over collapsed, of what one core adds at the slowest
            clock: 0.1 to 0.4 on the rails of Google's SoCs (freqbench). Nominally none: a net table then adds
            what was measured, from idle to busy.
        further_share: what each further busy core adds to the first one's power. By the tables of five
            clusters 0.58 to 0.97 (Linux' sched-energy: RK3399, Juno, hi6220), 0.52 on the Odroid XU3's A15
            rail, whose first core carries the idle cluster, too.
    """

    up_share: float | None = None
    idle_share: float = 0.0
    further_share: float = 0.8


NOMINAL = Assumed()
# Between these lies what a cluster may truly take, as far as is known.
CORNERS = tuple(Assumed(*each) for each in itertools.product((0.0, 1.0), (0.0, 0.4), (0.52, 0.97)))
ASSUMED = (
    "assumed where the profile does not say: an idle cluster takes nothing over the idle device and "
    "collapses at once, but that of the first CPU never does; each further core adds "
    f"{NOMINAL.further_share:.0%}"
)


@dataclass(frozen=True)
class PowerFigure:
    """Power in mW and where the figure comes from.

    Attributes:
        power_mw: what the work adds to the power of a device that stays awake, unless ``is_gross``.
        source: where it comes from.
        corners_mw: what it may be by all that is known, under each of ``CORNERS``; empty where nothing of it
            is assumed.
        is_gross: whether something of the idle device is in it that nobody read.
        basis: where it was measured, ``None`` where that is not known.
    """

    power_mw: float
    source: str
    corners_mw: tuple[float, ...] = ()
    is_gross: bool = False
    basis: PowerBasis | None = None

    @property
    def counted(self) -> str | None:
        """What the figure counts, and where; ``None`` where nobody said."""
        return f"net at the {self.basis}" if self.basis else None

    @property
    def provenance(self) -> Provenance:
        """How the figure came about."""
        return provenance_of(self.source)


def power_mw(cluster: Cluster, freq_khz: int, threads: int = 1, assumed: Assumed = NOMINAL) -> PowerFigure:
    """Return what ``threads`` busy cores of ``cluster`` at ``freq_khz`` add to a device that stays awake.

    The table's row, else what ``runtime.device.soc.unmeasured`` makes of the other rows; without any the
    device tree's C f V^2. See ``runtime.device.soc.account`` for what is counted.

    Args:
        cluster: from a SoC profile.
        freq_khz: one of the cluster's clocks; of several clusters as one, see ``Cluster.members``.
        threads: busy cores, at most the cluster's CPUs.
        assumed: what the profile leaves open.

    Raises:
        ValueError: not a clock of the cluster, or more threads than it has CPUs.
        DeviceStableError: neither power nor voltage is published for this cluster.

    Example:
        >>> from runtime.device.soc import load_profile
        >>> round(power_mw(load_profile("gs101").cluster("little"), 300000).power_mw, 2)
        17.08
    """
    if not 1 <= threads <= len(cluster.cpus):
        raise ValueError(f"threads is {threads}; allowed on {cluster.name!r}: 1 to {len(cluster.cpus)}")
    if cluster.members:
        return _of_members(cluster, freq_khz, threads, assumed)
    source = _source(cluster, freq_khz)
    if threads > 1:
        known = cluster.further_core_share
        share = assumed.further_share if known is None else known
        whose = "assumed, 52-97 %" if known is None else "its own table"
        source = f"{source}; each further core +{100 * share:.0f} % ({whose})"
    return PowerFigure(
        rail_of(cluster, assumed).work_mw(freq_khz, threads),
        source,
        corners_mw=tuple(rail_of(cluster, corner).work_mw(freq_khz, threads) for corner in CORNERS),
        is_gross=cluster.power_kind == "gross" and all(opp.idle_mw is None for opp in cluster.opps),
        basis=cluster.power_basis,
    )


def _of_members(cluster: Cluster, freq_khz: int, threads: int, assumed: Assumed) -> PowerFigure:
    """Return the sum over clusters that are used as one, each at its clock that is nearest."""
    figures = [
        power_mw(part, part.nearest_khz(freq_khz), count, assumed) for part, count in cluster.shares(threads)
    ]
    sources = list(dict.fromkeys(figure.source for figure in figures))
    if len(sources) > 1:
        kind = least_certain(figure.provenance for figure in figures)
        sources = [f"{kind}: the sum of {len(figures)} clusters ({'; '.join(sources)})"]
    return PowerFigure(
        sum(figure.power_mw for figure in figures),
        sources[0],
        corners_mw=tuple(map(sum, zip(*(figure.corners_mw for figure in figures), strict=True))),
        is_gross=any(figure.is_gross for figure in figures),
        basis=figures[0].basis,
    )


def setting_power(profile: SocProfile, setting: Setting) -> PowerFigure | None:
    """Return the power of a setting of a SoC; ``None`` where it is unknown, or no match for the others'.

    Raises:
        ValueError: the SoC has no such cluster or clock, or too few CPUs.
    """
    cluster = profile.cluster(setting.cluster)
    if profile.unlike_bases or not has_power(cluster):
        return None
    return power_mw(cluster, setting.freq_khz or cluster.opps[-1].freq_khz, setting.threads)


def has_power(cluster: Cluster) -> bool:
    """Return whether the power of any clock of the cluster is known; then ``rail_of`` has it at each."""
    return all(_known_mw(part) for part in cluster.parts)


@functools.lru_cache(maxsize=1024)
def rail_of(cluster: Cluster, assumed: Assumed = NOMINAL) -> Rail:
    """Return the account of a cluster's supply, at each of its clocks.

    Args:
        assumed: what the profile leaves open.

    Raises:
        DeviceStableError: no power is known for any clock.
    """
    known_mw = _known_mw(cluster)
    table_mw = {opp.freq_khz: _at(cluster, known_mw, opp.freq_khz) for opp in cluster.opps}
    is_gross, collapsed_mw = cluster.power_kind == "gross", cluster.collapsed_mw or 0.0
    read_idle_mw = {opp.freq_khz: opp.idle_mw for opp in cluster.opps if opp.idle_mw is not None}
    if read_idle_mw:
        idle_mw = {khz: _nearest(read_idle_mw, khz) for khz in table_mw}
    else:
        share = assumed.idle_share / (1.0 + assumed.idle_share) if is_gross else assumed.idle_share
        idle_mw = dict.fromkeys(table_mw, collapsed_mw + share * table_mw[min(table_mw)])
    # What a net table is over: the idle cluster that was read with it, be it powered or collapsed.
    is_over_collapsed = cluster.collapsed_mw is not None and not read_idle_mw
    under_mw = dict.fromkeys(table_mw, collapsed_mw) if is_over_collapsed else idle_mw
    further = assumed.further_share if cluster.further_core_share is None else cluster.further_core_share
    keeps_house = 1.0 if 0 in cluster.cpus else 0.0
    return Rail(
        busy_mw={khz: mw if is_gross else mw + under_mw[khz] for khz, mw in table_mw.items()},
        further_mw={khz: further * mw for khz, mw in table_mw.items()},
        idle_mw=idle_mw,
        collapsed_mw=collapsed_mw,
        up_share=keeps_house if assumed.up_share is None else assumed.up_share,
    )


def _known_mw(cluster: Cluster) -> dict[int, float]:
    """Return the table's powers by clock; without any the device tree's."""
    measured = {opp.freq_khz: opp.power_mw for opp in cluster.opps if opp.power_mw}
    if measured or cluster.power_coefficient is None:
        return measured
    return {
        opp.freq_khz: cluster.power_coefficient * opp.freq_khz / 1e6 * (opp.voltage_uv / 1e6) ** 2
        for opp in cluster.opps
        if opp.voltage_uv
    }


def _at(cluster: Cluster, known_mw: Mapping[int, float], freq_khz: int) -> float:
    if freq_khz in known_mw:
        return known_mw[freq_khz]
    filled = fill(known_mw, freq_khz)
    if filled is None:
        raise DeviceStableError(
            f"no power is known for {cluster.name}: none of its clocks was measured, and the device tree "
            "gives no power_coefficient with voltages; add power_mw to a profile of your own (PATH.toml)"
        )
    return filled.power_mw


def _source(cluster: Cluster, freq_khz: int) -> str:
    cluster.opp(freq_khz)
    known_mw = _known_mw(cluster)
    is_measured = any(opp.power_mw for opp in cluster.opps)
    whose = str(cluster.power_source) if is_measured else COEFFICIENT_LABEL
    filled = None if freq_khz in known_mw else fill(known_mw, freq_khz)
    if filled is None:
        return whose
    return f"modelled: {filled.how} of {whose.removeprefix('modelled: ')}"


def _nearest(read_mw: Mapping[int, float], freq_khz: int) -> float:
    return read_mw[min(read_mw, key=lambda khz: abs(khz - freq_khz))]
