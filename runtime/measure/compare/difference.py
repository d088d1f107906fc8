"""How two sets of records differ: a ratio, its interval, and a word one may rely on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.device.meters.memory import most_memory
from runtime.device.setting import Setting
from runtime.measure.compare.matching import Matched, match
from runtime.measure.energy_basis import unlike_energies
from runtime.measure.interval import Interval, paired_ratio, unpaired_ratio
from runtime.measure.origin import origin_of
from runtime.measure.records import Record
from runtime.measure.verdict import MAX_PROBE_SHARE, MORE_BLOCKS, distinct

FASTER, SLOWER, SAME, UNKNOWN = "faster", "slower", "no difference", "cannot tell"
# An interval inside +-5 % that holds 1 is called no difference: two stable benches of the same may differ by
# that much (runtime/measure/verdict.py).
RESOLUTION = 0.05
_MIN_BLOCKS = 2  # one says nothing of how far the next would be off


@dataclass(frozen=True)
class Difference:
    """B against A for one variant under one setting.

    Attributes:
        a_variant, b_variant: the same name, unless each side has only one.
        setting: of both.
        fps_target: pace of both; ``None``: back to back.
        a_ms, b_ms: medians of the stable blocks (of all, where fewer than two are stable).
        ratio: b / a; above 1, B is slower.
        interval: 95 % interval of the ratio; ``None`` where blocks are too few.
        energy_ratio, energy_interval: the same for the energy of a frame, where both have one.
        blocks: stable blocks of A and of B that were compared, or pairs of them.
        verdict: ``faster`` (B than A), ``slower``, ``no difference`` or ``cannot tell``.
        reasons: why it is unknown, or what the verdict stands on.
        memory_ratio: most memory that came with B's model over that of A's, where both tell.
        advice: what to do where it is unknown.
    """

    a_variant: str
    b_variant: str
    setting: Setting
    fps_target: float | None
    a_ms: float
    b_ms: float
    ratio: float
    interval: Interval | None
    energy_ratio: float | None
    energy_interval: Interval | None
    blocks: tuple[int, int]
    verdict: str
    reasons: tuple[str, ...]
    advice: tuple[str, ...] = ()
    memory_ratio: float | None = None

    @property
    def variant(self) -> str:
        """The name both share, or both names."""
        return self.a_variant if self.a_variant == self.b_variant else f"{self.a_variant} -> {self.b_variant}"

    @property
    def change(self) -> str:
        """``ratio`` with its interval, in percent: ``+3.1 % (+2.0 to +4.2)``."""
        return _percent(self.ratio, self.interval)

    @property
    def energy_change(self) -> str | None:
        """``energy_ratio`` with its interval, in percent; ``None`` without energy."""
        return None if self.energy_ratio is None else _percent(self.energy_ratio, self.energy_interval)

    @property
    def memory_change(self) -> str | None:
        """``memory_ratio`` in percent; ``None`` where it is unknown."""
        return None if self.memory_ratio is None else _percent(self.memory_ratio, None)


def compare(a: Sequence[Record], b: Sequence[Record]) -> list[Difference]:
    """Return how ``b`` differs from ``a``, for everything both have measured.

    Blocks that ran side by side are compared in pairs, which cancels what slowed both; others by
    Welch's test on the logarithms of the blocks' medians. Unstable blocks take no part.

    Raises:
        ValueError: nothing matches, or a side mixes targets.

    Example:
        >>> compare(list(RecordLog("a.jsonl")), list(RecordLog("b.jsonl")))    # doctest: +SKIP
    """
    return [_difference(matched) for matched in match(a, b)]


def _difference(matched: Matched) -> Difference:
    a, b = matched.stable()
    unlike = unlike_energies((*matched.a, *matched.b))
    is_modelled = all(record.is_modelled for record in (*matched.a, *matched.b))
    reasons, advice = ((), ()) if is_modelled else _doubts(matched, a, b)
    few = min(len(a), len(b)) < (1 if is_modelled else _MIN_BLOCKS)
    shown_a, shown_b = (matched.a, matched.b) if few else (a, b)
    a_ms, b_ms = (float(np.median([r.latency_ms for r in side])) for side in (shown_a, shown_b))
    ratio, interval = b_ms / a_ms, None
    if is_modelled:
        interval = Interval(ratio, ratio)
    elif not few:
        ratio, interval = _ratio_of([r.latency_ms for r in a], [r.latency_ms for r in b], matched.is_paired)
    energy_ratio, energy_interval = (None, None) if unlike else _energy(a, b, matched.is_paired, is_modelled)
    verdict = _word(interval)
    if reasons:
        verdict = UNKNOWN
    elif verdict == UNKNOWN and interval is not None:
        reasons = (f"the change may be anything from {_span(interval)} %",)
        advice = (MORE_BLOCKS,)
    elif is_modelled:
        reasons = ("modelled: the same each time, with the error of the model",)
    else:
        reasons = (
            f"{len(a)} pairs of blocks" if matched.is_paired else f"{len(a)} and {len(b)} blocks, apart",
        )
    first_a, first_b = matched.a[0], matched.b[0]
    reasons += _upgraded(first_a, first_b) + ((unlike,) if unlike else ())
    return Difference(
        a_variant=first_a.variant,
        b_variant=first_b.variant,
        setting=first_a.setting,
        fps_target=first_a.fps_target,
        a_ms=a_ms,
        b_ms=b_ms,
        ratio=ratio,
        interval=interval,
        energy_ratio=energy_ratio,
        energy_interval=energy_interval,
        blocks=(len(a), len(b)),
        verdict=verdict,
        reasons=reasons,
        advice=advice,
        memory_ratio=_memory_ratio(matched),
    )


def _upgraded(a: Record, b: Record) -> tuple[str, ...]:
    """Say that the two sides ran on other versions, which the change includes."""
    versions = [(at.engine, at.kernel) for at in (origin_of(a), origin_of(b))]
    if a.target != b.target or a.engine != b.engine or versions[0] == versions[1]:
        return ()
    told = (", ".join(filter(None, pair)) or "unknown versions" for pair in versions)
    return ("A ran on {}, B on {}".format(*told),)


def _doubts(
    matched: Matched, a: Sequence[Record], b: Sequence[Record]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return why the two cannot be compared, and what to do."""
    for name, stable, every in (("A", a, matched.a), ("B", b, matched.b)):
        if len(stable) < _MIN_BLOCKS:
            both = (*matched.a, *matched.b) if matched.is_paired else every
            unstable = [record for record in both if record.verdict == "unstable"]
            if not unstable:
                few = f"{name} has {len(every)} block, which says nothing about the next one"
                return (few,), (MORE_BLOCKS,)
            why = distinct(reason for record in unstable for reason in record.reasons)
            advice = distinct(what for record in unstable for what in record.advice)
            what = "pairs of blocks" if matched.is_paired else f"blocks of {name}"
            head = f"{len(stable)} of {len(every)} {what} are stable, {_MIN_BLOCKS} are needed"
            return (f"{head}: {'; '.join(why)}",), advice
    if matched.is_paired:
        return (), ()
    probes = [[ms for record in side for ms in record.probes_ms] for side in (a, b)]
    if a[0].device == b[0].device and all(probes):
        slower = float(np.median(probes[1]) / np.median(probes[0])) - 1
        if abs(slower) > MAX_PROBE_SHARE:
            which = "slower" if slower > 0 else "faster"
            return (
                f"the machine itself was {abs(slower):.0%} {which} at a fixed task when B was measured",
            ), ("compare the two bundles in one run: edgekit compare A B --target ...",)
    return (), ()


