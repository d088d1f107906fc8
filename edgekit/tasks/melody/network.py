"""Hierarchical melody network: bar rhythms, then beat rhythms, then notes (https://arxiv.org/abs/1712.05274).

Unlike the paper, the level below also gets its profile's value at the present step, not only the cluster's
number, and whether the last step repeated what was a bar, or two, before it; without the first, the profiles
guide the notes only weakly. A flat network is the same with the level of notes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgekit.data.tunes import N_EVENTS, STEPS_PER_BAR, STEPS_PER_BEAT
from edgekit.tasks.melody.level import Level, LevelPlan, Product, Row
from edgekit.tasks.melody.profiles import Profiles, level_numbers
from runtime.bundle.source import parse_source

BEATS_PER_BAR = STEPS_PER_BAR // STEPS_PER_BEAT
_LOOK_BACK = (1, 2, 4, 8)  # bars


def hierarchical_plans(profiles: Profiles, width: int) -> tuple[LevelPlan, ...]:
    """Return the levels of bars, beats and notes; ``width`` is that of the notes' LSTM."""
    n_bars, n_beats, small = len(profiles.bars), len(profiles.beats), width // 2
    bar_rows = tuple(Row(f"bar_{back}", n_bars, f"token:bar@{back}") for back in _LOOK_BACK)
    bar = Row("bar", n_bars, "token:bar")
    beat = Row("beat", n_beats, "token:beat")
    beat_position = Row("position", BEATS_PER_BAR, f"position:{BEATS_PER_BAR}")
    beat_rows = tuple(
        Row(f"beat_{back}", n_beats, f"token:beat@{back}")
        for back in (1, *(BEATS_PER_BAR * b for b in (1, 2)))
    )
    of_beat = tuple(
        tuple(float(step // STEPS_PER_BEAT == place) for step in range(STEPS_PER_BAR))
        for place in range(BEATS_PER_BAR)
    )
    in_bar = tuple(row * BEATS_PER_BAR for row in profiles.beats)  # the beat's values wherever it stands
    return (
        LevelPlan("bar", STEPS_PER_BAR, n_bars, bar_rows, (), small, small),
        LevelPlan(
            "beat", STEPS_PER_BEAT, n_beats, (*beat_rows, beat_position, bar),
            (Product("bar", "position", profiles.bars, of_beat),), small, small,
        ),
        _notes(
            width, (bar, beat),
            (Product("bar", "position", profiles.bars), Product("beat", "position", in_bar)),
        ),
    )  # fmt: skip


def flat_plans(width: int) -> tuple[LevelPlan, ...]:
    """Return the level of notes alone: the same look-back, no profiles."""
    return (_notes(width, (), ()),)


def _notes(width: int, profiles: tuple[Row, ...], guides: tuple[Product, ...]) -> LevelPlan:
    backs = [bars * STEPS_PER_BAR for bars in _LOOK_BACK[:2]]
    places = [1, *backs, *(back + 1 for back in backs)]
    rows = tuple(Row(f"note_{back}", N_EVENTS, f"token:note@{back}") for back in places)
    repeats = tuple(Product("note_1", f"note_{back + 1}") for back in backs)
    position = Row("position", STEPS_PER_BAR, f"position:{STEPS_PER_BAR}")
    return LevelPlan(
        "note", 1, N_EVENTS, (*rows, position, *profiles), (*guides, *repeats), width, width // 2
    )


class MelodyNet(nn.Module):
    """Levels from coarse to fine, trained with the true numbers of the levels above.

    Args:
        plans: from coarse to fine; the last is that of the notes.
        profiles: of the levels above it.
        dropout: see ``Level``.

    Example:
        >>> net = MelodyNet(flat_plans(32))
        >>> net(torch.zeros(1, 16, dtype=torch.int64))["note"].shape
        torch.Size([1, 16, 38])
    """

    def __init__(self, plans: Sequence[LevelPlan], profiles: Profiles | None = None, dropout: float = 0.0):
        super().__init__()
        self.levels = nn.ModuleDict({plan.name: Level(plan, dropout) for plan in plans})
        self.profiles = profiles

    def forward(self, events: Tensor) -> dict[str, Tensor]:
        """Return each level's scores, (B, T / every, n_values), given all before them.

        Args:
            events: int64, shape (B, T), T whole bars; -1 after a tune's end.
        """
        return {name: self.levels[name](rows) for name, rows in self.rows(events).items()}

    def rows(self, events: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return each level's rows, shape (B, T / every, size), as a flow would join them."""
        numbers = level_numbers(events, self.profiles)
        every = {name: level.plan.every for name, level in self.levels.items()}
        return {
            name: {row.name: _row(row, every[name], numbers, every) for row in level.plan.rows}
            for name, level in self.levels.items()
        }


def _row(row: Row, every: int, numbers: Mapping[str, Tensor], every_of: Mapping[str, int]) -> Tensor:
    source = parse_source(row.source)
    events = numbers["note"]
    n_runs = events.shape[1] // every
    if source.kind == "position":
        places = torch.arange(n_runs, device=events.device) % source.number
        return F.one_hot(places, row.size).float().expand(len(events), -1, -1)
    drawn = numbers[source.name]
    one_hot = F.one_hot(drawn.clamp(min=0), row.size).float() * (drawn >= 0)[..., None]
    times = every_of[source.name] // every
    if times == 1:  # its own: the latest is the one before
        return F.pad(one_hot, (0, 0, source.number, 0))[:, :n_runs]
    return one_hot.repeat_interleave(times, dim=1)  # of a level above, which has drawn already
