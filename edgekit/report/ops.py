"""Where the time of a frame goes: by kind of op, from the workload; op by op, as a profiler saw it."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bundle.workload import Workload
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, modelled_latency_ms
from runtime.errors import DeviceStableError
from runtime.measure.profiling.profile import OpTime, Profile

_TOP = 10


@dataclass(frozen=True)
class KindShare:
    """All ops of one kind.

    Attributes:
        value: modelled latency in ms where a profile is known, else multiply-accumulates.
        share: of the whole frame, 0 to 1.
    """

    kind: str
    ops: int
    macs: int
    bytes_moved: int
    value: float
    share: float


def shares_by_kind(
    workload: Workload, precision: str, profile: SocProfile | None, setting: Setting | None
) -> tuple[list[KindShare], bool]:
    """Return the kinds of op, the most expensive first, and whether their values are modelled ms (else MACs).

    The model adds up op by op, so the latency of one kind is that of a workload of its ops alone.
    """
    kinds = {op.kind for op in workload.ops}
    parts = {kind: Workload(tuple(op for op in workload.ops if op.kind == kind)) for kind in kinds}
    values, is_latency = {kind: float(part.macs) for kind, part in parts.items()}, False
    if profile is not None and setting is not None:
        try:
            times = {k: modelled_latency_ms(part, profile, setting, precision) for k, part in parts.items()}
            values, is_latency = times, True
        except (DeviceStableError, ValueError):
            pass  # a core nothing is known of: the shares of the work still say something
    total = sum(values.values()) or 1.0
    shares = [
        KindShare(kind, len(part.ops), part.macs, part.bytes_moved, values[kind], values[kind] / total)
        for kind, part in parts.items()
    ]
    return sorted(shares, key=lambda share: (-share.value, share.kind)), is_latency


@dataclass(frozen=True)
class TopOps:
    """The ops of a profile that take longest, the longest first; ``rest_ms`` is what the others take."""

    profile: Profile
    top: tuple[OpTime, ...]
    rest_ms: float

    @property
    def longest_ms(self) -> float:
        """Return what the bars are shares of."""
        return max((op.median_ms for op in self.top), default=0.0) or 1.0


def top_ops(profile: Profile) -> TopOps:
    """Return the ten ops that take longest."""
    ops = sorted(profile.ops, key=lambda op: -op.median_ms)
    return TopOps(profile, tuple(ops[:_TOP]), sum(op.median_ms for op in ops[_TOP:]))
