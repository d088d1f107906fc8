"""The cheapest setting that keeps a page's frame rate under a gesture, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import choose
from runtime.device.setting import Setting
from runtime.device.soc import SocProfile, setting_power
from runtime.device.soc.account import work_mj
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.web.interaction.rows import HELD_SHARE
from runtime.web.learning.model import RUN, UNRUN, WayModel
from runtime.web.learning.table import GestureLike, feature_vector, gesture_features, work_vector

_AS_GOOD = 0.99  # of the surest setting's lower bound: one displayed frame in a hundred


@dataclass(frozen=True)
class PageState:
    """What is known of a page before a gesture.

    Attributes:
        features: by name; empty where nobody read them.
        work_ms: CPU time of a displayed frame at full speed by role; ``None``: it was never run.
        most_fps: that it showed at full speed while its core had time to spare (``most_fps`` of a table);
            ``None``: as many as the display.
        effect: what runs of it showed, as ``FrameRate.observe`` returns it; ``None``: none were slow enough.
    """

    features: Mapping[str, float]
    work_ms: Mapping[str, float] | None = None
    most_fps: float | None = None
    effect: tuple[float, float] | None = None


@dataclass(frozen=True)
class FrameEstimate:
    """What a page is expected to show under a setting.

    Attributes:
        fps: expected; ``low_fps`` and ``high_fps`` bound it.
        busy: share of its time that the core is busy.
        power_mw: of the busy core, over the idle device; ``None`` where it is not known.
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


