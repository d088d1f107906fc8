"""Tunes drawn many at a time on the host, and how often bars come again in tunes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgekit.data.tunes import STEPS_PER_BAR, onsets_of
from edgekit.tasks.melody.level import LevelStep, Row
from edgekit.tasks.melody.network import MelodyNet
from runtime.bundle.source import parse_source


@torch.inference_mode()
def draw(net: MelodyNet, n: int, bars: int, *, seed: int, temperature: float) -> list[np.ndarray]:
    """Return the events of ``n`` tunes, drawn by the same joins as a flow's, notes at ``temperature``."""
    generator = torch.Generator().manual_seed(seed)
    plans = [level.plan for level in net.levels.values()]
    steps = {name: LevelStep(level).eval() for name, level in net.levels.items()}
    states = {plan.name: [torch.zeros(n, plan.hidden)] * 2 for plan in plans}
    drawn: dict[str, list[Tensor]] = {plan.name: [] for plan in plans}
    for number in range(bars * STEPS_PER_BAR):
        for plan in plans:
            if number % plan.every:
                continue
            rows = [_row(row, drawn, number // plan.every, n) for row in plan.rows]
            scores, *states[plan.name] = steps[plan.name](*rows, *states[plan.name])
            shares = torch.softmax(scores / (temperature if plan.name == "note" else 1.0), dim=1)
            drawn[plan.name].append(torch.multinomial(shares, 1, generator=generator)[:, 0])
    return list(torch.stack(drawn["note"], dim=1).numpy())


def _row(row: Row, drawn: dict[str, list[Tensor]], run: int, n: int) -> Tensor:
    source = parse_source(row.source)
    if source.kind == "position":
        return F.one_hot(torch.full((n,), run % source.number), row.size).float()
    numbers = drawn[source.name]
    if len(numbers) < source.number:
        return torch.zeros(n, row.size)
    return F.one_hot(numbers[-source.number], row.size).float()


def repetition(tunes: Sequence[np.ndarray], bars: int) -> tuple[float, float]:
    """Return how many of a tune's bars have the rhythm, and are the same, as an earlier one of it.

    Args:
        bars: that are looked at: the first ones of tunes that have as many. Bars without a note do not count.

    Returns:
        shares in [0, 1], of rhythms and of whole bars.

    Example:
        >>> repetition([np.tile(np.r_[5, np.zeros(15, int)], 2)], 2)
        (0.5, 0.5)
    """
    counts = np.zeros(3)
    for events in tunes:
        if len(events) < bars * STEPS_PER_BAR:
            continue
        seen: tuple[set[bytes], set[bytes]] = (set(), set())
        for bar in events[: bars * STEPS_PER_BAR].reshape(bars, STEPS_PER_BAR):
            rhythm = onsets_of(bar)
            if not rhythm.any():
                continue
            keys = rhythm.tobytes(), bar.astype(np.int16).tobytes()
            counts += [1, *(key in known for key, known in zip(keys, seen, strict=True))]
            for key, known in zip(keys, seen, strict=True):
                known.add(key)
    n_bars, rhythms, whole = counts
    return float(rhythms / n_bars), float(whole / n_bars)
