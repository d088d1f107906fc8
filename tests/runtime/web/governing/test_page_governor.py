"""A real browser under a governor whose machine is a tree of files: nothing gets slower, all else is true."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from runtime.errors import PageError, WebError
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from runtime.web.browser.chromium import Browser
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import Page, open_page
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import perform
from runtime.web.gestures.room import look
from runtime.web.gestures.strokes import strokes_of
from runtime.web.governing.accepted import AcceptedRates
from runtime.web.governing.gesture_records import record_of
from runtime.web.governing.goal import FrameGoal
from runtime.web.governing.page_governor import PageGovernor
from runtime.web.governing.work_model import WorkModel
from runtime.web.learning.measured import measured
from runtime.web.learning.pages import KnownPage
from runtime.web.learning.table import gesture_table
from tests.runtime.fake_device import wait_for
from tests.runtime.web.governing.pages import NAMES, PAGE, ROWS


class User:
    """Somebody else's hands on the page, in a thread: what they do, and then the governor ends."""

    def __init__(self, browser, page, act):
        self._browser, self._target, self._act = browser, page.target, act
        self._fault, self._thread = None, threading.Thread(target=self._use)
        self.may_act = threading.Event()

    def _use(self):
        try:
            with (
                Connection(self._browser.endpoint) as connection,
                Page(connection, self._target, None, is_ours=False) as page,
            ):
                assert self.may_act.wait(60)
                self._act(page)
                time.sleep(1.0)
        except Exception as err:  # noqa: BLE001  raised in the test's thread
            self._fault = err

    @contextmanager
    def busy(self):
        self._thread.start()
        yield lambda: not self._thread.is_alive()
        self._thread.join()
        if self._fault is not None:
            raise self._fault


def govern(browser, page, phone, act, count=0, **goal):
    """Govern while a user acts, and until so many gestures are over; return them."""
    done, messages, model = [], [], WorkModel(ROWS.rows)
    governor = PageGovernor(
        page,
        model,
        FrameGoal(**goal),
        phone.path,
        name_of=lambda url: NAMES.get(url, url),
        on_message=messages.append,
        on_gesture=done.append,
    )
    user = User(browser, page, act)
    with user.busy() as is_over:
        end_s = time.monotonic() + 60
        governor.govern(
            lambda: is_over() and (len(done) >= count or time.monotonic() > end_s), user.may_act.set
        )
    assert messages == []
    return done, model


def scroll(page, speed=1800.0, seconds=1.0):
    perform(page, strokes_of(Gesture("scroll", speed), look(page), seconds))


def test_a_gesture_has_its_setting_and_between_gestures_the_slowest_runs(browser, page, phone):
    done, model = govern(browser, page, phone, lambda page: (scroll(page), time.sleep(0.5), scroll(page)), 2)
    assert len(done) >= 2  # more where this machine is so busy that it pauses within one
    for gesture in done:
        assert (gesture.kind, gesture.source) == ("scroll", "wheel")
    longest = max(done, key=lambda gesture: gesture.window_s)
    assert 500.0 < longest.speed < 6000.0  # of 1800
    assert 0.4 < longest.window_s < 4.0  # of 1
    assert any(gesture.frames for gesture in done)
    idle, fastest = model.idle, model.fastest
    slow, fast = (idle.cluster, idle.freq_khz), (fastest.cluster, fastest.freq_khz)
    assert phone.held[:2] == [fast, slow]  # what draws the page is found at the fastest
    assert phone.held[-1] == slow
    assert any(setting not in (slow, fast) for setting in phone.held)
    assert done[-1].settings[-1][1] in {row.setting for row in ROWS.rows}
    assert phone.governor.frames >= 15
    tids, _ = phone.moved[0]
    assert len(tids) > 15  # of two processes
    time.sleep(0.2)
    assert phone.governors() == ["schedutil"] * 3


def test_a_page_that_loads_is_given_the_fastest_setting(browser, page, phone):
    def load(own):
        own.navigate(PAGE + "<p>another")

    govern(browser, page, phone, load)
    fastest = WorkModel(ROWS.rows).fastest
    assert phone.held[2:4] == [(fastest.cluster, fastest.freq_khz)] * 2
    assert phone.held[-1] != phone.held[2]


def test_the_frames_that_users_accept_take_a_slower_setting(browser, page, phone):
    (done, *_), _ = govern(browser, page, phone, scroll, 1, accepted=AcceptedRates())
    assert done.fps_target == 23.0  # it has no image
    (fast, *_), _ = govern(browser, page, phone, scroll, 1)
    assert fast.fps_target == 60.0
    assert done.capacity < fast.capacity


def test_a_page_that_is_closed_ends_it_and_everything_is_as_it_was(browser, page, phone):
    def close(own):
        own.connection.call("Target.closeTarget", targetId=own.target)

    with pytest.raises(PageError, match="the page is gone"):
        govern(browser, page, phone, close)
    time.sleep(0.2)
    assert phone.governors() == ["schedutil"] * 3