@dataclass(frozen=True)
class WebChoice:
    """A setting for a gesture, with the reason.

    Attributes:
        chosen: the cheapest whose lower bound holds the target; the cheapest near the surest where none does.
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


@dataclass(frozen=True)
class Offer:
    """Settings that may be chosen, as a model sees them: made once, asked for every gesture.

    Attributes:
        settings: of clusters that the model knows.
        columns: capacity, refresh rate and core of each, shape (n_settings, 3).
        powers_mw: of the busy core, over the idle device; ``None`` where it is not known.
    """

    settings: tuple[Setting, ...]
    columns: np.ndarray
    powers_mw: tuple[float | None, ...]

    @classmethod
    def of(
        cls, model: WayModel, settings: Iterable[Setting], profile: SocProfile, refresh_hz: float
    ) -> Offer:
        """Return the offer of ``settings`` on a SoC with a display."""
        known = tuple(setting for setting in settings if setting.cluster in model.clusters)
        capacity = [profile.capacity(s.cluster, s.freq_khz) / FULL_CAPACITY for s in known]
        core = [model.clusters.index(setting.cluster) for setting in known]
        powers = [setting_power(profile, setting) for setting in known]
        return cls(
            known,
            np.column_stack([capacity, np.full(len(known), refresh_hz), core]).reshape(-1, 3),
            tuple(None if power is None else power.power_mw for power in powers),
        )


def frame_estimates(
    model: WayModel, page: PageState, gesture: GestureLike, offer: Offer
) -> list[FrameEstimate]:
    """Return what ``page`` is expected to show under each setting of ``offer`` that the model knows.

    Args:
        gesture: of the kind that the model is of.

    Raises:
        ValueError: the page is unlike all that was learnt from; the message says in what.

    Example:
        >>> fit, models = load_web_fit(Path("web-fit"), "emulated:sdm845", "scroll")     # doctest: +SKIP
        >>> model = way_of(page, models)                                                 # doctest: +SKIP
        >>> offer = Offer.of(model, target.settings(), target.profile, 60.0)             # doctest: +SKIP
        >>> choose_setting(frame_estimates(model, page, gesture, offer), 60).reason      # doctest: +SKIP
    """
    if not offer.settings:
        raise ValueError(f"only settings on {', '.join(model.clusters)} can be predicted; none is offered")
    X = _rows(model, page, gesture, offer.columns)
    inside = np.flatnonzero(model.rate.is_inside(X))
    if not len(inside):
        model.rate.predict(X)  # says why
    figures = model.rate.estimate(X[inside], page.effect).tolist()
    return [
        FrameEstimate(offer.settings[place], fps, low_fps, high_fps, busy, offer.powers_mw[place])
        for place, (fps, low_fps, high_fps, busy) in zip(inside, figures, strict=True)
    ]


def observed(
    page: PageState,
    model: WayModel,
    gesture: GestureLike,
    runs: Sequence[tuple[Setting, float]],
    offer: Offer,
) -> PageState:
    """Return ``page`` with what runs of it showed: the next estimates of this kind of gesture follow them.

    Args:
        runs: all settings that a gesture ran under so far, and the frames per second that were displayed.
        offer: with these settings.

    Raises:
        ValueError: as ``frame_estimates``, or a run without frames.
    """
    places = [offer.settings.index(setting) for setting, _ in runs]
    X = _rows(model, page, gesture, offer.columns[places])
    return replace(page, effect=model.rate.observe(X, np.array([fps for _, fps in runs])))


def _rows(model: WayModel, page: PageState, gesture: GestureLike, columns: np.ndarray) -> np.ndarray:
    features = feature_vector(page.features, gesture_features(gesture), model.names)
    if model.way == RUN and page.most_fps is not None:
        columns = columns.copy()
        columns[:, 1] = page.most_fps
    return model.inputs(columns, np.array([work_vector(page.work_ms or {})]), np.array([features]))


def choose_setting(
    estimates: Sequence[FrameEstimate], target_fps: float, margin_pct: float = 0.0
) -> WebChoice:
    """Return the cheapest setting whose lower bound holds ``target_fps``, or is as good as the best one.

    Where no bound holds it, a faster clock that promises 1 % more frames at most is not worth its power.
    A bisection per cluster, as for frames of a network: a frame's latency is the time from one displayed
    frame to the next, and what counts as energy is the core's busy time.

    Args:
        margin_pct: headroom on the target, as far as the display shows as many.

    Raises:
        ValueError: no estimates, or a target that is no frame rate.
    """
    if not 0 < target_fps <= 1000:
        raise ValueError(f"the target is {target_fps:g} FPS; it must be above 0, at most 1000")
    by_option = {Option("gesture", each.setting): each for each in estimates}
    most_fps = max((each.high_fps for each in estimates), default=target_fps)
    asked_fps = max(target_fps, min(target_fps * (1 + margin_pct / 100.0), most_fps))
    held_fps = HELD_SHARE * asked_fps
    surest_fps = max((each.low_fps for each in estimates), default=held_fps)
    floor_fps = min(held_fps, _AS_GOOD * surest_fps)
    knows_power = any(each.power_mw is not None for each in estimates)
    goal = Goal("awake" if knows_power else "core-time", floor_fps, 1000.0 / floor_fps)

    def model(options: Sequence[Option]) -> list[Estimate]:
        return [_as_frame(option, by_option[option], floor_fps) for option in options]

    found = choose(by_option, model, goal)
    chosen, *others = (
        by_option[Option(each.variant, each.setting)] for each in (*found.winners, *found.losers)
    )
    holds = chosen.low_fps >= held_fps
    return WebChoice(chosen, target_fps, holds, tuple(others), _reason(chosen, others, target_fps))


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
    floor = f"{HELD_SHARE:.0%} of {target_fps:g} FPS"
    told = f"{chosen.fps:.3g} FPS expected, at least {chosen.low_fps:.3g}"
    if chosen.low_fps < HELD_SHARE * target_fps:
        return f"no setting is sure to hold {floor}; {chosen.setting} is as sure as any: {told}"
    cost = "" if chosen.mean_mw is None else f" for {chosen.mean_mw:.3g} mW"
    beside = [
        f"{other.setting} "
        + (
            f"shows at least {other.low_fps:.3g}"
            if other.low_fps < HELD_SHARE * target_fps
            else f"takes {other.mean_mw or 0:.3g} mW"
        )
        for other in others
    ]
    return f"{chosen.setting} holds {floor}{cost}: {told}" + (f"; {'; '.join(beside)}" if beside else "")
