import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import msgspec
import psutil
import pytest

from runtime.device.emulation.namespace import probe
from runtime.device.setting import Setting
from runtime.errors import WebError
from runtime.targets import LocalTarget
from runtime.web.gestures.gesture import parse_gesture
from runtime.web.interaction.job import PageToMeasure, WebJob, known_runs
from runtime.web.interaction.remote import measure_job
from tests.runtime.web.toys import page as toy

TEXT = "".join(f"<p>line {i} of a page with some words" for i in range(400))
GESTURES = (parse_gesture("scroll"),)


def job_of(*pages, settings, **given):
    listed = tuple(PageToMeasure(name, url, settings) for name, url in pages)
    return WebJob(listed, GESTURES, **{"duration_s": 0.5, "least_runs": 1, "most_runs": 1} | given)


@pytest.fixture(scope="module")
def here():
    return (Setting(LocalTarget().profile.clusters[-1].name, None),)


def test_a_job_is_done_page_by_page_and_what_fails_is_said(chromium, here):
    records, remarks, read = [], [], []
    pages = (("gone", "http://127.0.0.1:9/"), ("text", toy(TEXT)), ("short", toy(screens=0.5)))
    job = job_of(*pages, settings=(*here, Setting("nowhere", None)), read_features=("text",))
    measure_job(
        "local", job, records.append, on_message=remarks.append,
        on_features=lambda page, features: read.append((page, features.values["screens"])),
    )  # fmt: skip
    assert [(record.model, record.target) for record in records] == [("text", "local")]
    assert any(remark.startswith("gone: ") and "cannot be loaded" in remark for remark in remarks)
    assert any(remark.startswith("short: ") and "leave it out" in remark for remark in remarks)
    assert any("nowhere" in remark and "left out" in remark for remark in remarks)
    assert read[0][0] == "text"
    assert read[0][1] > 10

    again = []
    job = job_of(("text", toy(TEXT)), settings=here, known=known_runs(_calm(records)))
    measure_job("local", job, again.append)
    assert again == []  # it is known
    job = job_of(("text", toy(TEXT + "changed")), settings=here, known=known_runs(_calm(records)))
    measure_job("local", job, again.append)
    assert len(again) == 1  # it is another page now


def test_runs_are_filmed_once(chromium, here):
    films = []
    job = job_of(("text", toy(TEXT)), settings=here, with_films=True)
    measure_job("local", job, lambda record: None, on_film=films.append)
    (film,) = films
    assert (film.page, film.target, film.gesture, film.setting) == ("text", "local", "scroll-1800", here[0])
    again = msgspec.structs.replace(job, filmed=(film.key,))
    measure_job("local", again, lambda record: None, on_film=films.append)
    assert films == [film]


def _calm(records):
    return [replace(record, verdict="stable", reasons=()) for record in records]


def test_a_page_that_kills_its_browser_twice_is_left_out_and_others_are_measured(chromium, here):
    records, remarks = [], []
    pages = (("deadly", "chrome://inducebrowsercrashforrealz/"), ("text", toy(TEXT)))
    measure_job("local", job_of(*pages, settings=here), records.append, on_message=remarks.append)
    assert [record.model for record in records] == ["text"]
    assert any(remark.startswith("deadly: ") for remark in remarks)


def test_an_error_of_the_worker_is_raised_here(here):
    job = job_of(("text", toy(TEXT)), settings=here, browser="/nowhere/chrome")
    with pytest.raises(WebError, match="is no program"):
        measure_job("local", job, [].append)


def test_targets_that_cannot_be_measured_are_refused(here):
    for target in ("virtual:gs101", "ssh:board"):
        with pytest.raises(ValueError, match="targets are local, emulated:SOC and adb:SERIAL"):
            measure_job(target, job_of(settings=here), [].append)


def test_whoever_asked_is_killed_and_nothing_is_left(chromium, here, tmp_path):
    (tmp_path / "job").write_bytes(
        msgspec.json.encode(job_of(("text", toy(TEXT)), settings=here, duration_s=60))
    )
    program = (
        "import msgspec, sys; from runtime.web.interaction.job import WebJob\n"
        "from runtime.web.interaction.remote import measure_job\n"
        "job = msgspec.json.decode(open(sys.argv[1], 'rb').read(), type=WebJob)\n"
        "measure_job('local', job, print, on_step=lambda text: print(text, flush=True))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "job")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        while "run 1" not in asking.stdout.readline():
            assert asking.poll() is None
        time.sleep(1)
        family = psutil.Process(asking.pid).children(recursive=True)
        assert any("chrom" in process.name() for process in family)
        os.kill(asking.pid, signal.SIGKILL)
    assert not psutil.wait_procs(family, timeout=20)[1]


@pytest.mark.slow
def test_an_emulated_phone_shows_fewer_frames_at_a_slower_clock(chromium):
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)
    slow, fast = Setting("little", 200_000), Setting("big", 2_000_000)
    records = []
    job = job_of(("text", toy(TEXT)), settings=(slow, fast), duration_s=3, most_runs=2, least_runs=2)
    measure_job("emulated:exynos5422", job, records.append)
    fps = {setting: [r.fps for r in records if r.setting == setting] for setting in (slow, fast)}
    assert max(fps[slow]) < 0.7 * min(fps[fast])
    power_mw = {setting: max(r.power_mw for r in records if r.setting == setting) for setting in (slow, fast)}
    assert power_mw[slow] < power_mw[fast] / 5
    assert {(r.target, r.provenance) for r in records} == {("emulated:exynos5422", "emulated")}
    assert sorted({r.gesture.capacity for r in records}) == pytest.approx([53.9, 1024], abs=1)
