"""What kernel governors, EBS and the exhaustive best make of the frames of the same gesture. All modelled.

Frames come at the refresh rate, on average as much work as the page's curve says of a frame, and differ by as
much as explains how that bends into the refresh rate; of frames that come too late for their tick fewer are
drawn. A governor's clocks and busy time follow from ``runtime.choose.simulation``. What the display shows
follows by the page's curve, from the speed of a held clock that would draw as many of these frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from runtime.device.soc import SocProfile
from runtime.web.interaction.rows import HELD_SHARE
from runtime.web.learning.choice import FrameEstimate

if TYPE_CHECKING:
    from runtime.choose.simulation import Platform, SimGovernor, TimedPlatform

_FRAMES, _SETTLE = 240, 60  # 4 s of a gesture at 60 FPS after a second that is not counted
_RATES = np.geomspace(0.1, 10.0, 400)  # of the refresh rate: that a held clock draws frames at


@dataclass(frozen=True)
class PageTruth:
    """What a page shows at every setting of a SoC under a gesture, slowest clock first in each cluster.

    Attributes:
        estimates: by setting; bounds are not looked at.
        rate: frames per second that the core could draw if no display held it back.
        shown: frames per second that the display shows where the core could draw ``rate``.
        refresh_hz: of the display.
        spread: standard deviation of the logarithm of a frame's work.
    """

    estimates: tuple[FrameEstimate, ...]
    rate: np.ndarray
    shown: Callable[[float], float]
    refresh_hz: float
    spread: float


@dataclass(frozen=True)
class WebOutcome:
    """What became of a gesture under one governor.

    Attributes:
        fps: displayed.
        mean_mw: over the idle device.
        misses: ``fps`` is below 95 % of the target.
    """

    fps: float
    mean_mw: float
    misses: bool

    @property
    def frame_mj(self) -> float:
        """Energy of a displayed frame."""
        return self.mean_mw / self.fps


def outcomes(
    truth: PageTruth, profile: SocProfile, targets_fps: Sequence[float]
) -> list[dict[str, WebOutcome]]:
    """Return what each governor makes of the gesture, by name, for each target.

    ``interactive`` and ``schedutil`` run on the biggest cluster, ``eas`` (schedutil with energy-aware
    placement) and ``ebs`` on all; EBS alone is told the target. ``performance`` is the fastest setting,
    ``best`` is ``best_place``.

    Raises:
        ValueError: the power of a setting is not known.
    """
    from runtime.choose import simulation

    kernels: dict[str, Callable[[Platform], SimGovernor]] = {
        "interactive": simulation.Interactive,
        "schedutil": simulation.Schedutil,
        "eas": simulation.EnergyAware,
    }
    estimates, platform = truth.estimates, _platform(truth, profile)
    fastest = max(estimates, key=lambda each: profile.capacity(each.setting.cluster, each.setting.freq_khz))
    same = {name: _replayed(truth, platform, kind, targets_fps[:1])[0] for name, kind in kernels.items()}
    found = []
    for fps, ebs in zip(
        targets_fps, _replayed(truth, platform, simulation.EventBased, targets_fps), strict=True
    ):
        best = estimates[best_place(estimates, fps)]
        found.append(
            {name: _outcome(*each, fps) for name, each in (same | {"ebs": ebs}).items()}
            | {"performance": outcome_of(fastest, fps), "best": outcome_of(best, fps)}
        )
    return found


def outcome_of(held: FrameEstimate, target_fps: float) -> WebOutcome:
    """Return what becomes of a gesture at a setting that is held throughout, by what the page shows there.

    Raises:
        ValueError: the power of the setting is not known.
    """
    if held.mean_mw is None:
        raise ValueError(f"the power of {held.setting} is not known; give a profile with power_mw")
    return _outcome(held.fps, held.mean_mw, target_fps)


def _outcome(fps: float, mean_mw: float, target_fps: float) -> WebOutcome:
    return WebOutcome(fps, mean_mw, fps < HELD_SHARE * target_fps)


def best_place(estimates: Sequence[FrameEstimate], target_fps: float) -> int:
    """Return the place of the setting of least power that holds the target, found by trying each.

    A page that no setting shows so fast is to be shown as fast as any setting does, to the same 95 %.
    """
    reach_fps = min(target_fps, max(each.fps for each in estimates))
    holding = [place for place, each in enumerate(estimates) if each.fps >= HELD_SHARE * reach_fps]
    return min(holding, key=lambda place: estimates[place].mean_mw or 0.0)


def _platform(truth: PageTruth, profile: SocProfile) -> TimedPlatform:
    from runtime.choose.simulation import timed_platform

    if any(each.power_mw is None for each in truth.estimates):
        raise ValueError(f"not every clock of {profile.name} has a known power; give a profile with power_mw")
    settings = [each.setting for each in truth.estimates]
    return timed_platform(
        profile.name,
        clusters=[setting.cluster for setting in settings],
        freqs_khz=[setting.freq_khz or 0 for setting in settings],
        capacities=[profile.capacity(setting.cluster, setting.freq_khz) for setting in settings],
        latencies_ms=(1000.0 / truth.rate).tolist(),
        powers_mw=[each.power_mw for each in truth.estimates],
    )


def _replayed(
    truth: PageTruth,
    platform: TimedPlatform,
    governor: Callable[[Platform], SimGovernor],
    targets_fps: Sequence[float],
) -> list[tuple[float, float]]:
    """Return frames per second and mean power, for each target."""
    from runtime.choose import simulation

    period_ms, work = 1000.0 / truth.refresh_hz, _differing_work(truth.spread)
    frames = simulation.periodic(np.tile(work, (len(targets_fps), 1)), truth.refresh_hz)
    due_ms = frames.arrival_ms + 1000.0 / np.array(targets_fps)[:, None]
    frames = simulation.Frames(frames.arrival_ms, due_ms, frames.work)
    ran = simulation.replay(platform, frames, governor(platform), settle=_SETTLE, queues=False)
    # A frame comes a period after the one ahead, or when that is done.
    late_ms = ran.finish_ms - period_ms * np.arange(1, work.size + 1)
    behind_ms = np.maximum.accumulate(np.maximum(late_ms, 0.0), axis=1)
    span_ms = period_ms * _FRAMES + behind_ms[:, -1] - behind_ms[:, _SETTLE - 1]
    found = []
    for span, busy_ms in zip(span_ms.tolist(), ran.busy_ms, strict=True):
        fps = truth.shown(_held_rate(work[_SETTLE:], _FRAMES * period_ms / span) * truth.refresh_hz)
        found.append((fps, float(busy_ms @ platform.power_mw) / 1000.0 / _FRAMES * fps))
    return found


def _differing_work(spread: float) -> np.ndarray:
    """Return the work of frames in turn, lognormal, in mean frames; those that count have a mean of 1."""
    normal, order = NormalDist(), np.random.default_rng(0)
    drawn = []
    for count in (_SETTLE, _FRAMES):
        work = np.exp([spread * normal.inv_cdf((place + 0.5) / count) for place in range(count)])
        drawn.append(order.permutation(work / work.mean()))
    return np.concatenate(drawn)


def _held_rate(work: np.ndarray, drawn: float) -> float:
    """Return the rate at which a held clock would draw so many of the frames; shares of the refresh rate."""
    at_rates = 1.0 / np.maximum(1.0, work / _RATES[:, None]).mean(axis=1)
    place = int(np.searchsorted(at_rates, drawn - 1e-9))
    return float(_RATES[min(place, len(_RATES) - 1)])
