"""Everything a machine shows of itself at one moment, in one reading."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from runtime.device.conditions import Conditions
from runtime.device.marker import find_marker
from runtime.device.meters.battery import read_battery
from runtime.device.meters.cooling import read_cooling
from runtime.device.meters.cpu_time import read_cpu_times, read_own_time_s, read_pressure_s, total
from runtime.device.meters.emulated import read_stolen_s
from runtime.device.meters.probe import time_probe_ms
from runtime.device.meters.temperature import read_temp_c
from runtime.device.sysfs import read_int, read_text


def read_conditions(
    root: Path = Path("/"),
    *,
    pid: int | None = None,
    cpus: Sequence[int] | None = None,
    policy: Path | None = None,
    with_counters: bool = True,
    probe: bool = False,
) -> Conditions:
    """Return what the machine does now.

    Args:
        pid: the process that is measured.
        cpus: it is pinned to; ``None``: any.
        policy: folder of the clock domain it runs in.
        with_counters: ``False`` leaves CPU time out, where part of it is not others' work.
        probe: time the probe too, before the counters are read.

    Example:
        >>> read_conditions(probe=True).probe_ms > 0
        True
    """
    probe_ms = time_probe_ms(cpus) if probe else None
    emulated = find_marker(root)
    # An emulated machine's /proc/stat is the host's, and part of the time in it makes the cores slow.
    hosts = cpus if emulated is None or cpus is None else emulated.map(cpus)
    stolen_s = 0.0 if emulated is None or not with_counters else read_stolen_s(emulated, root)
    times = read_cpu_times(root) if with_counters else {}
    own = read_own_time_s(pid, root) if with_counters and pid is not None else None
    used, everywhere = total(times, hosts), total(times)
    battery_pct, battery_status = read_battery(root)
    return Conditions(
        time_s=time.monotonic(),
        temp_c=read_temp_c(root),
        cooling=read_cooling(root),
        freq_khz=_khz(policy, "scaling_cur_freq"),
        max_freq_khz=_khz(policy, "scaling_max_freq"),
        governor=_text(policy, "scaling_governor"),
        cpus=None if cpus is None else tuple(cpus),
        n_cpus=len(times) or None,
        own_busy_s=None if own is None else own[0],
        own_wait_s=None if own is None or emulated else own[1],
        cpus_busy_s=None if used is None else used.busy_s - stolen_s,
        cpus_steal_s=None if used is None else used.steal_s,
        machine_busy_s=None if everywhere is None else everywhere.busy_s - stolen_s,
        machine_steal_s=None if everywhere is None else everywhere.steal_s,
        pressure_s=read_pressure_s(root) if with_counters and not emulated else None,
        battery_pct=battery_pct,
        battery_status=battery_status,
        probe_ms=probe_ms,
        edgekit_busy_s=None if own is None else time.process_time(),
    )


def _khz(policy: Path | None, name: str) -> int | None:
    return None if policy is None else read_int(policy / name)


def _text(policy: Path | None, name: str) -> str | None:
    return None if policy is None else read_text(policy / name)
