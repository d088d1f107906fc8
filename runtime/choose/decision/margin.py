"""Room kept before a deadline, as much as late frames show to be needed. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Margin:
    """Grows with each late frame and shrinks with each other one, so that ``late_share`` of them are late.

    Adaptive conformal inference (Gibbs and Candès, NeurIPS 2021): whatever the frames do, the share of
    late ones converges to what is allowed, as long as a faster setting exists; it stays below where the
    table's bounds are wide enough by themselves.

    Attributes:
        late_share: share of frames that may be late.
        step: of the margin after a late frame. At 1 % of late frames one is paid back over 99 others; a
            larger step reacts sooner and swings more.
        most: largest margin: the deadline is then met by so many times. From 2 it takes 2,000
            frames in time (at 1 % and this step) to come down to 1: a higher limit would hold fast clocks
            even longer after a stretch of late frames that no clock could have helped.

    Example:
        >>> margin = Margin(late_share=0.02, step=0.1)
        >>> round(margin.next(1.0, True), 3), round(margin.next(1.5, False), 3), margin.next(1.0, False)
        (1.098, 1.498, 1.0)
    """

    late_share: float = 0.01
    step: float = 0.05
    most: float = 2.0

    def __post_init__(self) -> None:
        if not (0 < self.late_share < 1 and self.step > 0 and self.most >= 1):
            raise ValueError(f"{self} cannot be; allowed: 0 < late_share < 1, step above 0, most from 1")

    def next(self, margin: float, is_late: bool) -> float:
        """Return the margin after a frame."""
        moved = margin + self.step * ((1.0 if is_late else 0.0) - self.late_share)
        return min(max(moved, 1.0), self.most)
