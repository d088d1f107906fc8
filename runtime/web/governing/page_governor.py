"""Governs the gestures of one page while it lives: watches, predicts, sets, looks, and learns.

Nothing tells of a frame while a gesture lasts, so its setting is predicted: at the first input by the
gesture before, after 50 ms by the speed that was read. An alarm that costs next to nothing sees frames
that come clearly slower. After the gesture a trace tells its frames, and the loop is closed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runtime.device.marker import find_marker
from runtime.device.setting import Setting
from runtime.errors import DeviceTransientError, PageError, WebError
from runtime.govern.governor.beside import PATIENCE_S
from runtime.govern.governor.client import Gestures
from runtime.web.browser.page import Page
from runtime.web.browser.processes import find_processes, threads_by_role
from runtime.web.governing.accepted import read_image_share
from runtime.web.governing.alarm import LOOK_S, Alarm
from runtime.web.governing.frame_watch import FrameWatch
from runtime.web.governing.gesture_run import GestureRun, GovernedGesture, PageIdentity
from runtime.web.governing.goal import FrameGoal
from runtime.web.governing.page_news import PageNews
from runtime.web.governing.tracking import Tracker
from runtime.web.governing.work_model import SPARE, GestureChoice, WorkModel
from runtime.web.interaction.subject import digest_of
from runtime.web.pages.features.reader import read_features

_TICK_S = 0.5  # between looks at whether to end, where nothing happens
_SAY_S = 20.0  # between two words to the governor, which gives a session up after a minute
_READ_S = 300.0  # between two looks at the frames of a page that rests: a trace of more would fill up
_FEATURES_MS = 150.0  # of reading a page that has just loaded; most of what is told lies in the first 100
_BOOST_S = 10.0  # a page that never loads does not keep the fastest clock for ever


class PageGovernor:
    """One page, its threads and its gestures.

    Args:
        page: that is there already.
        model: of settings, and of what the page's frames take.
        goal: frames a second that gestures are to have.
        socket: path of the governor that sets clocks.
        name_of: what records call the page at an address.
        now: monotonic seconds.
        on_message: called with each message.
        on_gesture: called with each gesture that is over.
    """

    def __init__(
        self,
        page: Page,
        model: WorkModel,
        goal: FrameGoal,
        socket: str,
        *,
        name_of: Callable[[str], str] = str,
        now: Callable[[], float] = time.monotonic,
        on_message: Callable[[str], None] = lambda message: None,
        on_gesture: Callable[[GovernedGesture], None] = lambda gesture: None,
    ):
        self._page, self._model, self._goal, self._socket, self._now = page, model, goal, socket, now
        self._name_of = name_of
        self._on_message, self._on_gesture = on_message, on_gesture
        self._tracker = Tracker(model.refresh_hz)
        acts = {"init": self._loading, "load": self._loaded, "ask": self._ask, "answer": self._answered}
        self._news = PageNews(page, self._tracker.note, acts, now)
        self._run: GestureRun | None = None
        self._is_asked, self._is_learnt = False, True
        self._image_share: float | None = None
        self._boosted_s = math.inf  # since when a page loads; infinite: none does
        self._said_s, self._said = 0.0, ""
        self._read_s = now()

    def govern(self, until: Callable[[], bool], on_ready: Callable[[], None] = lambda: None) -> None:
        """Govern until ``until`` says so, or the page is closed.

        Args:
            on_ready: called once it waits for gestures.

        Raises:
            WebError: the browser's processes cannot be seen, or it is gone.
            PageError: the page crashed.
            DeviceTransientError: the governor is gone.
        """
        fault: WebError | None = None
        try:
            with self._news:
                self._govern(until, on_ready)
        except WebError as err:
            fault = err
        if self._news.end:
            raise PageError(f"the page is gone ({self._news.end}); open it again") from fault
        if fault is not None:
            raise fault

    def _govern(self, until: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        self._drawing = find_processes(self._page)
        idle = self._model.idle
        tids = tuple(threads_by_role(self._drawing))
        held = Gestures(
            tids,
            idle.cluster,
            idle.freq_khz or 0,
            name="page",
            path=self._socket,
            patience_s=PATIENCE_S,
        )
        with held as self._held, FrameWatch(self._page.connection) as self._frames:
            self._check_held()
            self._learn_page()
            on_ready()
            while not until() and not self._news.end:
                self._step()

    def _step(self) -> None:
        """Wait for news, and do what is due."""
        now_s = self._now()
        wait_s = min(_TICK_S, self._tracker.due_s - now_s)
        if self._run is not None:
            wait_s = min(wait_s, LOOK_S if self._run.is_read else self._run.gesture.read_s - now_s)
        self._news.take(wait_s)
        self._tend(self._now())

    def _tend(self, now_s: float) -> None:
        gesture = self._tracker.gesture
        if self._is_asked:  # a page that waits for an answer gives none itself
            if now_s - self._said_s > _SAY_S:
                self._hold(self._setting)
        elif gesture is not None and self._run is None:
            self._begin(now_s)
        elif self._run is not None:
            run, kind, speed = self._run, self._run.gesture.kind, self._run.gesture.speed
            if not run.is_read and now_s >= run.gesture.read_s:
                run.is_read = True
                self._set(run, lambda: self._model.choose(kind, speed, run.fps_target))
            elif run.is_read and self._is_slow(run, now_s):
                run.alarms += 1
                self._set(run, lambda: self._model.faster(run.choice, kind, speed))
            elif run.may_be_weighed(now_s):
                self._weigh(run, now_s)
            if self._tracker.end(now_s) is not None:
                self._finish(run)
        elif now_s - self._boosted_s > _BOOST_S:
            self._loaded()
        elif not Path(f"/proc/{self._drawing.gpu}").exists():
            self._learn_page()  # it has started anew; or the browser is gone, which is said
        elif now_s - self._said_s > _SAY_S:
            self._hold(self._setting)
        elif now_s - self._read_s > _READ_S:
            self._read_frames(now_s)

    def _begin(self, now_s: float) -> None:
        gesture = self._tracker.gesture
        assert gesture is not None
        fps = self._goal.of(gesture.kind, self._image_share, self._identity.name)
        choice, choose_s, hold_s = self._decide(
            lambda: self._model.choose(gesture.kind, gesture.speed, fps), None
        )
        self._run = GestureRun(
            *(gesture, fps, choice, self._drawing),
            is_emulated=find_marker() is not None,
            now_s=now_s,
            refresh_hz=self._model.refresh_hz,
        )
        self._run.took(choose_s, hold_s)
        self._alarm.begin(self._now())

    def _set(self, run: GestureRun, choose: Callable[[], GestureChoice]) -> None:
        """Change a gesture's setting, if another one is chosen."""
        choice, choose_s, hold_s = self._decide(choose, run.choice.row)
        run.took(choose_s, hold_s)
        if hold_s is not None:
            now_s = self._now()
            run.set(choice, now_s)
            self._alarm.settle(now_s)

    def _is_slow(self, run: GestureRun, now_s: float) -> bool:
        """Whether frames come clearly slower than predicted, and would come sooner on a faster core."""
        return self._alarm.look(run.choice.fps, run.fps_target, now_s) and run.busy(now_s) >= SPARE

    def _weigh(self, run: GestureRun, now_s: float) -> None:
        """Choose anew by what a page's first gesture has used so far, if its core had time to spare."""
        run.is_weighed = True
        kind, speed = run.gesture.kind, run.gesture.speed
        if not self._model.knows(kind, speed) and (used := run.used(now_s)) < SPARE * run.capacity(now_s):
            self._model.weigh(kind, speed, used)
            self._set(run, lambda: self._model.choose(kind, speed, run.fps_target))

    def _decide(
        self, choose: Callable[[], GestureChoice], row: int | None
    ) -> tuple[GestureChoice, float, float | None]:
        """Return what is chosen in place of ``row``, how long that took, and its setting if it is another."""
        began_s = time.perf_counter()
        choice = choose()
        chosen_s = time.perf_counter()
        if choice.row == row:
            return choice, chosen_s - began_s, None
        self._hold(choice.setting)
        return choice, chosen_s - began_s, time.perf_counter() - chosen_s

    def _finish(self, run: GestureRun) -> None:
        """Read what came of a gesture, go back to the slowest setting, and learn."""
        self._run = None
        done = run.finish(self._read_frames(run.gesture.begin_s), self._identity)
        self._hold(self._model.idle if self._boosted_s == math.inf else self._model.fastest)
        if done.frames is not None:
            self._held.report(max(done.due, done.late), done.late)
        if done.fps is not None:
            self._alarm.learn(done.fps)
            if done.work_ms is not None:
                self._model.learn(
                    done.kind, done.speed, capacity=done.capacity, fps=done.fps, work_ms=done.work_ms
                )
        self._on_gesture(done)

    def _read_frames(self, begin_s: float) -> list[float] | None:
        self._read_s = self._now()
        times_s = self._frames.read(begin_s)
        self._say(self._frames.problem)
        return times_s

    def _hold(self, setting: Setting) -> None:
        self._setting, self._said_s = setting, self._now()
        answer = self._held.hold(setting.cluster, setting.freq_khz or 0)
        self._check_held()
        self._say(str(answer.get("unmoved") or answer.get("reason") or answer.get("error") or ""))

    def _check_held(self) -> None:
        if not self._held.is_governed:
            raise DeviceTransientError(
                f"the page is not governed any more: {self._held.problem}; start again"
            )

    def _learn_page(self) -> None:
        """Find out what draws the page, and what it shows; at the fastest, since the page computes for it."""
        self._hold(self._model.fastest)
        drawing = find_processes(self._page)
        if drawing != self._drawing:
            self._drawing = drawing
            self._held.use_threads(tuple(threads_by_role(drawing)))
        url = str(self._page.evaluate("location.href"))
        self._identity = PageIdentity(self._name_of(url), digest_of(self._page))
        self._model.begin_page(self._read_features() if self._model.reads_features else {})
        if self._goal.accepted is not None:
            self._image_share = read_image_share(self._page)
        self._alarm = Alarm.of(drawing, self._model.refresh_hz)
        self._hold(self._model.idle)

    def _read_features(self) -> Mapping[str, float]:
        try:
            return read_features(self._page, _FEATURES_MS).values
        except PageError as err:
            self._say(f"this page is governed by its gestures alone: {err}")
            return {}

    def _loading(self) -> None:
        self._drop()
        self._boosted_s = self._now()
        self._hold(self._model.fastest)

    def _loaded(self) -> None:
        """Learn what is there now; a page that went on meanwhile is learnt when it has loaded."""
        self._drop()
        self._boosted_s, self._is_learnt = math.inf, False
        try:
            self._learn_page()
            self._is_learnt = True
        except WebError as err:
            self._say(f"{err}; what draws the page before is still governed")
            self._hold(self._model.idle)

    def _drop(self) -> None:
        """Leave a gesture whose page is gone: its frames would be called another page's."""
        self._run = None
        self._tracker.drop()

    def _ask(self) -> None:
        """Rest while the page asks its user something: until he answers, it neither moves nor tells."""
        self._is_asked = True
        self._drop()
        self._hold(self._model.idle)

    def _answered(self) -> None:
        self._is_asked = False
        if self._boosted_s != math.inf:
            self._loading()
        elif not self._is_learnt:
            self._loaded()

    def _say(self, message: str) -> None:
        """Say something, unless it was said just before."""
        if message and message != self._said:
            self._on_message(message)
        self._said = message or self._said
