"""What several sessions ask of shared clusters, merged. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

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
