import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runtime.errors import WebError
from runtime.web.browser.chromium import Browser, Launch, find_browser
from runtime.web.browser.connection import Connection


def test_a_browser_starts_answers_and_leaves_nothing(chromium):
    with Browser(Launch(chromium)) as browser, Connection(browser.endpoint) as cdp:
        assert "Chrom" in cdp.call("Browser.getVersion")["product"]
        process = psutil.Process(browser.pid)
        family = [process, *process.children(recursive=True)]
        profile = Path(next(a for a in process.cmdline() if "user-data-dir" in a).partition("=")[2])
        assert profile.is_dir()
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert not profile.exists()


def test_a_browser_ends_when_its_starter_is_killed(chromium):
    program = (
        "import time; from pathlib import Path; from runtime.web.browser.chromium import Browser, Launch\n"
        f"browser = Browser(Launch(Path({str(chromium)!r}))); print(browser.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as starter:
        browser = psutil.Process(int(starter.stdout.readline()))
        family = [browser, *browser.children(recursive=True)]
        os.kill(starter.pid, signal.SIGKILL)
    assert not psutil.wait_procs(family, timeout=10)[1]


def test_no_browser_says_what_to_install(monkeypatch):
    monkeypatch.setattr("runtime.web.browser.chromium.PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(WebError, match="apt install chromium"):
        find_browser()


def test_what_is_no_program_is_refused(tmp_path):
    (tmp_path / "chrome").write_text("")
    with pytest.raises(WebError, match="is no program"):
        find_browser(tmp_path / "chrome")


def test_a_program_that_ends_at_once_is_quoted(tmp_path):
    fake = tmp_path / "chrome"
    fake.write_text("#!/bin/sh\necho 'no display \x1b[1m' >&2\nexit 3\n")
    fake.chmod(0o755)
    begin_s = time.monotonic()
    with pytest.raises(WebError, match=r"ended at once with status 3: no display \\x1b\[1m"):
        Browser(Launch(fake))
    assert time.monotonic() - begin_s < 10


def test_a_program_that_cannot_run_is_an_error_of_ours(tmp_path):
    fake = tmp_path / "chrome"
    fake.write_bytes(b"\x7fELFnonsense")
    fake.chmod(0o755)
    with pytest.raises(WebError, match="does not start"):
        Browser(Launch(fake))
