"""What a whole frame of a flow consists of, as part of a record."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.bundle.figures import check_figures


@dataclass(frozen=True)
class Part:
    """A named part of a frame: how often it ran in one, and the median of what that took together."""

    name: str
    runs: int
    latency_ms: float
    provenance: str

    def __post_init__(self) -> None:
        check_figures(self)


@dataclass(frozen=True)
class FlowFigures:
    """The parts of a frame.

    Attributes:
        frame: what one frame is, in words.
        parts: in their order; reference work is apart.
        reference_ms: what the references took, once; ``None`` where the flow has none, or it is not known.
    """

    frame: str
    parts: tuple[Part, ...]
    reference_ms: float | None = None

    def __post_init__(self) -> None:
        check_figures(self)
