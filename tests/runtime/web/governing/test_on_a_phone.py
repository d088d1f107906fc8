"""A real browser governed on an emulated phone, and what is left when either of them is ended."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.device.emulation.namespace import probe
from runtime.web.governing.trials import OURS, read_trials

SOC = "exynos5422"
PAGE = "<meta name=viewport content='width=device-width'>" + "<p>some words in a row</p>" * 500
SCRIPT = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
from urllib.parse import quote
from runtime.device.marker import read_pinned
from runtime.web.browser.chromium import Browser, Launch
from runtime.web.browser.connection import Connection
from runtime.web.browser.page import open_page
from runtime.web.browser.processes import find_processes
from runtime.errors import WebError

CPUFREQ = Path("/sys/devices/system/cpu/cpufreq")
KEPT = ("scaling_governor", "scaling_min_freq", "scaling_max_freq", "boost")

def machine():
    files = [path for path in CPUFREQ.rglob("*") if path.name in KEPT]
    return {str(path): path.read_text().strip() for path in files}

def places(pids):
    threads = [int(tid) for pid in pids for tid in os.listdir(f"/proc/{pid}/task")]
    cpus = sorted({tuple(sorted(os.sched_getaffinity(tid))) for tid in threads})
    return {"cpus": cpus, "pins": sorted(read_pinned(pids).values())}

def wait_for(what, seconds=60):
    end_s = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end_s, "it did not come to that"
        time.sleep(0.05)

def scroll(page, over):
    down = 30
    while not over.wait(1 / 60):
        down = -down if time.monotonic() % 4 < 1 / 60 else down
        wheel = {"type": "mouseWheel", "x": 200, "y": 300, "deltaX": 0, "deltaY": down}
        try:
            page.connection.send("Input.dispatchMouseEvent", page.session, **wheel)
        except WebError:
            return

html, end = sys.argv[1:]
with Browser(Launch(only_loopback=True)) as browser, Connection(browser.endpoint) as connection:
    page = open_page(connection)
    page.navigate("data:text/html," + quote(html))
    drawing = find_processes(page)
    pids = (drawing.renderer, drawing.gpu)
    told = {"before": [machine(), places(pids)]}
    command = [sys.executable, "-m", "edgekit", "web", "govern", "--cdp", browser.endpoint, "--json"]
    governor = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(set(map(str, places(pids)["pins"]))) == 1)
    over = threading.Event()
    hands = threading.Thread(target=scroll, args=(page, over))
    hands.start()
    idle = machine(), places(pids)
    wait_for(lambda: (machine(), places(pids)) != idle)
    time.sleep(0.5)
    told["held"] = [machine(), places(pids)]
    if end == "browser":
        browser.close()
    else:
        governor.send_signal(int(end))
    told["said"] = governor.communicate(timeout=60)[1].strip().splitlines()[-1:]
    told["status"] = governor.returncode
    if end == "9":
        restore = [sys.executable, "-m", "edgekit", "restore"]
        restored = subprocess.run(restore, capture_output=True, text=True)
        told["restored"] = [restored.returncode, restored.stdout + restored.stderr]
    told["after"] = [machine(), None if end == "browser" else places(pids)]
    over.set()
    hands.join()
print(json.dumps(told))
"""


@pytest.fixture(scope="module", autouse=True)
def _can_emulate(chromium):
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["9", "15", "browser"])
def test_however_it_ends_in_mid_gesture_clocks_and_cores_are_as_they_were(end):
    command = [sys.executable, "-m", "runtime.device.emulation", SOC, "--", sys.executable, "-c", SCRIPT]
    done = subprocess.run([*command, PAGE, end], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["held"][0] != told["before"][0]
    assert told["held"][1]["pins"] != told["before"][1]["pins"]
    assert told["after"][0] == told["before"][0]
    if end == "browser":
        assert told["status"] == 1
        assert "Error: " in told["said"][0]
        return
    assert told["after"][1] == told["before"][1]
    if end == "9":
        status, text = told["restored"]
        assert status == 0
        # Whoever watches the governor may have been there first.
        assert "nothing to restore" in text or "policy" in text, text


@pytest.mark.slow
def test_a_gesture_is_tried_governed_and_not_and_shown_over_time(tmp_path):
    page, folder = tmp_path / "page.html", tmp_path / "records"
    page.write_text(PAGE)
    run = [sys.executable, "-m", "edgekit", "web", "govern", page, "--target", f"emulated:{SOC}"]
    given = ["--fps", "30", "--try", "scroll", "-o", folder]
    done = subprocess.run(
        [*map(str, run), *map(str, given)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    ours, kernel = sorted(read_trials(folder), key=lambda trial: trial.governor != OURS)
    assert (ours.page, ours.target, ours.fps_target) == (str(page), f"emulated:{SOC}", 30.0)
    assert kernel.governor == "schedutil"
    assert {cluster for _, cluster, _ in kernel.clocks} == {"big"}
    assert len(ours.gaps_ms) > 10
    assert ours.mean_mw < kernel.mean_mw
    assert len(ours.powers_mw) > 5
    shown = CliRunner().invoke(cli, ["web", "report", str(folder), "-o", str(tmp_path / "report.html")])
    assert shown.exit_code == 0, shown.output
    assert "Left to schedutil on big" in (tmp_path / "report.html").read_text(encoding="utf-8")
