"""The report on gestures says what was measured, and trusts none of the texts that pages bring."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.report.web import render_web_report
from edgekit.report.web.content import collect
from edgekit.report.web.energy_plot import energy_plot
from runtime.device.setting import Setting
from runtime.errors import DataError
from runtime.web.frames.films import Film, keep_film
from runtime.web.frames.filmstrip import Picture
from tests.edgekit.report.markup import EVIL, Page
from tests.edgekit.report.web.gestures import (
    FAST,
    HOLDS_30,
    HOLDS_60,
    STUTTERS,
    TARGET,
    TOO_SLOW,
    record,
    write_folder,
)

JPEG = base64.b64decode("/9j/4AAQSkZJRgABAQEAYABgAAD/2Q==")


@pytest.fixture
def folder(tmp_path):
    every = [record(*setting) for setting in (FAST, HOLDS_60, HOLDS_30, STUTTERS, TOO_SLOW)]
    return write_folder(tmp_path / "web-records", every)


def test_the_head_says_what_is_cheapest_and_what_it_saves(folder):
    text = Page(render_web_report(folder)).text
    assert f"60 FPS on {TARGET} are cheapest on big at 1100 MHz : 600 mW, 70 % less" in text
    assert f"30 FPS on {TARGET} are cheapest on little at 1000 MHz : 100 mW, 95 % less" in text


def test_a_display_of_120_hz_is_told_of_120_and_60_unless_other_rates_are_asked_for(tmp_path):
    fast = record(*FAST, refresh_hz=120.0)
    (case,) = collect(write_folder(tmp_path, [fast]), ()).cases
    assert [choice.fps for choice in case.choices] == [120.0, 60.0]


def test_a_rate_that_no_setting_holds_is_not_promised(tmp_path):
    text = Page(render_web_report(write_folder(tmp_path, [record(*TOO_SLOW)]))).text
    assert "60 FPS: not held; at most 10.0" in text
    assert "% less" not in text


def test_without_power_nothing_is_called_cheapest(tmp_path):
    dark = [record(*setting[:3], None) for setting in (FAST, TOO_SLOW)]
    text = Page(render_web_report(write_folder(tmp_path, dark))).text
    assert "60 FPS: held, but no power is known" in text
    assert "What frame rates cost" not in text
    assert "not known here" in text


def test_the_fastest_and_the_cheapest_setting_stand_beside_each_other(folder):
    text = Page(render_web_report(folder)).text
    assert "big at 2000 MHz: fastest emulated One run, the median of 1: 179 frames in 3.0 s, no gaps" in text
    assert "big at 1100 MHz: cheapest at 60 FPS" in text
    assert "little at 1000 MHz: cheapest at 30 FPS" in text


def test_long_gaps_are_counted_and_drawn(tmp_path):
    html = render_web_report(write_folder(tmp_path, [record(*STUTTERS)]))
    assert "1 gap longer than 50.0 ms" in Page(html).text
    assert html.count('<rect class="late" x=') == 2  # for wide and narrow screens


def test_two_unlike_runs_do_not_stretch_the_axis(tmp_path):
    unlike = [record(*FAST), record("big", 2_000_000, (300.0,) * 10, 2000.0)]
    (case,) = collect(write_folder(tmp_path, unlike), (60.0,)).cases
    assert case.rows[0].interval.low < 0.1
    (point,) = energy_plot(case).points
    assert point.fps_low > 10


def test_work_of_a_frame_is_told_by_thread(folder):
    html = render_web_report(folder)
    assert 'title="main 2.00 ms, compositor 0.80 ms, raster 3.00 ms, viz 1.20 ms"' in html
    assert "43 % Painting into tiles takes 3.0 of 7.0 ms of a frame." in Page(html).text


def test_reasons_of_a_verdict_are_folded(tmp_path):
    shaken = record(*FAST, verdict="unstable", reasons=("other work used 30% of the machine",))
    text = Page(render_web_report(write_folder(tmp_path, [shaken]))).text
    assert "Why 1 of 1 is unstable big at 2000 MHz : other work used 30% of the machine" in text


def test_runs_with_reports_tell_of_dropped_frames_only(tmp_path):
    detailed = record(*TOO_SLOW, main_fps=5.0, dropped_frames=17, delayed_pct=25.0)
    slower = replace(detailed, setting=Setting("big", 2_000_000))
    text = Page(render_web_report(write_folder(tmp_path, [record(*FAST), slower]))).text
    assert "60.0 17 25 %" in text


def test_runs_of_an_earlier_version_of_the_page_are_left_out(tmp_path):
    old = replace(record(*TOO_SLOW), model_sha256="1" * 64)
    text = Page(render_web_report(write_folder(tmp_path, [old, record(*FAST)]))).text
    assert "1 run is of earlier versions of the page and left out" in text
    assert "little" not in text


def test_many_gestures_are_summed_up_and_the_most_expensive_shown_in_full(tmp_path):
    every = [record(*FAST, page=f"page{n}", work_ms={"main": float(n)}) for n in range(20)]
    folder = write_folder(tmp_path / "records", every)
    page = Page(render_web_report(folder))
    assert "Shown in full below: the 12 gestures whose frames take most work, of 20" in page.text
    headings = [dict(attributes) for tag, attributes in page.tags if tag == "h2"]
    assert len(headings) == 1 + 12
    assert page.text.index("page19 scroll-1800") < page.text.index("page0 scroll-1800")
    one = Page(render_web_report(folder, pages=["page0"])).text
    assert "page0" in one
    assert "page19" not in one


def film(freq_khz, sha256="0" * 64):
    pictures = (Picture(100.0, 5.0, JPEG), Picture(300.0, 120.0, JPEG))
    return Film("shop/index.html", sha256, "scroll-1800", Setting("big", freq_khz), pictures, TARGET)


def test_pictures_of_the_shown_settings_are_in_the_file(folder):
    keep_film(folder, film(2_000_000))
    keep_film(folder, film(1_100_000, "9" * 64))  # of another version of the page
    page = Page(render_web_report(folder))
    shown = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert shown == [f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"] * 2
    assert "0.1 s 0.3 s 120 ms old" in page.text


def test_a_film_of_what_is_no_picture_is_refused(folder):
    path = keep_film(folder, film(2_000_000))
    path.write_bytes(path.read_bytes().replace(base64.b64encode(JPEG), base64.b64encode(b"<svg onload=x>")))
    with pytest.raises(DataError, match=r"is no film .*JPEG.*film it again"):
        render_web_report(folder)


def test_hostile_names_stay_text(tmp_path):
    evil = replace(
        record(*FAST, page=EVIL, scroller=EVIL),
        variant=EVIL, energy_source=EVIL, verdict="unstable", reasons=(EVIL,),
    )  # fmt: skip
    html = render_web_report(write_folder(tmp_path, [evil], (EVIL, {"paint_shadow_area": 2.0})))
    page = Page(html)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not any(tag == "img" for tag, _ in page.tags)
    assert EVIL.split("<img")[0] in page.text


def test_the_page_asks_nobody_for_anything_and_runs_one_script(folder):
    keep_film(folder, film(2_000_000))
    html = render_web_report(folder)
    tags = Page(html).tags
    addresses = [a.get(name) for _, a in tags for name in ("src", "href", "action", "srcset") if name in a]
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "url(" not in html
    assert "@import" not in html
    policy = next(a["content"] for tag, a in tags if a.get("http-equiv"))
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert f"script-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("is_there", [False, True])
def test_where_nothing_was_measured_one_line_says_what_to_do(tmp_path, is_there):
    if is_there:
        (tmp_path / "none").mkdir()
    shown = CliRunner().invoke(cli, ["web", "report", str(tmp_path / "none")])
    assert shown.exit_code == 1
    assert "edgekit web bench PAGE" in shown.output
    assert len(shown.output.strip().splitlines()) == 1


def test_the_command_writes_beside_the_folder(folder):
    shown = CliRunner().invoke(cli, ["web", "report", str(folder)])
    assert shown.exit_code == 0, shown.output
    assert "shop/index.html" in folder.with_suffix(".html").read_text(encoding="utf-8")


def test_a_page_that_is_not_there_is_named_with_those_that_are(folder):
    shown = CliRunner().invoke(cli, ["web", "report", str(folder), "--page", "nowhere"])
    assert shown.exit_code == 1
    assert "no page of" in shown.output
    assert "shop/index.html" in shown.output
