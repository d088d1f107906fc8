"""The rows that a governor may change to while work runs: of a policy, or of the SoC alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.isotone import falling
from runtime.choose.policy.estimate import Estimate
from runtime.choose.policy.policy import Policy
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure, SocProfile
from runtime.device.soc.account import work_mj
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.errors import BundleError, DeviceStableError

# Over a scaled latency, until frames have shown how they scatter: work differs from one to the next. Less
# would have the first frames late, more begin at a faster clock than needed.
_BOUND = 1.1


def policy_rows(policy: Policy, profile: SocProfile, threads: int | None = None) -> DecisionTable:
    """Return the rows of ``policy`` that a process which has its variant loaded can change to.

    Their order is the policy's. Latencies that rise with the clock are the bench's scatter: see ``isotone``.

    Args:
        profile: of the machine that is to be governed.
        threads: of the process's pool; default: the policy's.

    Raises:
        BundleError: the policy is for another device: the machine has no such cluster or clock.
    """
    count = threads or policy.setting.threads
    table = DecisionTable.from_policy(policy, policy.variant)
    rows = tuple(row for row in table.rows if row.setting.threads == count)
    if not rows:
        known = ", ".join(str(n) for n in sorted({row.setting.threads for row in table.rows}))
        raise ValueError(f"the policy has no setting with {count} threads; choose one of: {known}")
    for row in rows:
        try:
            cluster = profile.cluster(row.setting.cluster)
            if row.setting.freq_khz is not None:
                cluster.opp(row.setting.freq_khz)
        except ValueError as err:
            raise BundleError(
                f"the policy of {policy.model} for {policy.target} is for another device: {err}; "
                "bench and tune on this one"
            ) from err
    return DecisionTable(_monotone(rows), table.over_mw)


def _monotone(rows: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    """Return the rows, in their order, with latencies that fall with the clock on each cluster."""
    found = list(rows)
    for cluster in dict.fromkeys(row.setting.cluster for row in rows):
        ladder = sorted(
            (row.setting.freq_khz, index)
            for index, row in enumerate(rows)
            if row.setting.cluster == cluster and row.setting.freq_khz is not None
        )
        clocks_khz, places = [khz for khz, _ in ladder], [index for _, index in ladder]
        typical_ms = falling(clocks_khz, [rows[index].latency_ms for index in places])
        highest_ms = falling(clocks_khz, [rows[index].latency_high_ms for index in places])
        for index, latency_ms, high_ms in zip(places, typical_ms, highest_ms, strict=True):
            low_ms = min(rows[index].latency_low_ms, latency_ms)
            found[index] = replace(
                rows[index], latency_ms=latency_ms, latency_low_ms=low_ms, latency_high_ms=high_ms
            )
    return tuple(found)


def capacity_rows(
    profile: SocProfile, power: Callable[[Setting], PowerFigure | None], settings: tuple[Setting, ...]
) -> DecisionTable:
    """Return rows for work nobody has measured: latency goes as 1 / capacity of the core at its clock.

    It is that of a frame that takes 1 ms on the fastest core, right only relative to one another. Rows are
    ordered by energy of a frame; where no power is known, by capacity: the least that is in time.

    Args:
        power: of a setting while busy.
        settings: that the machine can be asked for.

    Raises:
        DeviceStableError: the machine shows no clocks to choose from.
    """
    rows = []
    for setting in settings:
        if setting.freq_khz is None or setting.threads != 1:
            continue
        latency_ms = FULL_CAPACITY / profile.capacity(setting.cluster, setting.freq_khz)
        figure = power(setting)
        power_mw = None if figure is None else figure.power_mw
        energy_mj = None if power_mw is None else work_mj(power_mw, latency_ms)
        rows.append(Estimate("", setting, latency_ms, latency_ms, latency_ms * _BOUND, power_mw, energy_mj))
    if not rows:
        raise DeviceStableError(
            f"{profile.name} shows no clocks that may be set: there is nothing to govern; see edgekit doctor"
        )
    if any(row.energy_mj is None for row in rows):  # a part of them cannot be compared with the others
        return DecisionTable(tuple(sorted(rows, key=lambda row: -row.latency_ms)))
    rows.sort(key=lambda row: (row.energy_mj, row.setting.freq_khz))
    return DecisionTable(tuple(rows), over_mw=0.0)
