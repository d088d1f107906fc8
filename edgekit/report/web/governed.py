"""A gesture left to the kernel and governed, side by side over time: parts of the report's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from edgekit.report.web.gesture_timeline import Trace, draw_gesture
from edgekit.report.web.section import HALF, Drawing, drawing
from runtime.web.governing.trials import OURS, Trial


@dataclass(frozen=True)
class GovernedSide:
    """One of the gestures, and its drawing."""

    trial: Trial
    trace: Trace
    drawing: Drawing

    @property
    def title(self) -> str:
        if self.trial.governor == OURS:
            return f"Governed by edgekit for {self.trial.fps_target:g} FPS"
        cores = self.trial.clocks[0][1] if self.trial.clocks else "the fastest cores"
        return f"Left to {self.trial.governor} on {cores}"


@dataclass(frozen=True)
class GovernedView:
    """One gesture under several governors.

    Attributes:
        sides: edgekit's last.
        clusters: in the order of their colours.
        saved_pct: how far edgekit's mean power is below the kernel's; ``None``: one of them is not known.
    """

    sides: tuple[GovernedSide, ...]
    clusters: tuple[str, ...]
    saved_pct: float | None

    @property
    def trial(self) -> Trial:
        """That what both have in common is read from."""
        return self.sides[-1].trial


def governed_views(trials: Iterable[Trial]) -> tuple[GovernedView, ...]:
    """Return a view for each gesture, target and frame rate."""
    groups: dict[tuple[str, str, float], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.gesture, trial.target, trial.fps_target), []).append(trial)
    return tuple(_view(sorted(group, key=lambda trial: trial.governor == OURS)) for group in groups.values())


def _view(trials: Sequence[Trial]) -> GovernedView:
    # The kernel's side ran on the fastest cluster, which has the first colour as in the other drawings.
    clusters = tuple(dict.fromkeys(cluster for trial in trials for _, cluster, _ in trial.clocks))
    traces = [_trace(trial, clusters) for trial in trials]
    sides = tuple(
        GovernedSide(trial, trace, drawing(partial(draw_gesture, trace, traces), HALF))
        for trial, trace in zip(trials, traces, strict=True)
    )
    ours = [trial.mean_mw for trial in trials if trial.governor == OURS]
    theirs = [trial.mean_mw for trial in trials if trial.governor != OURS]
    saved_pct = None
    if ours and theirs and ours[0] is not None and theirs[0]:
        saved_pct = 100 * (1 - ours[0] / theirs[0])
    return GovernedView(sides, clusters, saved_pct)


def _trace(trial: Trial, clusters: Sequence[str]) -> Trace:
    return Trace(
        trial.gaps_ms,
        trial.refresh_hz,
        tuple((at_s, khz / 1000) for at_s, _, khz in trial.clocks),
        trial.powers_mw,
        f"{trial.kind}, {trial.speed:g} px/s by {trial.source}",
        trial.spans_s,
        tuple(clusters.index(cluster) for _, cluster, _ in trial.clocks),
    )