def test_a_governed_gesture_is_a_record_to_learn_from(browser, page, phone, tmp_path):
    plan = SimpleNamespace(name="emulated:gs101", target=open_target("local"))
    (done, *_), _ = govern(browser, page, phone, scroll, 1)
    known = replace(
        done, frames=50, gaps_ms=(20.0,) * 50, work_by_role_ms={"main": 1.0}, settings=done.settings[:1]
    )
    record = record_of(known, plan, 60.0)
    log = RecordLog(tmp_path / "governed.jsonl")
    log.append(record)
    ((row,), left_out) = measured(log, include_unstable=True)
    assert (row.kind, row.fps, left_out) == ("scroll", pytest.approx(50 / done.window_s), {})
    assert row.capacity == pytest.approx(done.capacity)
    assert record.model == "corpus/rows"
    taught = {"corpus/rows": KnownPage("corpus/rows", "rows", {"dom_elements": 400.0})}
    assert gesture_table([row], taught).is_read.all()
    assert len(record.model_sha256) == 64
    assert record_of(replace(known, settings=done.settings[:1] * 2), plan, 60.0) is None
    assert record_of(replace(known, work_by_role_ms=None), plan, 60.0) is None


class Scrolling:
    """Hands that scroll without an end, in a thread."""

    def __init__(self, page):
        self.stop, self._page = threading.Event(), page
        self._thread = threading.Thread(target=self._scroll)

    def __enter__(self):
        self._thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *error):
        self.stop.set()
        self._thread.join()

    def _scroll(self):
        down = 30
        while not self.stop.wait(1 / 60):
            down = -down if time.monotonic() % 4 < 1 / 60 else down
            wheel = {"type": "mouseWheel", "x": 200, "y": 300, "deltaX": 0, "deltaY": down}
            try:
                self._page.connection.send("Input.dispatchMouseEvent", self._page.session, **wheel)
            except WebError:
                return


def test_a_gesture_that_a_navigation_cuts_off_is_dropped_and_the_next_page_governed(browser, page, phone):
    other = PAGE + "<p>another"

    def act(own):
        with Scrolling(own):
            own.navigate(other)
        time.sleep(3.0)  # the page is looked at anew, on a machine that others use, too
        scroll(own)

    done, model = govern(browser, page, phone, act, 1)
    assert {gesture.page.name for gesture in done} == {other}
    assert phone.held[-1] == (model.idle.cluster, model.idle.freq_khz)


def test_a_page_that_asks_in_mid_gesture_waits_at_the_slowest_until_its_user_answers(browser, phone):
    with Connection(browser.endpoint) as connection:
        target = connection.call("Target.createTarget", url="about:blank")["targetId"]
        with Page(connection, target, None, is_ours=False) as page:
            page.navigate(PAGE)
            idle = WorkModel(ROWS.rows).idle

            def act(own):
                with Scrolling(own):
                    own.connection.send("Runtime.evaluate", own.session, expression="confirm('sure?')")
                    assert wait_for(lambda: phone.held[-1] == (idle.cluster, idle.freq_khz))
                own.call("Page.handleJavaScriptDialog", accept=True)
                time.sleep(3.0)  # frames are traced anew, on a machine that others use, too
                scroll(own)

            done, _ = govern(browser, page, phone, act, 1)
        connection.call("Target.closeTarget", targetId=target)
    assert done
    assert done[-1].frames


def test_a_browser_that_its_user_closes_in_mid_gesture_ends_it_with_everything_restored(phone):
    with Browser() as own, Connection(own.endpoint) as connection, open_page(connection) as page:
        page.navigate(PAGE)
        governor = PageGovernor(page, WorkModel(ROWS.rows), FrameGoal(), phone.path)
        with Connection(own.endpoint) as hands, Page(hands, page.target, None, is_ours=False) as seen:
            closing = threading.Timer(1.0, own.close)
            with Scrolling(seen), pytest.raises(WebError, match=r"the browser|the page is gone"):
                governor.govern(lambda: False, closing.start)
    time.sleep(0.2)
    assert phone.governors() == ["schedutil"] * 3


def test_a_browser_that_is_closed_ends_it_within_a_second(phone):
    with Browser() as own, Connection(own.endpoint) as connection, open_page(connection) as page:
        page.navigate(PAGE)
        governor = PageGovernor(page, WorkModel(ROWS.rows), FrameGoal(), phone.path)
        closing = threading.Timer(0.5, own.close)
        with pytest.raises(WebError, match=r"the browser|the page is gone"):
            governor.govern(lambda: False, closing.start)
    time.sleep(0.2)
    assert phone.governors() == ["schedutil"] * 3


def test_a_page_that_asks_something_is_answered_by_its_user(browser, phone):
    with Connection(browser.endpoint) as connection:
        target = connection.call("Target.createTarget", url="about:blank")["targetId"]
        with Page(connection, target, None, is_ours=False) as page:
            page.navigate(PAGE)
            asked = threading.Event()
            page.listen("Page.javascriptDialogOpening", lambda event: asked.set())
            page.connection.send("Runtime.evaluate", page.session, expression="confirm('sure?')")
            assert asked.wait(10)
            time.sleep(0.3)
            page.call("Page.handleJavaScriptDialog", accept=True)  # fails where it was answered
        connection.call("Target.closeTarget", targetId=target)
