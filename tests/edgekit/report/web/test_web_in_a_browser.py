"""The web report as a browser lays it out; skipped where there is none (`apt-get install chromium`)."""

import base64

import pytest

from edgekit.report.web import render_web_report
from runtime.device.setting import Setting
from runtime.web.frames.films import Film, keep_film
from runtime.web.frames.filmstrip import Picture
from tests.edgekit.report.browser import laid_out, needs_browser
from tests.edgekit.report.web.gestures import (
    FAST,
    HOLDS_30,
    HOLDS_60,
    STUTTERS,
    TARGET,
    record,
    write_folder,
)

pytestmark = needs_browser
JPEG = base64.b64decode("/9j/4AAQSkZJRgABAQEAYABgAAD/2Q==")
LONG = "https://example.org/" + "a_very_long_path_without_any_space" * 4


@pytest.fixture
def page(tmp_path):
    """Return a report with names as long as they get."""
    every = [
        record(*setting, page=LONG, verdict="unstable", reasons=("r" * 200,), dropped_frames=9, main_fps=9.0)
        for setting in (FAST, HOLDS_60, HOLDS_30, STUTTERS)
    ]
    features = {"listeners_wheel_blocking": 2.0, "paint_shadow": 3.0, "paint_shadow_area": 1.0}
    folder = write_folder(tmp_path / "records", every, (LONG, features))
    pictures = tuple(Picture(100.0 * n, 99.0, JPEG) for n in range(8))
    keep_film(folder, Film(LONG, "0" * 64, "scroll-1800", Setting("big", 2_000_000), pictures, TARGET))
    return render_web_report(folder)


@pytest.mark.parametrize("width", [360, 412, 768, 1280])
def test_nothing_lies_outside_the_page(page, tmp_path, width):
    assert laid_out(page, width, tmp_path) == {"scroll": width, "outside": []}
