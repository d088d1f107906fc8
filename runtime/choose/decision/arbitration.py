"""What several sessions ask of shared clusters, merged. Pure arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from runtime.choose.policy.estimate import Estimate


def demanded_khz(rows: Iterable[Estimate | None]) -> dict[str, int]:
    """Return the clock of each cluster that sessions ask for: the most demanding one wins.

    Args:
        rows: what each session runs at; ``None`` and rows without a clock ask for none.

    Example:
        >>> from runtime.device.setting import Setting
        >>> slow = Estimate("a", Setting("big", 600_000), 9.0, 9.0, 9.0, None, None)
        >>> fast = Estimate("a", Setting("big", 900_000), 6.0, 6.0, 6.0, None, None)
        >>> demanded_khz([slow, None, fast])
        {'big': 900000}
    """
    wanted: dict[str, int] = {}
    for row in rows:
        if row is not None and row.setting.freq_khz is not None:
            cluster, freq_khz = row.setting.cluster, row.setting.freq_khz
            wanted[cluster] = max(freq_khz, wanted.get(cluster, 0))
    return wanted


def place(cpus: Sequence[int], threads: int, taken: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Return ``threads`` of a cluster's CPUs: those that the fewest other sessions use, the last first.

    The first CPU of a machine does the kernel's housekeeping.

    Args:
        taken: CPUs of each other session.

    Example:
        >>> place((4, 5, 6, 7), 1, []), place((4, 5, 6, 7), 2, [(7,)]), place((4,), 2, [])
        ((7,), (5, 6), (4,))
    """
    users = Counter(cpu for each in taken for cpu in each)
    ordered = sorted(cpus, key=lambda cpu: (users[cpu], -cpu))
    return tuple(sorted(ordered[: max(1, threads)]))
