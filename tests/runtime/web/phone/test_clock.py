"""A phone's clock is not this machine's: Chromium in a time namespace has another one, too."""

import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from runtime.targets.adb.target import AdbTarget
from runtime.web.browser.attach import CHROME_SOCKET
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.clock import clock_ahead_s
from runtime.web.browser.connection import Connection
from runtime.web.browser.host import Host
from runtime.web.browser.page import open_page
from runtime.web.gestures.gesture import parse_gesture
from runtime.web.interaction.job import FeaturesRead, Measured, PageToMeasure, WebJob
from runtime.web.interaction.series import run_job
from runtime.web.phone.machine import PhoneMachine
from tests.runtime.web.toys import page as toy

AHEAD_S = 5000
SHIFTED = ("unshare", "-T", "--monotonic", str(AHEAD_S), "--")
TEXT = "".join(f"<p>line {i} of a page with some words" for i in range(400))


@pytest.fixture
def shifted(chromium, tmp_path):
    """A browser whose clock is ahead."""
    if shutil.which("unshare") is None or subprocess.run([*SHIFTED, "true"], capture_output=True).returncode:
        pytest.skip("no time namespaces here; run as root")
    program = tmp_path / "chromium"
    program.write_text(f'#!/bin/sh\nexec {" ".join(SHIFTED)} {chromium} "$@"\n')
    program.chmod(0o755)
    with Browser(Launch(program)) as browser:
        yield browser


def test_another_clock_is_known_to_some_ms(shifted, cdp):
    with Connection(shifted.endpoint, Host(is_remote=True)) as connection, open_page(connection) as page:
        page.navigate(toy("text"))
        assert clock_ahead_s(page) == pytest.approx(AHEAD_S, abs=0.02)
    with open_page(cdp) as page:
        assert clock_ahead_s(page) == 0


def test_frames_and_the_probe_s_are_found_on_the_phone_s_clock(shifted, phone):
    phone.listen(CHROME_SOCKET, urlsplit(shifted.endpoint).port)
    setting = PhoneMachine(AdbTarget("P6")).settings()[0]
    job = WebJob(
        (PageToMeasure("toy", toy(TEXT), (setting,)),), (parse_gesture("scroll"),),
        duration_s=0.5, least_runs=1, most_runs=1, read_features=("toy",),
    )  # fmt: skip
    told = []
    run_job(PhoneMachine(AdbTarget("P6")), job, told.append)
    (record,) = (message.record for message in told if isinstance(message, Measured))
    (features,) = (message.features for message in told if isinstance(message, FeaturesRead))
    assert record.gesture.displayed_frames > 10
    assert features.values["probe_fps"] > 5
