"""What the parts of frames took, and their medians."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.bundle import Flow
from runtime.flow.figures import Part
from runtime.targets.name import LOCAL

if TYPE_CHECKING:
    from runtime.targets import Target

PRE, POST = "pre-step", "post-step"


@dataclass(frozen=True)
class FrameTimes:
    """What one frame took in ms; ``graphs_ms`` holds each run of each graph."""

    pre_ms: float
    graphs_ms: dict[str, list[float]]
    post_ms: float

    def latency_ms(self, target: Target) -> float:
        """Return what the frame took: the graphs alone where the other parts ran elsewhere."""
        graphs_ms = sum(map(sum, self.graphs_ms.values()))
        return graphs_ms + self.pre_ms + self.post_ms if runs_steps(target) else graphs_ms


def runs_steps(target: Target) -> bool:
    """Return whether pre-step and post-step run on the target: they run where the command does."""
    return target.name == LOCAL


def parts_of(times: Sequence[FrameTimes], flow: Flow, target: Target) -> tuple[Part, ...]:
    """Return the parts of a frame, medians over frames; what runs on this machine is measured there."""
    own = target.provenance if runs_steps(target) else "measured on the host"
    parts = [Part(PRE, 1, statistics.median(one.pre_ms for one in times), own)]
    for use in flow.graphs:
        if use.when != "reference":
            runs_ms = [one.graphs_ms[use.name] for one in times]
            runs = round(statistics.median(map(len, runs_ms)))
            parts.append(Part(use.name, runs, statistics.median(map(sum, runs_ms)), target.provenance))
    return (*parts, Part(POST, 1, statistics.median(one.post_ms for one in times), own))
