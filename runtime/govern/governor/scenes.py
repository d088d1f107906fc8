"""How frames of varying work are governed, as a user asks for it."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_WAITING = 3


@dataclass(frozen=True)
class Scenes:
    """How much work frames are is learnt, and clocks change within a frame; see
    ``runtime.choose.frame_policy``.

    Attributes:
        waiting: finished frames that may wait for their turn: each is due so many periods later.
        late_price: of a late frame, in periods at the fastest setting; ``None``: ``frame_policy.LATE_PRICE``.

    Raises:
        ValueError: a figure that cannot be.
    """

    waiting: int = 0
    late_price: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.waiting <= _MOST_WAITING:
            raise ValueError(f"waiting is {self.waiting}; it must be from 0 to {_MOST_WAITING}")
        if self.late_price is not None and not 0.01 <= self.late_price <= 1000:
            raise ValueError(f"late_price is {self.late_price}; it must be from 0.01 to 1000")
