import time

import pytest

from runtime.errors import DeviceTransientError
from runtime.targets.adb.shell import AdbShell
from runtime.web.phone.display import PhoneDisplay, check_lit, parse_peak_hz, read_peak_hz
from tests.runtime.web.phone.conftest import LAYER, OTHERS

CHROME = "com.android.chrome"
EVERY_NS = 16_666_667


def display_of(package=CHROME):
    display = PhoneDisplay(AdbShell("P6"))
    display.package = package
    return display


@pytest.mark.parametrize(
    ("rates", "now", "most"), [((60,), 60, 60), ((60, 120, 90), 90, 120), ((144,), 144, 144)]
)
def test_the_refresh_rate_is_the_phone_s(phone, rates, now, most):
    phone.refresh(*rates)
    assert display_of().refresh_hz == pytest.approx(now, rel=1e-4)
    assert read_peak_hz(AdbShell("P6")) == most


def test_a_display_that_tells_no_modes_has_no_peak():
    assert parse_peak_hz("Can't find service: display") is None


def test_frames_of_the_browser_s_layer_are_counted_while_it_is_watched(phone):
    base_ns = time.monotonic_ns()
    with display_of().watched() as watch:
        phone.present(*(base_ns + n * EVERY_NS for n in range(1, 91)))
        time.sleep(0.1)
        phone.present(*(base_ns + n * EVERY_NS for n in range(91, 121)))
        phone.present(9223372036854775807)  # not on the display yet
    assert watch.fault is None
    assert len([time_s for time_s in watch.times_s if time_s > base_ns / 1e9]) == 120
    assert watch.times_s == tuple(sorted(watch.times_s))


def test_frames_that_were_overwritten_leave_no_count(phone):
    with display_of().watched() as watch:
        time.sleep(0.2)  # it is looked at
        phone.present(*(time.monotonic_ns() + n * EVERY_NS for n in range(400)))
    assert "overwritten" in watch.fault


@pytest.mark.parametrize(
    ("package", "layers", "reason"),
    [
        (None, (LAYER,), "does not tell which app"),
        ("org.other.app", (LAYER,), "lists no layer of org.other.app"),
        (CHROME, (OTHERS[1],), "tells no times of frames"),
    ],
)
def test_why_frames_cannot_be_counted_again_is_said_and_the_rate_is_read_all_the_same(
    phone, package, layers, reason
):
    phone.draw(*layers)
    phone.refresh(120)
    with display_of(package).watched() as watch:
        pass
    assert reason in watch.fault
    assert watch.refresh_hz == pytest.approx(120)


def test_a_display_that_speeds_up_for_a_gesture_counts_at_its_best_and_says_so(phone):
    phone.refresh(120, 60)
    display = display_of()
    assert display.refresh_hz == pytest.approx(60)
    with display.watched() as watch:
        time.sleep(0.2)
        phone.refresh(60, 120)
    assert watch.refresh_hz == display.refresh_hz == pytest.approx(120, rel=1e-4)
    assert watch.remarks == ("its display refreshed at 60 and 120 Hz by turns",)


@pytest.mark.parametrize(
    ("service", "text", "reason"),
    [
        ("power", "  mWakefulness=Asleep\n", r"its screen is off \(Asleep\)"),
        ("power", "  mWakefulness=Dozing\n", "its screen is off"),
        ("window", "  KeyguardServiceDelegate\n    showing=true\n", "its screen is locked"),
        ("window", "    mShowingLockscreen=true mShowingDream=false\n", "its screen is locked"),
        ("window", "  mDreamingLockscreen=true\n", "its screen is locked"),
    ],
)
def test_a_dark_or_locked_phone_is_not_measured(phone, service, text, reason):
    check_lit(AdbShell("P6"))
    phone.say(service, text)
    with pytest.raises(
        DeviceTransientError, match=rf"adb:P6: {reason}.*Stay awake.*what was measured is kept"
    ):
        check_lit(AdbShell("P6"))
