"""``edgekit web`` on a phone: a real Chromium behind one that is not there."""

import json
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.web.browser.attach import CHROME_SOCKET
from runtime.web.browser.chromium import Browser, Launch
from tests.runtime.targets.fake_phone import FakePhones

PAGE = "<meta name=viewport content='width=device-width'>" + "<p>words of a page" * 300
SHORT = ("--runs", 1, "--duration-s", 0.5)


@pytest.fixture
def phone(tmp_path, monkeypatch):
    pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
    return FakePhones(tmp_path, monkeypatch).add("P6")


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    return file


def run(*args):
    return CliRunner().invoke(cli, ["web", *map(str, args)])


def test_a_rate_that_the_phone_s_display_does_not_show_is_refused_before_anything_runs(phone, page, tmp_path):
    phone.refresh(120, 60)
    phone.write("proc/net/unix", "Num RefCount Protocol Flags Type St Inode Path\n")
    done = run("bench", page, "--target", "adb:P6", "--fps", 144, "-o", tmp_path / "records")
    assert done.exit_code == 2
    assert "144 frames a second on adb:P6; its display shows 120 at most: ask for no more" in done.output
    done = run("bench", page, "--target", "adb:P6", "--fps", 120, "-o", tmp_path / "records")
    assert "no browser runs on it" in done.output  # the rate is fine


def test_a_rate_that_a_browser_without_a_window_does_not_show_is_refused(page, tmp_path):
    done = run("bench", page, "--target", "emulated:sdm845", "--fps", 90, "-o", tmp_path / "records")
    assert done.exit_code == 2
    assert "90 frames a second on emulated:sdm845; its display shows 60 at most" in done.output


@pytest.mark.slow
def test_pages_are_measured_and_profiled_on_a_phone(chromium, phone, page, tmp_path):
    phone.refresh(60, 120)
    folder = tmp_path / "records"
    with Browser(Launch(chromium)) as browser:
        phone.listen(CHROME_SOCKET, urlsplit(browser.endpoint).port)
        done = run(
            "bench",
            page,
            "--target",
            "adb:P6",
            "-o",
            folder,
            "--most-runs",
            1,
            "--no-details",
            "--json",
            *SHORT,
        )
        assert done.exit_code == 0, done.output
        profiled = run(
            *("profile", "--stress", "--target", "adb:P6", "--minutes", 0.05, "-o", folder, *SHORT, "--quiet")
        )
        assert profiled.exit_code == 0, profiled.output
    (record, *_) = json.loads(done.stdout)
    assert record["setting"]["cluster"] == "little+mid+big"
    assert record["gesture"]["refresh_hz"] == pytest.approx(120)
    assert (folder / "adb-P6.jsonl").is_file()
    shown = run("report", folder, "-o", tmp_path / "report.html")
    assert shown.exit_code == 0, shown.output
