"""With predictors the report says how far they are off on what was measured, and what they save."""

import re

import pytest

from edgekit.report.web import render_web_report
from runtime.measure.records import RecordLog
from runtime.web.learning.fit import fit_web
from runtime.web.learning.pages import PAGES_FILE, write_pages
from tests.edgekit.report.markup import Page
from tests.edgekit.report.web.gestures import FAST, record, write_folder
from tests.runtime.web.learning.gestures import world


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return the report on records of 8 pages, with predictors that were fitted to them."""
    base = tmp_path_factory.mktemp("web")
    records, known = world(n_pages=8, n_families=4, runs=1)
    for each in records:
        RecordLog(base / "records" / "emulated-exynos5422.jsonl").append(each)
    write_pages(base / "records" / PAGES_FILE, known.values())
    fit_web(records, known, base / "fit", learners=["ridge"])
    return Page(render_web_report(base / "records", fit=base / "fit", rates=[30]))


@pytest.mark.slow
def test_errors_and_bounds_are_told_for_each_way(page):
    said = re.findall(r"(\d+) settings of 8 pages: (\d+\.\d) FPS off on average", page.text)
    assert [int(rows) for rows, _ in said] == [48, 48]
    assert all(0 < float(mae) < 10 for _, mae in said)
    assert "by what the page is made of" in page.text
    assert "after one run at full speed" in page.text
    points = [a for tag, a in page.tags if tag == "circle" and "predicted" in a.get("data-tip", "")]
    assert len(points) == 2 * 48


@pytest.mark.slow
def test_governors_stand_against_the_predicted_setting(page):
    assert "scroll on emulated:exynos5422 at 30 FPS, under each governor modelled" in page.text
    shown = re.search(r"interactive \(Android\) ([\d.]+) mW ([\d.]+) (\d+) % ([\d.−]+) %", page.text)
    policy = re.search(r"predicted setting ([\d.]+) mW ([\d.]+) (\d+) % –", page.text)
    assert float(policy[1]) < float(shown[1])
    assert float(shown[4]) > 0


def test_what_nothing_was_learnt_of_is_said(tmp_path):
    folder = write_folder(tmp_path / "records", [record(*FAST, kind="fling")])
    text = Page(render_web_report(folder, fit=tmp_path)).text
    assert "has no predictor of fling on emulated:exynos5422; fit again" in text
    assert "Predicted against measured" not in text
