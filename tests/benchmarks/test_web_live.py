"""What is made of live visits, and which pages they go to."""

from pathlib import Path

import pytest

from runtime.web.pages.corpus import CorpusPage
from tests.benchmarks import _live_pages
from tests.benchmarks._live_pages import draw_pages, fit_without
from tests.benchmarks.web_live import summarise
from tests.runtime.web.learning.gestures import world


def row(governor, nth=1, fps=57.0, mw=100.0, page="a", target=60.0, predicted=None, **more):
    changes = [(True, 9.0), (False, 2.0)] if governor == "edgekit" else []
    return {
        "page": page, "gesture": "scroll-1800", "governor": governor, "nth": nth, "fps_target": target,
        "fps": fps, "predicted_fps": predicted, "mean_mw": mw, "misses": fps < 0.95 * target, "setting": "s",
        "choose_ms": [0.5], "changes": changes, "idle_cpu_pct": 0.5, "gesture_cpu_pct": 2.0,
    } | more  # fmt: skip


def test_figures_are_of_what_they_say():
    found = summarise(
        [
            row("edgekit", 1, fps=50.0, mw=40.0, predicted=60.0),
            row("edgekit", 2, fps=58.0, mw=60.0, predicted=58.0),
            row("held", 3, fps=58.5),
            row("schedutil", mw=200.0, fps=59.0),
            row("edgekit", 1, fps=29.0, mw=10.0, target=30.0, predicted=30.0),
        ]
    )
    assert found["pages"] == 1
    assert found["first_error_median_pct"] == pytest.approx((20 + 100 / 29) / 2)
    assert (found["second_error_median_pct"], found["second_misses_pct"]) == (0.0, 0.0)
    assert found["first_misses_pct"] == 50.0
    assert found["energy_saved_60_fps_pct"] == pytest.approx(75.0)
    assert found["energy_saved_30_fps_pct"] == pytest.approx(95.0)
    assert found["fps_lost_mean"] == 0.5
    assert (found["clock_ms_p99"], found["cluster_ms_p99"]) == (2.0, 9.0)


def test_nothing_visited_is_no_figure():
    assert summarise([]) == {"pages": 0}


def test_families_of_the_pages_are_not_learnt_from(tmp_path, monkeypatch):
    records, known = world(n_pages=16, n_families=8, runs=1)
    (tmp_path / "pages.jsonl").touch()
    seen = {}
    monkeypatch.setattr(_live_pages, "read_records", lambda paths: records)
    monkeypatch.setattr(_live_pages, "read_pages", lambda paths: known)
    monkeypatch.setattr(
        _live_pages, "fit_web", lambda mine, rest, *given, **more: seen.update(m=mine, r=rest)
    )
    page = CorpusPage("family3/page3", "family3", "own", "x.html", Path(), 5.0)
    target = "emulated:exynos5422"
    assert fit_without([page], tmp_path, target, ["scroll"], tmp_path, None) == ["family3"]
    assert {record.model.partition("/")[0] for record in seen["m"]} == set(
        map("family{}".format, range(8))
    ) - {"family3"}
    assert "family3/page3" not in seen["r"]


def test_pages_are_drawn_of_many_families(tmp_path):
    drawn = draw_pages(12, 12, tmp_path, seed=1)
    assert len({page.name for page in drawn}) == 12
    assert max(sum(page.family == other.family for other in drawn) for page in drawn) <= 2
    assert [page.name for page in draw_pages(12, 12, tmp_path, seed=1)] == [page.name for page in drawn]
