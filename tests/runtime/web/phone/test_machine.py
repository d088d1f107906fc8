"""Gestures in a phone's browser: a real Chromium behind a phone that is not there."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
import pytest

from runtime.device.setting import Setting
from runtime.errors import DeviceTransientError, WebError
from runtime.targets.adb.target import AdbTarget
from runtime.targets.restoring import restore_target
from runtime.web.browser.attach import CHROME_SOCKET
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.page import pages_of
from runtime.web.gestures.gesture import parse_gesture
from runtime.web.interaction.job import Measured, PageToMeasure, Remark, Step, WebJob, known_runs
from runtime.web.interaction.remote import measure_job
from runtime.web.interaction.series import run_job
from runtime.web.pages.server import serve
from runtime.web.phone.machine import PhoneMachine
from tests.places import ROOT
from tests.runtime.web.toys import PHONE_META

TEXT = f"<title>toy</title>{PHONE_META}" + "".join(
    f"<p>line {i} of a page with some words" for i in range(400)
)
WHOLE = Setting("little+mid+big", None)
BIG = Setting("big", 1277000)


@pytest.fixture
def url(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page.html").write_text(TEXT)
    with serve(folder) as site:
        yield site.url("page.html")


def measure(url, setting=WHOLE, on_message=lambda message: None, **given):
    """Return the records of a job on the phone."""
    plan = {"duration_s": 0.5, "least_runs": 1, "most_runs": 1} | given
    job = WebJob((PageToMeasure("toy", url, (setting,)),), (parse_gesture("scroll"),), **plan)
    records = []

    def take(message):
        on_message(message)
        if isinstance(message, Measured):
            records.append(message.record)

    run_job(PhoneMachine(AdbTarget("P6")), job, take)
    return records


def during(text, phone, act):
    """Return a listener that calls ``act`` while the gesture lasts whose step has ``text`` in it."""

    def wait():
        while not list(phone.root.glob("data/local/tmp/edgekit/*.watch")):  # its frames are counted
            time.sleep(0.02)
        time.sleep(0.4)
        act()

    def listen(message):
        if isinstance(message, Step) and text in message.text:
            threading.Thread(target=wait, daemon=True).start()

    return listen


def test_without_root_a_page_is_measured_at_the_phone_s_own_clocks_and_that_is_said(phone, with_chrome, url):
    with_chrome(phone)
    before = phone.clocks()
    (record,) = measure(url, with_details=False)
    assert (record.target, record.provenance, record.setting) == ("adb:P6", "measured", WHOLE)
    assert record.control_level == "threads"
    assert any("it is measured and not governed: the phone gives no root" in each for each in record.reasons)
    assert record.device["name"] == "Google Pixel 6 (oriole)"
    assert record.versions["kernel"].startswith("Linux 5.10")
    assert record.gesture.displayed_frames > 10
    assert record.gesture.work_ms["main"] > 0
    assert record.gesture.refresh_hz == record.fps_target == 60
    assert record.before.battery_status == "Charging"
    assert "'Charging', its current is not the drain: unplug the charger" in record.energy_source
    assert phone.clocks() == before
    known = known_runs([replace(record, verdict="stable", reasons=())])
    assert measure(url, known=known) == []
    calls = (phone.path.parent.parent / "calls").read_text()
    port = url.split(":")[2].partition("/")[0]
    assert calls.count(f"reverse tcp:{port} tcp:{port}") == 2  # once for each job
    assert f"reverse --remove tcp:{port}" in calls
    assert "forward --remove" in calls


def test_with_root_and_no_taskset_a_phone_is_not_governed_either(rooted):
    (rooted.path / "bin/taskset").unlink()
    machine = PhoneMachine(AdbTarget("P6"))
    assert machine.settings() == (WHOLE,)
    assert "not governed: the phone has no taskset" in machine.remarks[0]


def test_a_page_is_laid_out_for_the_phone_s_own_screen(phone, with_chrome, cdp, url):
    with_chrome(phone)
    seen = []
    measure(url, on_message=during("run 1", phone, lambda: seen.append(_outer_width(cdp, url))), duration_s=1)
    assert seen == [_outer_width_of_a_tab(cdp)]  # nothing is emulated: not 412


def _outer_width(cdp, url):
    (page,) = (info for info in pages_of(cdp) if info["url"] == url)
    session = cdp.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
    return cdp.call("Runtime.evaluate", session, expression="outerWidth")["result"]["value"]


def _outer_width_of_a_tab(cdp):
    target = cdp.call("Target.createTarget", url="about:blank")["targetId"]
    session = cdp.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    found = cdp.call("Runtime.evaluate", session, expression="outerWidth")["result"]["value"]
    cdp.call("Target.closeTarget", targetId=target)
    return found


@pytest.mark.slow
def test_the_compositor_s_count_of_what_chromium_displays_agrees_with_the_trace(
    phone, with_chrome, displaying, url
):
    with_chrome(phone)
    displaying(phone)
    (record,) = measure(url, duration_s=3)
    assert record.gesture.counted_again == pytest.approx(record.gesture.displayed_frames, rel=0.02, abs=1)
    assert not any("apart" in reason for reason in record.reasons)


def test_a_compositor_that_counts_half_the_frames_makes_the_run_unstable(phone, with_chrome, ticking, url):
    with_chrome(phone)
    ticking(phone, 7)
    (record,) = measure(url)
    assert record.gesture.counted_again in (3, 4)
    assert record.verdict == "unstable"
    assert "apart (limit 2 %)" in record.reasons[0]
    assert "dumpsys SurfaceFlinger --list" in record.advice[0]


def test_a_display_of_120_hz_is_measured_against_its_own_rate(phone, with_chrome, url):
    with_chrome(phone)
    phone.refresh(60, 120)
    (record,) = measure(url, with_details=True, most_runs=1)[:1]
    assert record.gesture.refresh_hz == record.fps_target == pytest.approx(120, abs=0.01)


def test_with_root_clock_and_threads_are_held_while_the_gesture_lasts_and_restored(rooted, with_chrome, url):
    with_chrome(rooted)
    before = rooted.clocks()
    seen = []
    look = during(
        "run 1", rooted, lambda: seen.append((rooted.cpufreq(6, "scaling_cur_freq"), rooted.masks()))
    )
    (record,) = measure(url, BIG, look, duration_s=2)
    ((khz, masks),) = seen
    assert khz == "1277000"
    assert len(masks) > 20
    assert set(masks.values()) == {"80"}  # CPU 7, the last of the big ones
    assert rooted.clocks() == before
    assert set(rooted.masks().values()) == {"ff"}
    assert (record.setting, record.setting_read, record.control_level) == (BIG, BIG, "sysfs")
    assert record.gesture.capacity == pytest.approx(1024 * 1277 / 2850, rel=0.01)
    assert not any("not governed" in reason for reason in record.reasons)


@pytest.mark.slow
def test_a_phone_that_disconnects_in_mid_gesture_keeps_records_and_is_restored_when_it_is_back(
    rooted, with_chrome, url
):
    with_chrome(rooted)
    before, done = rooted.clocks(), []
    pull = during("run 2", rooted, lambda: rooted.set_state(None))
    page = PageToMeasure("toy", url, (BIG,))
    job = WebJob((page,), (parse_gesture("scroll"),), duration_s=2, least_runs=2, most_runs=2)
    with pytest.raises(DeviceTransientError, match="adb knows no phone 'P6' now"):
        measure_job("adb:P6", job, done.append, on_step=lambda text: pull(Step(text)))
    assert len(done) == 1
    assert rooted.clocks() != before
    rooted.set_state("device")
    restored = restore_target("adb:P6")
    assert {each.action for each in restored} == {"restored"}
    assert rooted.clocks() == before
    assert set(rooted.masks().values()) == {"ff"}


def test_a_screen_that_goes_dark_in_mid_gesture_ends_the_job_and_keeps_records(phone, with_chrome, url):
    with_chrome(phone)
    done = []

    def take(message):
        done.extend([message.record] if isinstance(message, Measured) else [])
        during("run 2", phone, lambda: phone.say("power", "  mWakefulness=Asleep\n"))(message)

    with pytest.raises(DeviceTransientError, match=r"its screen is off \(Asleep\); wake and unlock"):
        measure(url, on_message=take, most_runs=2, least_runs=2, duration_s=1)
    assert len(done) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_however_a_run_on_a_rooted_phone_ends_in_mid_gesture_it_can_be_restored(
    rooted, with_chrome, url, how
):
    with_chrome(rooted)
    before = rooted.clocks()
    job = WebJob((PageToMeasure("toy", url, (BIG,)),), (parse_gesture("scroll"),), duration_s=20)
    ends, marks = threading.Event(), rooted.root / "data/local/tmp/edgekit"
    with subprocess.Popen(
        [sys.executable, "-m", "runtime.web.phone.worker", "P6"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as worker:  # fmt: skip
        worker.stdin.write(msgspec.json.encode(job) + b"\n")
        worker.stdin.flush()
        while b"run 1" not in worker.stdout.readline():
            assert worker.poll() is None
        during("", rooted, ends.set)(Step(""))
        assert ends.wait(30)
        assert set(rooted.masks().values()) == {"80"}
        worker.send_signal(how)
        worker.wait(30)
    for mark in marks.glob("*.watch"):
        mark.unlink()  # what still looks at the phone ends
    actions = {each.action for each in restore_target("adb:P6")}
    assert actions == ({"restored"} if how == signal.SIGKILL else set())
    assert rooted.clocks() == before
    assert set(rooted.masks().values()) == {"ff"}


@pytest.mark.slow
def test_a_browser_that_its_user_closes_in_mid_gesture_ends_the_job_and_keeps_records(chromium, phone, url):
    told = []
    with Browser(Launch(chromium)) as browser:
        phone.listen(CHROME_SOCKET, urlsplit(browser.endpoint).port)
        close = during("run 2", phone, browser.close)

        def take(message):
            told.append(message)
            close(message)

        with pytest.raises(WebError, match="adb:P6: nobody answers at chrome_devtools_remote; open Chrome"):
            measure(url, on_message=take, most_runs=2, least_runs=2, duration_s=2)
    assert sum(isinstance(message, Measured) for message in told) == 1
    assert any("the phone's browser is attached to again" in m.text for m in told if isinstance(m, Remark))


def test_a_page_that_another_app_covers_is_not_measured(phone, with_chrome, url, tmp_path):
    with_chrome(phone)
    covered = "<script>Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})</script>"
    (tmp_path / "site/page.html").write_text(TEXT + covered)
    with pytest.raises(DeviceTransientError, match="is not on the screen, another app or tab is"):
        measure(url)


def test_a_phone_without_chrome_or_root_for_a_port_says_what_to_do(phone, with_chrome, url):
    phone.write("proc/net/unix", "Num RefCount Protocol Flags Type St Inode Path\n")
    with pytest.raises(
        WebError, match=r"adb:P6 has no socket chrome_devtools_remote.*open Chrome on the phone"
    ):
        measure(url)
    with_chrome(phone)
    (phone.path / "on_reverse").write_text("echo 'adb: error: cannot bind listener' >&2; exit 1")
    with pytest.raises(DeviceTransientError, match=r"the phone is to reach port .* of this machine"):
        measure(url)


def test_an_app_s_web_view_shows_what_it_showed_before(phone, with_chrome, cdp, url):
    socket = "webview_devtools_remote_512"
    with_chrome(phone, socket)
    shown = lambda: [info["url"] or "about:blank" for info in pages_of(cdp)]  # noqa: E731
    before = shown()
    (record,) = measure(url, devtools=socket)
    assert record.gesture.displayed_frames > 10
    assert shown() == before


@pytest.mark.slow
def test_the_fuel_gauge_of_an_unplugged_phone_tells_what_the_gesture_took(phone, with_chrome, url):
    battery, ended = "sys/class/power_supply/battery", threading.Event()
    for name, text in (("status", "Discharging"), ("current_now", "-200000"), ("voltage_now", "4000000")):
        phone.write(f"{battery}/{name}", text + "\n")

    def drain():
        number = 0
        while not ended.wait(0.1):
            number += 1
            phone.set(f"{battery}/current_now", f"-{200000 + number % 7 * 100}\n")

    thread = threading.Thread(target=drain)
    thread.start()
    with_chrome(phone)
    try:
        (record,) = measure(url, duration_s=4)
    finally:
        ended.set()
        thread.join()
    assert record.power_mw == pytest.approx(800, rel=0.05), record.energy_source
    assert record.energy_mj == pytest.approx(
        800 * record.energy.duration_s / record.gesture.displayed_frames, rel=0.05
    )
    assert record.energy_source.startswith("measured: battery battery, voltage x current")
    assert "read on the phone every 0.2 s, while the gesture lasted" in record.energy.notes
