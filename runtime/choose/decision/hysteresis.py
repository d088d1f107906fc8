"""When to follow a decision: at once to a more expensive row, to a cheaper one only after a calm while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hysteresis:
    """Keeps a clock from being changed to and fro, which costs time and energy each time.

    Attributes:
        frames: in a row that must ask for a cheaper row before one is taken. Eight are a quarter of a
            second at 30 FPS: more save changes, each of which stops the frame for a moment, and stay at
            the expensive row for longer. Chosen, not measured on its own.
    """

    frames: int = 8

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; it must be at least 1, which follows at once")

    def next_row(self, row: int, wanted: int, calm: int) -> tuple[int, int]:
        """Return the row to run at, and how many calm frames have been counted.

        Args:
            row: of now; -1 where there is none yet or a cap forbids it, so that ``wanted`` is taken at once.
            wanted: what was decided.
            calm: frames counted up to now.

        Example:
            >>> Hysteresis(frames=2).next_row(5, 3, 0), Hysteresis(frames=2).next_row(5, 3, 1)
            ((5, 1), (3, 0))
        """
        if wanted >= row or calm + 1 >= self.frames:
            return wanted, 0
        return row, calm + 1
