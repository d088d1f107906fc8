"""What several sessions ask of shared clusters, merged. Pure arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from runtime.choose.decision import Row


def demanded_khz(rows: Iterable[Row | None]) -> dict[str, int]:
    """Return the clock of each cluster that sessions ask for: the most demanding one wins.

    Args:
        rows: what each session runs at; ``None`` and rows without a clock ask for none.

    Example:
        >>> slow = Row("a", "big", 600_000, 1, 9.0, 9.0, None, None)
        >>> demanded_khz([slow, None, slow._replace(freq_khz=900_000)])
        {'big': 900000}
    """
    wanted: dict[str, int] = {}
    for row in rows:
        if row is not None and row.freq_khz is not None:
            wanted[row.cluster] = max(row.freq_khz, wanted.get(row.cluster, 0))
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
