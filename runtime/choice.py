"""Find the cheapest setting that is fast enough, with few questions to the latency model.

Inside one cluster latency falls as the clock rises, so a bisection over its OPPs finds the slowest
clock that meets the deadline. It need not be the cheapest: some OPPs cost more per frame than a
faster one does (the kernel's energy model calls them inefficient), so the energies of all clocks
from there up are compared, and then the winners of the clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runtime.setting import Setting

_NAMED = 2  # alternatives that a reason names


@dataclass(frozen=True, order=True)
class Option:
    """One way to run a frame: a variant of the bundle under a setting."""

    variant: str
    setting: Setting


@dataclass(frozen=True)
class Estimate:
    """What a frame is expected to take under an option.

    Attributes:
        latency_ms: expected latency; ``latency_low_ms`` and ``latency_high_ms`` bound it.
        power_mw: while busy, ``None`` where nothing can tell.
        energy_mj: of one frame while busy, likewise.
    """

    variant: str
    setting: Setting
    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    power_mw: float | None
    energy_mj: float | None

    @property
    def core_ms(self) -> float:
        """Milliseconds of core time of one frame: what stands for energy where that is unknown."""
        return self.latency_ms * self.setting.threads


@dataclass(frozen=True)
class Choice:
    """The outcome of a search.

    Attributes:
        chosen: the cheapest that meets the deadline, or the fastest where none does.
        meets_deadline: whether the upper bound of its latency does.
        winners: the cheapest of each ladder that meets the deadline, cheapest first.
        fastest: the fastest of each ladder that does not.
        calls: how often the latency model was asked.
        reason: why this one, in words with numbers.
    """

    chosen: Estimate
    meets_deadline: bool
    winners: tuple[Estimate, ...]
    fastest: tuple[Estimate, ...]
    calls: int
    reason: str


Model = Callable[[Sequence[Option]], Sequence[Estimate]]


def choose(options: Iterable[Option], model: Model, deadline_ms: float) -> Choice:
    """Return the option of least energy whose latency bound meets ``deadline_ms``.

    Exact where latency falls with the clock inside a ladder (one variant, cluster and number of
    threads); whatever the model says elsewhere, no option is accepted whose own bound misses. A
    ladder of n clocks costs at most ceil(log2(n)) + 1 calls of ``model``. Ties go to the slower clock.
    Where no energy is known the least core-milliseconds win.

    Args:
        options: what may be chosen.
        model: returns one estimate per option asked.
        deadline_ms: what the upper latency bound must not exceed.

    Raises:
        ValueError: there are no options.
    """
    winners, too_slow, calls = [], [], 0
    for ladder in _ladders(options):
        estimates, asked = _climb(ladder, model, deadline_ms)
        calls += asked
        accepted = [e for e in estimates if e.latency_high_ms <= deadline_ms]
        if accepted:
            winners.append(_cheapest(accepted))
        else:
            too_slow.append(_fastest(estimates))
    if not winners and not too_slow:
        raise ValueError("there is no setting to choose from; bench some first: edgekit bench BUNDLE")
    chosen = _cheapest(winners) if winners else _fastest(too_slow)
    winners.sort(key=cost_order)
    reason = _explain(chosen, winners, too_slow, deadline_ms)
    return Choice(chosen, bool(winners), tuple(winners), tuple(too_slow), calls, reason)


def _ladders(options: Iterable[Option]) -> list[list[Option]]:
    ladders: dict[tuple[str, str, int], list[Option]] = {}
    for option in options:
        setting = option.setting
        ladders.setdefault((option.variant, setting.cluster, setting.threads), []).append(option)
    return [sorted(ladder, key=lambda option: option.setting.freq_khz or 0) for ladder in ladders.values()]


def _climb(ladder: Sequence[Option], model: Model, deadline_ms: float) -> tuple[Sequence[Estimate], int]:
    """Return estimates from the slowest clock that may meet the deadline up to the fastest."""
    low, high, calls = 0, len(ladder) - 1, 1
    while low < high:
        middle = (low + high) // 2
        (estimate,) = model(ladder[middle : middle + 1])
        calls += 1
        if estimate.latency_high_ms <= deadline_ms:
            high = middle
        else:
            low = middle + 1
    return model(ladder[low:]), calls


def cost_order(estimate: Estimate) -> tuple[bool, float, int, int]:
    # Known energy before unknown: the two cannot be compared, and a guess must not win over a figure.
    cost = estimate.core_ms if estimate.energy_mj is None else estimate.energy_mj
    return estimate.energy_mj is None, cost, estimate.setting.freq_khz or 0, estimate.setting.threads


def _cheapest(estimates: Iterable[Estimate]) -> Estimate:
    return min(estimates, key=cost_order)


def _fastest(estimates: Iterable[Estimate]) -> Estimate:
    return min(estimates, key=lambda e: (e.latency_high_ms, cost_order(e)))


def _explain(
    chosen: Estimate, winners: Sequence[Estimate], too_slow: Sequence[Estimate], deadline_ms: float
) -> str:
    bound = f"{chosen.latency_ms:.3g} ms, at most {chosen.latency_high_ms:.3g} ms"
    if not winners:
        return (
            f"No setting meets {deadline_ms:.3g} ms. {_name(chosen, too_slow)} is the fastest: {bound}. "
            "Ask for fewer FPS or export a lighter model."
        )
    unknown = chosen.energy_mj is None
    least = "core time, as energy is not known here" if unknown else "energy"
    words = [
        f"{_name(chosen, winners)} meets {deadline_ms:.3g} ms ({bound}) "
        f"for the least {least}: {_price(chosen)} a frame"
    ]
    others = [f"{_name(e, winners)} at {_price(e)}" for e in winners if e is not chosen]
    if others:
        words.append(f"The next cheapest: {_first_of(others)}")
    if too_slow:
        nearest = sorted(too_slow, key=lambda e: e.latency_high_ms)
        slow = [f"{_name(e, too_slow)} may take {e.latency_high_ms:.3g} ms" for e in nearest]
        words.append(f"Too slow even at their best: {_first_of(slow)}")
    return ". ".join(words) + "."


def _first_of(items: Sequence[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name(estimate: Estimate, among: Sequence[Estimate]) -> str:
    several = len({e.variant for e in among}) > 1
    return f"{estimate.variant} on {estimate.setting}" if several else str(estimate.setting)


def _price(estimate: Estimate) -> str:
    if estimate.energy_mj is None:
        return f"{estimate.core_ms:.3g} core-ms"
    return f"{estimate.energy_mj:.3g} mJ"
