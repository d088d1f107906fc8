"""What kernel governors, EBS and the exhaustive best make of the frames of the same gesture. All modelled.

Frames come at the refresh rate, each as much work as the page's curve says of a frame; a governor's clocks
and busy time follow from ``runtime.choose.simulation``. What the display shows follows from the clock it
settled at, by the page's curve, so that a core with little to spare misses some frames here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from runtime.device.setting import Setting
from runtime.device.soc import SocProfile
from runtime.web.interaction.rows import HELD_SHARE
from runtime.web.learning.choice import FrameEstimate

if TYPE_CHECKING:
    from runtime.choose.simulation import Platform, SimGovernor, TimedPlatform

_FRAMES, _SETTLE = 180, 60  # 3 s of a gesture at 60 FPS after a second that is not counted


@dataclass(frozen=True)
class PageTruth:
    """What a page shows at every setting of a SoC under a gesture, slowest clock first in each cluster.

    Attributes:
        estimates: by setting; bounds are not looked at.
        rate: frames per second that the core could draw if no display held it back.
        shown: frames per second that the display shows where the core could draw ``rate``.
        refresh_hz: of the display.
    """

    estimates: tuple[FrameEstimate, ...]
    rate: np.ndarray
    shown: Callable[[float], float]
    refresh_hz: float


@dataclass(frozen=True)
class WebOutcome:
    """What became of a gesture under one governor.

    Attributes:
        fps: displayed.
        mean_mw: over the idle device.
        misses: ``fps`` is below 95 % of the target.
    """

    governor: str
    fps: float
    mean_mw: float
    misses: bool

    @property
    def frame_mj(self) -> float:
        """Energy of a displayed frame."""
        return self.mean_mw / self.fps


def outcomes(
    truth: PageTruth, profile: SocProfile, target_fps: float, chosen: Mapping[str, Setting]
) -> dict[str, WebOutcome]:
    """Return what each governor makes of the gesture, by name.

    ``interactive``, ``schedutil`` and ``performance`` run on the biggest cluster, ``eas`` (schedutil with
    energy-aware placement) and ``ebs`` on all; EBS alone is told the target. ``best`` is ``best_place``.

    Args:
        chosen: settings of ``truth`` that are held throughout, by the name of who chose each.

    Raises:
        ValueError: the power of a setting is not known.
    """
    from runtime.choose import simulation

    estimates = truth.estimates
    if any(each.power_mw is None for each in estimates):
        raise ValueError(f"not every clock of {profile.name} has a known power; give a profile with power_mw")
    kinds: dict[str, Callable[[Platform], SimGovernor]] = {
        "performance": simulation.Performance,
        "interactive": simulation.Interactive,
        "schedutil": simulation.Schedutil,
        "eas": simulation.EnergyAware,
        "ebs": simulation.EventBased,
    }
    every = range(len(estimates))
    platform = _platform(truth, profile, every)
    found = {name: _replayed(name, truth, platform, kind, target_fps) for name, kind in kinds.items()}

    def held(name: str, place: int) -> WebOutcome:
        return _replayed(name, truth, _platform(truth, profile, [place]), simulation.Performance, target_fps)

    places = {each.setting: place for place, each in enumerate(estimates)}
    found |= {name: held(name, places[setting]) for name, setting in chosen.items()}
    found["best"] = held("best", best_place(estimates, target_fps))
    return found


def best_place(estimates: Sequence[FrameEstimate], target_fps: float) -> int:
    """Return the place of the setting of least power that holds the target, found by trying each.

    A page that no setting shows so fast is to be shown as fast as any setting does, to the same 95 %.
    """
    reach_fps = min(target_fps, max(each.fps for each in estimates))
    holding = [place for place, each in enumerate(estimates) if each.fps >= HELD_SHARE * reach_fps]
    return min(holding, key=lambda place: estimates[place].mean_mw or 0.0)


def _platform(truth: PageTruth, profile: SocProfile, places: Sequence[int]) -> TimedPlatform:
    from runtime.choose.simulation import timed_platform

    estimates = [truth.estimates[place] for place in places]
    return timed_platform(
        profile.name,
        clusters=[each.setting.cluster for each in estimates],
        freqs_khz=[each.setting.freq_khz or 0 for each in estimates],
        capacities=[profile.capacity(each.setting.cluster, each.setting.freq_khz) for each in estimates],
        latencies_ms=[1000.0 / truth.rate[place] for place in places],
        powers_mw=[each.power_mw for each in estimates],
    )


def _replayed(
    name: str,
    truth: PageTruth,
    platform: TimedPlatform,
    governor: Callable[[Platform], SimGovernor],
    target_fps: float,
) -> WebOutcome:
    from runtime.choose.simulation import replay_frames

    outcome = replay_frames(
        name, platform, governor, fps=truth.refresh_hz, deadline_ms=1000.0 / target_fps,
        frames=_FRAMES, settle=_SETTLE,
    )  # fmt: skip
    fps = truth.shown(1000.0 / outcome.latency_ms)
    if outcome.energy_mj is None:
        raise ValueError(f"a clock that {name} uses has no known power; give a profile with power_mw")
    return WebOutcome(name, fps, outcome.energy_mj * fps, fps < HELD_SHARE * target_fps)
