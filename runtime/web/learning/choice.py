"""The cheapest setting that keeps a page's frame rate under a gesture, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import choose
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, setting_power
from runtime.device.soc.account import work_mj
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.web.learning.model import RUN, UNRUN, WayModel
from runtime.web.learning.table import feature_vector, work_vector

# A gesture counts as held to its target above this share of it: Camel (https://arxiv.org/abs/2005.00749)
# counts misses below; a display shows 57 to 59 of 60 frames a second at best.
HELD = 0.95
TRUST_PCT = 20.0  # a lower bound further below its prediction is not trusted, as in Camel


@dataclass(frozen=True)
class PageState:
    """What is known of a page before a gesture.

    Attributes:
        features: by name; empty where nobody read them.
        work_ms: CPU time of a displayed frame at full speed by role; ``None``: it was never run.
        effect: what runs of it showed, as ``FrameRate.observe`` returns it; ``None``: none were slow enough.
    """

    features: Mapping[str, float]
    work_ms: Mapping[str, float] | None = None
    effect: tuple[float, float] | None = None


@dataclass(frozen=True)
class FrameEstimate:
    """What a page is expected to show under a setting.

    Attributes:
        fps: expected; ``low_fps`` and ``high_fps`` bound it.
        busy: share of its time that the core is busy.
        mean_mw: mean power over the gesture, over the idle device; ``None`` where it is not known.
    """

    setting: Setting
    fps: float
    low_fps: float
    high_fps: float
    busy: float
    power_mw: float | None

    @property
    def mean_mw(self) -> float | None:
        """Mean power over the gesture, over the idle device; ``None`` where it is not known."""
        return None if self.power_mw is None else work_mj(self.power_mw, 1000.0 * self.busy)

    @property
    def is_trusted(self) -> bool:
        """Whether the lower bound is near enough to act on."""
        return 100.0 * (self.fps / self.low_fps - 1.0) <= TRUST_PCT


@dataclass(frozen=True)
class WebChoice:
    """A setting for a gesture, with the reason.

    Attributes:
        chosen: the cheapest whose lower bound holds the target; the fastest where none does.
        target_fps: asked for.
        meets_target: whether its lower bound holds it.
        others: the best of each other cluster.
        reason: in words.
    """

    chosen: FrameEstimate
    target_fps: float
    meets_target: bool
    others: tuple[FrameEstimate, ...]
    reason: str


def way_of(page: PageState, models: Mapping[str, WayModel]) -> WayModel:
    """Return what predicts a page as well as it is known.

    Raises:
        ValueError: nothing was learnt that predicts it.
    """
    if page.work_ms is not None and RUN in models:
        return models[RUN]
    if UNRUN in models:
        return models[UNRUN]
    raise ValueError(
        "pages that never ran cannot be predicted here; run it once, or read pages' features and fit"
    )


def frame_estimates(
    model: WayModel,
    page: PageState,
    speed: float,
    settings: Sequence[Setting],
    profile: SocProfile,
    names: Sequence[str],
    clusters: Sequence[str],
    refresh_hz: float,
) -> list[FrameEstimate]:
    """Return what ``page`` is expected to show under each of ``settings`` that the model knows.

    Args:
        speed: of the gesture, in px/s.
        profile: of the SoC that runs it.
        names, clusters: of the fit, in the order of their columns and numbers.

    Raises:
        ValueError: the page is unlike all that was learnt from; the message says in what.
    """
    known = [setting for setting in settings if setting.cluster in clusters]
    capacity = [profile.capacity(s.cluster, s.freq_khz) / FULL_CAPACITY for s in known]
    table = np.column_stack(
        [capacity, np.full(len(known), refresh_hz), [clusters.index(s.cluster) for s in known]]
    )
    features = np.tile(feature_vector(page.features, speed, names), (len(known), 1))
    work = np.tile(work_vector(page.work_ms or {}), (len(known), 1))
    X = model.inputs(table, work, features)
    inside = model.rate.is_inside(X)
    if not inside.any():
        model.rate.predict(X)  # says why
    known = [setting for setting, is_inside in zip(known, inside, strict=True) if is_inside]
    X = X[inside]
    fps = model.rate.predict(X, page.effect)
    low, high = model.rate.predict_interval(X, page.effect).T
    busy = model.rate.predict_busy(X, page.effect)
    powers = [setting_power(profile, setting) for setting in known]
    return [
        FrameEstimate(setting, *map(float, figures), None if power is None else power.power_mw)
        for setting, power, *figures in zip(known, powers, fps, low, high, busy, strict=True)
    ]


def choose_setting(
    estimates: Sequence[FrameEstimate], target_fps: float, margin_pct: float = 0.0
) -> WebChoice:
    """Return the cheapest setting whose lower bound holds ``target_fps``.

    A bisection per cluster, as for frames of a network: a frame's latency is the time from one displayed
    frame to the next, and what counts as energy is the core's busy time.

    Args:
        margin_pct: headroom on the target.

    Raises:
        ValueError: no estimates, or a target that is no frame rate.
    """
    if not 0 < target_fps <= 1000:
        raise ValueError(f"the target is {target_fps:g} FPS; it must be above 0, at most 1000")
    by_option = {Option("gesture", each.setting): each for each in estimates}
    floor_fps = HELD * target_fps * (1 + margin_pct / 100.0)
    knows_power = any(each.power_mw is not None for each in estimates)
    goal = Goal("awake" if knows_power else "core-time", floor_fps, 1000.0 / floor_fps)

    def model(options: Sequence[Option]) -> list[Estimate]:
        return [_as_frame(option, by_option[option], floor_fps) for option in options]

    found = choose(by_option, model, goal)
    chosen, *others = (
        by_option[Option(each.variant, each.setting)] for each in (*found.winners, *found.losers)
    )
    return WebChoice(chosen, target_fps, found.meets_goal, tuple(others), _reason(chosen, others, target_fps))


def _as_frame(option: Option, estimate: FrameEstimate, floor_fps: float) -> Estimate:
    busy_ms = estimate.busy * 1000.0 / floor_fps
    power_mw = estimate.power_mw
    return Estimate(
        option.variant,
        option.setting,
        latency_ms=busy_ms,
        latency_low_ms=1000.0 / estimate.high_fps,
        latency_high_ms=1000.0 / estimate.low_fps,
        power_mw=power_mw,
        energy_mj=None if power_mw is None else work_mj(power_mw, busy_ms),
    )


def _reason(chosen: FrameEstimate, others: Sequence[FrameEstimate], target_fps: float) -> str:
    floor = f"{HELD:.0%} of {target_fps:g} FPS"
    told = f"{chosen.fps:.3g} FPS expected, at least {chosen.low_fps:.3g}"
    if chosen.low_fps < HELD * target_fps:
        return f"no setting is sure to hold {floor}; {chosen.setting} is the fastest: {told}"
    cost = "" if chosen.mean_mw is None else f" for {chosen.mean_mw:.3g} mW"
    beside = [
        f"{other.setting} "
        + (
            f"shows at least {other.low_fps:.3g}"
            if other.low_fps < HELD * target_fps
            else f"takes {other.mean_mw or 0:.3g} mW"
        )
        for other in others
    ]
    return f"{chosen.setting} holds {floor}{cost}: {told}" + (f"; {'; '.join(beside)}" if beside else "")
