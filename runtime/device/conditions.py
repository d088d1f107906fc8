"""What a machine was doing around a measurement, as plain values that travel over a wire.

A ``Conditions`` is one moment. What others used between two moments is arithmetic on two of them,
so whoever reads a machine keeps no state and whoever judges opens no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """A machine at one moment; ``None`` (or an empty tuple) where it does not say.

    Attributes:
        time_s: clock of the machine that never goes back; every counter is read at this time.
        temp_c: hottest CPU or SoC zone.
        cooling: active cooling devices that slow the CPU, as ``type=state/most``.
        freq_khz: clock of the setting's cluster as the kernel shows it.
        max_freq_khz: limit in force on that clock; a thermal driver lowers it.
        governor: of that clock.
        cpus: that the work may run on, read back; ``None`` where it is not pinned.
        n_cpus: CPUs that are online in the machine.
        own_busy_s: CPU time the measured process has used, all threads.
        own_wait_s: time its threads were ready to run and stood in the queue.
        cpus_busy_s, cpus_steal_s: time ``cpus`` were busy for anyone, and held by a hypervisor.
        machine_busy_s, machine_steal_s: the same over all CPUs.
        pressure_s: time in which some task of the machine waited for a CPU (PSI ``some``).
        battery_pct, battery_status: as ``power_supply`` says: Charging, Discharging, Full, ...
        edgekit_busy_s: CPU time of the process that paces the work and reads the meters; it is
            not others' work either, and may run on ``cpus`` or elsewhere.
        probe_ms: a fixed piece of work on ``cpus``, the slowest of them; only when asked for.
    """

    time_s: float
    temp_c: float | None = None
    cooling: tuple[str, ...] = ()
    freq_khz: int | None = None
    max_freq_khz: int | None = None
    governor: str | None = None
    cpus: tuple[int, ...] | None = None
    n_cpus: int | None = None
    own_busy_s: float | None = None
    own_wait_s: float | None = None
    cpus_busy_s: float | None = None
    cpus_steal_s: float | None = None
    machine_busy_s: float | None = None
    machine_steal_s: float | None = None
    pressure_s: float | None = None
    battery_pct: float | None = None
    battery_status: str | None = None
    probe_ms: float | None = None
    edgekit_busy_s: float | None = None


@dataclass(frozen=True)
class Interference:
    """What everybody else did between two moments.

    Attributes:
        duration_s: between them.
        cpus_share: of the time of the CPUs the work ran on that others used, 0 to 1.
        machine_share: the same over all CPUs.
        wait_share: time the work's threads stood in the queue over the time they ran.
        steal_share: of the time of the CPUs it ran on that the hypervisor gave to other guests.
        pressure_share: of the time in which some task of the machine waited for a CPU.
    """

    duration_s: float
    cpus_share: float | None
    machine_share: float | None
    wait_share: float | None
    steal_share: float | None
    pressure_share: float | None


# /proc/stat shows ticks of 10 ms. The rounding of each CPU goes either way, so that of a sum
# grows with the square root of their number.
_TICK_S = 0.01


def interference(before: Conditions, after: Conditions) -> Interference:
    """Return what others used between two moments of one session.

    What can be rounding is taken off each sum of busy time.
    """
    span_s = max(after.time_s - before.time_s, 1e-9)
    own_s = _grown(before.own_busy_s, after.own_busy_s)
    ours_s = None if own_s is None else own_s + (_grown(before.edgekit_busy_s, after.edgekit_busy_s) or 0.0)
    wait_s = _grown(before.own_wait_s, after.own_wait_s)
    n_used = None if before.cpus is None else len(before.cpus)
    steal_s = _grown(before.cpus_steal_s, after.cpus_steal_s)
    stalled_s = _grown(before.pressure_s, after.pressure_s)
    used_s = _grown(before.cpus_busy_s, after.cpus_busy_s)
    everywhere_s = _grown(before.machine_busy_s, after.machine_busy_s)
    return Interference(
        duration_s=span_s,
        cpus_share=_others(used_s, ours_s, span_s, n_used),
        machine_share=_others(everywhere_s, ours_s, span_s, before.n_cpus),
        wait_share=None if wait_s is None or own_s is None else wait_s / max(own_s, 1e-9),
        steal_share=None if steal_s is None or not n_used else steal_s / (span_s * n_used),
        pressure_share=None if stalled_s is None else min(1.0, stalled_s / span_s),
    )


def _grown(before: float | None, after: float | None) -> float | None:
    """Return how far a counter came; a hot-plugged CPU can set one back, which is then unknown."""
    if before is None or after is None or after < before:
        return None
    return after - before


def _others(busy_s: float | None, own_s: float | None, span_s: float, n_cpus: int | None) -> float | None:
    if busy_s is None or own_s is None or not n_cpus:
        return None
    return min(1.0, max(0.0, busy_s - own_s - _TICK_S * math.sqrt(n_cpus)) / (span_s * n_cpus))
