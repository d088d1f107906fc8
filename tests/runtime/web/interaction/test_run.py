import pytest

from runtime.device.setting import Setting
from runtime.errors import PageError
from runtime.targets import LocalTarget
from runtime.web.gestures.gesture import parse_gesture
from runtime.web.interaction.local_machine import LocalMachine
from runtime.web.interaction.run import RunPlan, measure
from runtime.web.interaction.subject import load
from tests.runtime.web.toys import busy
from tests.runtime.web.toys import page as toy

TEXT = "".join(f"<p>line {i} of a page with some words" for i in range(400))


@pytest.fixture(scope="module")
def machine():
    return LocalMachine(LocalTarget())


def run(machine, cdp, url, gesture="scroll", duration_s=1.0):
    subject = load(cdp, url, "toy")
    try:
        plan = RunPlan(parse_gesture(gesture), Setting(machine.profile.clusters[-1].name, None), duration_s)
        with machine.placed(subject, plan.setting) as held:
            return measure(machine, subject, held, plan)
    finally:
        subject.page.close()


def test_work_at_each_scroll_shows_in_the_main_thread_s_time(machine, cdp):
    light, heavy = run(machine, cdp, toy(TEXT)), run(machine, cdp, busy(25))
    # The compositor goes on showing frames that the main thread had no part in: less than 25 ms each.
    assert heavy.gesture.work_ms["main"] > light.gesture.work_ms["main"] + 6
    assert heavy.gesture.frame_work_ms > light.gesture.frame_work_ms + 6
    assert 0 < heavy.fps <= 61
    assert light.fps <= 61


def test_a_record_says_what_was_done_and_where(machine, cdp):
    record = run(machine, cdp, toy("short", screens=2), "scroll:1800")
    assert (record.model, record.variant, record.engine) == ("toy", "scroll-1800", "chromium")
    assert "Chrom" in record.versions["engine"]
    assert record.gesture.turned  # one screen of 915 px for 1800
    assert record.gesture.window_s == pytest.approx(1.0, abs=0.05)
    assert sum(record.samples_ms) == pytest.approx(1000, abs=50)
    assert record.fps == pytest.approx(record.gesture.displayed_frames / record.gesture.window_s)
    assert record.setting_read.threads == 1
    assert record.provenance == "measured"


def test_an_inner_scroller_is_scrolled_and_named(machine, cdp):
    body = f"<div id=list style='height:600px;overflow:auto'>{TEXT}</div>"
    assert run(machine, cdp, toy(body, screens=1)).gesture.scroller == "div#list"


def test_pinches_and_flings_are_measured_too(machine, cdp):
    for gesture in ("pinch", "fling@touch"):
        record = run(machine, cdp, toy(TEXT), gesture)
        assert record.gesture.displayed_frames > 10, gesture


def test_a_page_of_one_screen_is_refused_by_name(machine, cdp):
    with pytest.raises(PageError, match="toy: the page can be scrolled by 0 px"):
        run(machine, cdp, toy("short", screens=0.5))


def test_a_page_that_leaves_in_mid_gesture_is_told(machine, cdp):
    leaving = "addEventListener('scroll', () => { location.href = 'about:blank' })"
    with pytest.raises(PageError, match="went to about:blank"):
        run(machine, cdp, toy(TEXT, script=leaving))


def test_a_dialog_in_mid_gesture_does_not_stop_it(machine, cdp):
    asking = "let n = 0; addEventListener('scroll', () => { if (n++ == 20) alert('hello') })"
    assert run(machine, cdp, toy(TEXT, script=asking)).gesture.displayed_frames > 10
