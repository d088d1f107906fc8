"""A limit of latency: how long an exported network may take, on which machine and engine."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from runtime.bundle import ENGINES

_WRITTEN = re.compile(r"\s*([0-9.]+(?:[eE][-+]?\d+)?)\s*(ms|%)\s*")


@dataclass(frozen=True)
class LatencyLimit:
    """What an exported network may take; exactly one of ``ms`` and ``share`` is given.

    Attributes:
        ms: milliseconds of a frame.
        share: of the whole network's latency, below 1.
        target: where: see ``runtime.targets.open_target``.
        engine: that runs it: ``litert`` or ``executorch``.
        cluster: whose cores run it, at their fastest clock; default: the fastest cluster.
        threads: of the engine.

    Raises:
        ValueError: a value is out of range, or there is not exactly one.
    """

    ms: float | None = None
    share: float | None = None
    target: str = "local"
    engine: str = "litert"
    cluster: str | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if (self.ms is None) == (self.share is None):
            raise ValueError("a latency is given in ms or as a share; give one of the two")
        if self.ms is not None and not 0 < self.ms < math.inf:
            raise ValueError(f"the latency is {self.ms} ms; it must be above 0")
        if self.share is not None and not 0 < self.share < 1:
            raise ValueError(
                f"the latency is {self.share:.0%} of the network's own; it must be above 0 and below 100 %"
            )
        if self.engine not in ENGINES:
            raise ValueError(f"engine is {self.engine!r}; allowed: {', '.join(ENGINES)}")
        if self.threads < 1:
            raise ValueError(f"threads is {self.threads}; it must be at least 1")

    def __str__(self) -> str:
        amount = f"{self.ms:g} ms" if self.ms is not None else f"{self.share:.0%} of the latency"
        return f"{amount} on {self.target}"


def parse_latency(value: object) -> dict[str, float]:
    """Return ``ms`` or ``share`` as written: 12ms, or 60% of the network's own.

    Raises:
        ValueError: it is neither.

    Example:
        >>> parse_latency("12ms"), parse_latency("60%")
        ({'ms': 12.0}, {'share': 0.6})
    """
    found = _WRITTEN.fullmatch(str(value))
    try:
        number = float(found[1]) if found else 0.0
    except ValueError:
        number = 0.0
    if found is None or not 0 < number < math.inf:
        raise ValueError(f"{str(value)!r} is no latency; write 12ms, or 60% of the network's own")
    return {"ms": number} if found[2] == "ms" else {"share": number / 100}