def _ratio_of(a: Sequence[float], b: Sequence[float], is_paired: bool) -> tuple[float, Interval]:
    return paired_ratio(a, b) if is_paired else unpaired_ratio(a, b)


def _energy(
    a: Sequence[Record], b: Sequence[Record], is_paired: bool, is_modelled: bool
) -> tuple[float | None, Interval | None]:
    kinds = {record.energy_source.partition(":")[0] for record in (*a, *b)}
    a_mj, b_mj = ([r.energy_mj for r in side if r.energy_mj is not None] for side in (a, b))
    if len(kinds) != 1 or not a_mj or not b_mj or (len(a_mj), len(b_mj)) != (len(a), len(b)):
        return None, None  # one of them has no energy, or energy of another kind
    if is_modelled:
        ratio = b_mj[0] / a_mj[0]
        return ratio, Interval(ratio, ratio)
    if min(len(a_mj), len(b_mj)) < _MIN_BLOCKS or min(*a_mj, *b_mj) <= 0:
        return None, None
    return _ratio_of(a_mj, b_mj, is_paired)


def _memory_ratio(matched: Matched) -> float | None:
    a, b = (most_memory([r.memory for r in side if r.memory is not None]) for side in (matched.a, matched.b))
    if a is None or b is None or not a.model_bytes or b.model_bytes is None:
        return None
    return b.model_bytes / a.model_bytes


def _word(interval: Interval | None) -> str:
    if interval is None:
        return UNKNOWN
    if interval.low == interval.high:  # exact
        return SAME if interval.low == 1 else FASTER if interval.low < 1 else SLOWER
    if interval.high < 1:
        return FASTER
    if interval.low > 1:
        return SLOWER
    is_narrow = interval.high <= 1 + RESOLUTION and interval.low >= 1 / (1 + RESOLUTION)
    return SAME if is_narrow else UNKNOWN


def _percent(ratio: float, interval: Interval | None) -> str:
    middle = f"{100 * (ratio - 1):+.1f} %"
    return middle if interval is None or interval.low == interval.high else f"{middle} ({_span(interval)})"


def _span(interval: Interval) -> str:
    return f"{100 * (interval.low - 1):+.1f} to {100 * (interval.high - 1):+.1f}"
