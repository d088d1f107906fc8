"""From a saved page to its report: ``edgekit web bench`` and ``edgekit web report``, in a real browser."""

import json

import pytest
from click.testing import CliRunner

from edgekit.cli import cli
from runtime.web.frames.films import read_films
from runtime.web.learning.pages import PAGES_FILE
from tests.edgekit.report.markup import Page

STYLE = "<style>.card { box-shadow: 0 0 40px; height: 300px }</style>"
PAGE = f"<meta name=viewport content='width=device-width'>{STYLE}" + "<div class=card>words</div>" * 60


def run(*args):
    done = CliRunner().invoke(cli, ["web", *map(str, args)])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.slow
def test_a_page_that_was_measured_and_filmed_is_shown(chromium, tmp_path):
    page, folder = tmp_path / "shop.html", tmp_path / "records"
    page.write_text(PAGE)
    short = ("--clocks", 1, "--runs", 1, "--most-runs", 1, "--duration-s", 0.5, "--no-details")
    shown = run("bench", page, *short, "--browser", chromium, "--filmstrip", "-o", folder).output
    assert "Shadows: " in shown
    assert "most of it on div.card (" in shown
    assert f"see them: edgekit web report {folder}" in shown
    known = json.loads((folder / PAGES_FILE).read_text())
    assert known["features"]["paint_shadow"] >= 9
    films = list(read_films(folder))
    assert all(len(film.pictures) == 8 for film in films)

    run("report", folder, "-o", tmp_path / "report.html")
    report = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "measured" in report.text
    assert sum(tag == "img" for tag, _ in report.tags) >= 8
