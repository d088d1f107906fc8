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
def learnt(tmp_path_factory):
    """Return a folder of records, and one of predictors that were fitted to them."""
    base = tmp_path_factory.mktemp("web")
    records, known = world(n_pages=16, n_families=8, runs=1)
    for each in records:
        RecordLog(base / "records" / "emulated-exynos5422.jsonl").append(each)
    write_pages(base / "records" / PAGES_FILE, known.values())
    fit_web(records, known, base / "fit", learners=["ridge"])
    return base / "records", base / "fit"


def test_errors_and_bounds_are_told_for_each_way(learnt):
    page = Page(render_web_report(learnt[0], fit=learnt[1]))
    said = re.findall(r"(\d+) settings of 16 pages: (\d+\.\d) FPS off on average", page.text)
    assert [int(rows) for rows, _ in said] == [96, 96]
    assert all(0 < float(mae) < 10 for _, mae in said)
    assert "by what the page is made of" in page.text
    assert "after one run at full speed" in page.text
    points = [a for tag, a in page.tags if tag == "circle" and "predicted" in a.get("data-tip", "")]
    assert len(points) == 2 * 96


def test_governors_stand_against_the_predicted_setting(learnt):
    text = Page(render_web_report(learnt[0], fit=learnt[1], rates=[30])).text
    assert "scroll on emulated:exynos5422 at 30 FPS, under each governor modelled" in text
    shown = re.search(r"interactive \(Android\) ([\d.]+) mW ([\d.]+) (\d+) % ([\d.−]+) %", text)
    policy = re.search(r"predicted setting ([\d.]+) mW ([\d.]+) (\d+) % –", text)
    assert float(policy[1]) < float(shown[1])
    assert float(shown[4]) > 0


def test_what_nothing_was_learnt_of_is_said(tmp_path, learnt):
    folder = write_folder(tmp_path / "records", [record(*FAST, kind="fling")])
    text = Page(render_web_report(folder, fit=learnt[1])).text
    assert "has no predictor of fling on emulated:exynos5422; fit again" in text
    assert "Predicted against measured" not in text
