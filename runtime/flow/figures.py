"""What a whole frame of a flow consists of, as part of a record."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

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

    @property
    def text(self) -> str:
        """The frame and its parts in words."""
        told = [_text(part) for part in self.parts]
        if self.reference_ms is not None:
            told.append(f"apart from it the reference, once, {self.reference_ms:.3g} ms")
        return f"{self.frame}: {', '.join(told)}"


def median_figures(blocks: Sequence[FlowFigures]) -> FlowFigures | None:
    """Return the medians of the parts over blocks of one flow; ``None`` where there are none."""
    if not blocks:
        return None
    columns = zip(*(figures.parts for figures in blocks), strict=True)
    parts = [replace(c[0], latency_ms=statistics.median(part.latency_ms for part in c)) for c in columns]
    references_ms = [f.reference_ms for f in blocks if f.reference_ms is not None]
    return replace(
        blocks[0],
        parts=tuple(parts),
        reference_ms=statistics.median(references_ms) if references_ms else None,
    )


def _text(part: Part) -> str:
    runs = f" ({part.runs} runs)" if part.runs > 1 else ""
    return f"{part.name} {part.latency_ms:.3g} ms{runs}"
