"""What is called expensive on a page follows from numbers, and says no more than they do."""

from edgekit.report.web.expensive import findings
from runtime.web.learning.pages import KnownPage
from runtime.web.pages.features.page_features import Listener, Painted

WORK_MS = {"main": 6.0, "raster": 3.0, "viz": 0.9, "io": 0.1}


def told(features, work_ms=None):
    page = KnownPage("page", None, features)
    return [finding.what for finding in findings(page, WORK_MS if work_ms is None else work_ms)]


def test_threads_are_told_most_work_first():
    first, second = told({})
    assert first == "The page's main thread takes 6.0 of 10.0 ms of a frame."
    assert second == "Painting into tiles takes 3.0 of 10.0 ms of a frame."


def test_tasks_of_the_main_thread_are_shares_of_its_cpu_time():
    # The browser's durations go on while others have the core: 80 ms of layout are no 80 ms of work.
    found = told({"probe_task_ms": 100.0, "probe_layout_ms": 80.0, "probe_script_ms": 5.0})
    assert (
        "80 % of the main thread's time while the page scrolls is layout: about 4.8 ms of a frame." in found
    )
    assert not any("scripts" in what for what in found)


def test_listeners_that_hold_a_scroll_are_told():
    (found,) = told({"listeners_wheel_blocking": 1.0, "listeners_scroll": 3.0}, {})
    assert found.startswith("1 wheel listener may stop a scroll")


def test_painted_things_are_told_largest_first_and_small_ones_not():
    found = told(
        {
            "paint_shadow": 4.0, "paint_shadow_area": 0.5, "paint_shadow_blur_px": 80.0,
            "paint_filter": 1.0, "paint_filter_area": 2.0, "paint_mask": 1.0, "paint_mask_area": 0.01,
        },
        {},
    )  # fmt: skip
    assert found == [
        "Filters: 1 box on the first 3 screens, 2.0 screens large together.",
        "Shadows: 4 boxes on the first 3 screens, 0.5 screens large together.",
    ]


def test_a_plain_page_has_nothing_to_tell():
    assert told({"paint_boxes": 50.0, "listeners_all": 3.0}, {}) == []


def test_those_that_are_painted_are_named():
    features = {"paint_shadow": 14.0, "paint_shadow_area": 2.0}
    painted = (Painted("shadow", "div.card.raised", 12, 1.9), Painted("filter", "img", 1, 1.0))
    (found,) = findings(KnownPage("page", None, features, painted), {})
    assert found.hint == "most of it on div.card.raised (12)"


def test_listeners_are_told_by_the_time_they_took_and_where_they_are_written():
    # Its frames were few in the probe: of the main thread's 6 ms it had two thirds.
    update = Listener("scroll", "update", "js/app.js:12:5", ("window",), 1, False, 30, 9.0, 2 / 3)
    later = Listener("animation frame", "", "js/app.js:40:1", (), 0, False, 30, 1.5)
    cheap = Listener("scroll", "cheap", "js/app.js:50:1", ("document",), 1, False, 30, 0.01)
    rows = ("li:nth-of-type(1)", "li:nth-of-type(2)", "li:nth-of-type(3)")
    holding = Listener("wheel", "", "js/app.js:9:2", rows, 7, True, 0, 0.0)
    page = KnownPage("page", None, {"listeners_wheel_blocking": 7.0}, (), (update, later, holding, cheap))
    found = findings(page, WORK_MS)
    assert [each.what for each in found if "takes about" in each.what] == [
        "The scroll listener update takes about 4.0 ms of a frame.",
        "The function of an animation frame takes about 1.5 ms of a frame.",
    ]
    (timed,) = [each for each in found if "update" in each.what]
    assert (timed.hint, timed.share) == ("js/app.js:12:5, on window", 0.4)
    (held,) = [each for each in found if "may stop a scroll" in each.what]
    assert held.hint.endswith(f"; js/app.js:9:2, on {', '.join(rows)} and 4 more")
