"""Settings for the first gestures of a page, by what others taught: its features are read as it loads.

From its second gesture on, a page's own frames tell more than other pages'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.choose.policy.estimate import Estimate
from runtime.device.soc import SocProfile
from runtime.device.soc.profile import FULL_CAPACITY
from runtime.errors import NotFittedError
from runtime.web.gestures.gesture import DEFAULT_SPEEDS, KINDS, typical_gesture
from runtime.web.governing.bend import Bend
from runtime.web.governing.work_model import MARGIN, GestureChoice, WorkModel, class_of
from runtime.web.learning.choice import (
    FrameEstimate,
    Offer,
    PageState,
    choose_setting,
    frame_estimates,
    way_of,
)
from runtime.web.learning.model import RUN, UNRUN, WayModel
from runtime.web.learning.storage import load_web_fit

# Speeds that predictions are made for, as a page loads: predicting takes longer than a gesture may wait.
_SPEEDS = tuple(2.0**power for power in range(8, 14))  # 256 to 8192 px/s, one of each class


class LearntModel(WorkModel):
    """As ``WorkModel``, with predictors of ``edgekit fit --kind web`` for what is not known yet.

    Args:
        folder: of the predictors.
        target: that they were learnt on.
        profile: of the machine.
        on_message: called with why a page is not predicted.

    Raises:
        NotFittedError: there is no predictor of any gesture on ``target``.
        DataError, VersionConflict: they cannot be read.
    """

    def __init__(
        self,
        rows: Sequence[Estimate],
        folder: Path,
        target: str,
        profile: SocProfile,
        refresh_hz: float = 60.0,
        margin: float = MARGIN,
        on_message: Callable[[str], None] = lambda message: None,
    ):
        fits = {}
        missing: NotFittedError | None = None
        for kind in KINDS:
            try:
                fits[kind] = load_web_fit(folder, target, kind)
            except NotFittedError as err:
                missing = err
        if not fits:
            assert missing is not None
            raise missing
        bends = {kind: bend_of(models) for kind, (_, models) in fits.items()}
        super().__init__(rows, refresh_hz, margin, bends)
        self._fits, self._profile, self._on_message = fits, profile, on_message
        self._row_of = {row.setting: number for number, row in enumerate(rows)}
        self._estimates: dict[tuple[str, int], list[FrameEstimate]] = {}
        self._unlike: set[str] = set()  # kinds of gesture that are not predicted on this page

    @property
    def reads_features(self) -> bool:
        """Whether a page's features are of use: they are."""
        return True

    def begin_page(self, features: Mapping[str, float]) -> None:
        """Forget the page before, and predict what this one shows."""
        super().begin_page(features)
        self._estimates.clear()
        self._unlike.clear()
        for kind, (_, models) in self._fits.items():
            page, problems = PageState(features), {}
            model = way_of(page, models)
            offer = Offer.of(model, (row.setting for row in self.rows), self._profile, self.refresh_hz)
            for speed in _SPEEDS:
                try:
                    gesture = typical_gesture(kind, speed)
                    self._estimates[kind, class_of(speed)] = frame_estimates(model, page, gesture, offer)
                except ValueError as err:  # unlike all pages, or gestures, that were learnt from
                    problems[class_of(speed)] = str(err)
            if not any(each == kind for each, _ in self._estimates):
                problem = problems[class_of(DEFAULT_SPEEDS[kind])]
                self._unlike.add(kind)
                self._on_message(f"{kind} of this page is not predicted: {problem}")

    def choose(self, kind: str, speed: float, fps: float) -> GestureChoice:
        """Return the cheapest setting whose lower bound has ``fps``; see the class.

        A bound that is far below its prediction costs a faster clock. To leave such pages to what the mean
        page takes was off by 38 instead of 2 % at 30 FPS, and missed it on every second stress page. A page
        unlike all others, which is mostly a heavy one, begins at the fastest, and shows there what it takes.
        """
        # Of a pinch, no speed is read.
        estimates = self._estimates.get((kind, class_of(speed or DEFAULT_SPEEDS[kind])))
        is_known = self.knows(kind, speed)
        if kind in self._unlike and not is_known:
            return self._at_fastest(kind, speed)
        if estimates is None or is_known:
            return super().choose(kind, speed, fps)
        chosen = choose_setting(estimates, min(fps, self.refresh_hz), 100.0 * self.margin).chosen
        setting = chosen.setting
        capacity = self._profile.capacity(setting.cluster, setting.freq_khz) / FULL_CAPACITY
        return GestureChoice(self._row_of[setting], setting, capacity, min(chosen.fps, self.refresh_hz))


def bend_of(models: Mapping[str, WayModel]) -> Bend:
    """Return the bend of a gesture by what was fitted of it, best with the work of its pages known."""
    curve = (models.get(RUN) or models[UNRUN]).frames.curve_
    return Bend(curve.sharpness, curve.ceiling)
