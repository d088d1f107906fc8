"""A gesture governed and left to the kernel, side by side in the report."""

import re
from dataclasses import replace

import msgspec
import pytest

from edgekit.report.web import render_web_report
from edgekit.report.web.governed import governed_views
from runtime.errors import DataError
from runtime.web.governing.trials import OURS, Trial, keep_trial, read_trials
from tests.edgekit.report.markup import EVIL, Page
from tests.edgekit.report.web.gestures import FAST, TARGET, record, write_folder

KERNEL = Trial(
    page="shop/index.html", sha256="0" * 64, gesture="scroll-1800", kind="scroll", speed=1800.0,
    source="wheel", target=TARGET, provenance="emulated", governor="schedutil", fps_target=30.0,
    predicted_fps=None, refresh_hz=60.0, window_s=3.0, gaps_ms=(1000 / 60,) * 180, spans_s=((0.0, 3.0),),
    clocks=((0.0, "big", 1_200_000), (1.0, "big", 2_000_000)), powers_mw=((0.0, 900.0), (1.0, 1100.0)),
    energy_mj=3000.0, energy_source="emulated: emulated hwmon", created_utc="2026-01-01",
)  # fmt: skip
GOVERNED = replace(
    KERNEL, governor=OURS, predicted_fps=33.0, gaps_ms=(1000 / 30,) * 87 + (100.0,),
    spans_s=((0.0, 1.4), (1.5, 3.0)), clocks=((0.0, "little", 600_000), (0.1, "little", 1_000_000)),
    powers_mw=((0.0, 80.0), (0.5, 120.0)), energy_mj=330.0,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "web-records"
    for trial in (GOVERNED, KERNEL):
        keep_trial(folder, trial)
    return folder


def test_both_stand_beside_each_other_with_what_governing_saved(folder):
    text = Page(render_web_report(folder)).text
    assert f"Governed and not: scroll-1800 on {TARGET} emulated" in text
    assert "Governed it took 89 % less power than left to the kernel." in text
    assert "Left to schedutil on big 59.7 FPS, 1000 mW, no gaps longer than 50.0 ms." in text
    governed = "Governed by edgekit for 30 FPS 29.0 FPS, 110 mW, 1 gap longer than 50.0 ms; 33.0 FPS were"
    assert governed in text
    assert "2 gestures tried governed and not" in text


def test_each_cores_clock_has_its_colour_and_each_movement_its_bar(folder):
    html = render_web_report(folder)
    wide = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    drawings = [each for each in wide if "frames of a gesture over time" in each]
    assert len(drawings) == 4  # two, for wide and narrow screens
    assert [each.count('class="finger"') for each in drawings[::2]] == [1, 2]
    assert 'class="curve g0"' in drawings[0]
    assert 'class="curve g1"' in drawings[2]


def test_they_stand_with_the_page_that_was_measured(folder):
    write_folder(folder, [record(*FAST)])
    page = Page(render_web_report(folder))
    assert "Governed and not" in page.text
    assert "Frames per second at each clock" in page.text
    assert sum(tag == "h2" for tag, _ in page.tags) == 1


def test_without_a_meter_nothing_is_called_saved():
    dark = [replace(each, powers_mw=(), energy_mj=None) for each in (KERNEL, GOVERNED)]
    (view,) = governed_views(dark)
    assert view.saved_pct is None
    assert [side.trial.governor for side in view.sides] == ["schedutil", OURS]
    assert "not known here" in view.sides[0].drawing.wide


def test_a_gesture_that_was_tried_again_is_shown_once(folder):
    keep_trial(folder, replace(GOVERNED, energy_mj=660.0))
    assert sorted(trial.energy_mj for trial in read_trials(folder)) == [660.0, 3000.0]


def test_hostile_names_stay_text(tmp_path):
    for each in (KERNEL, GOVERNED):
        keep_trial(tmp_path, replace(each, page=EVIL, gesture=EVIL, energy_source=EVIL, source=EVIL))
    page = Page(render_web_report(tmp_path))
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not any(tag == "img" for tag, _ in page.tags)


@pytest.mark.parametrize("change", [{"window_s": 0}, {"gaps_ms": []}, {"energy_mj": 1e300}])
def test_a_file_that_holds_no_gesture_is_refused(folder, change):
    path = next(folder.rglob("*.json"))
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | change))
    with pytest.raises(DataError, match="is no governed gesture"):
        list(read_trials(folder))
