"""Below the tables of ``edgekit web bench``: what is expensive on a page, as far as it is known."""

from edgekit.cli.web._findings import show_findings, show_listeners
from runtime.web.pages.features.page_features import Listener
from tests.edgekit.report.web.gestures import FAST, TOO_SLOW, record, write_folder

FEATURES = {"listeners_wheel_blocking": 2.0}


def test_each_page_is_told_once_with_its_fastest_core(tmp_path, capsys):
    records = [record(*TOO_SLOW), record(*FAST), record(*FAST, page="other", work_ms={"main": 5.0})]
    show_findings(records, write_folder(tmp_path, records, ("other", FEATURES)))
    shown = capsys.readouterr().out
    assert shown.count("shop/index.html: what is expensive (scroll-1800 on big @ 2000 MHz x1") == 1
    assert "   43%  Painting into tiles takes 3.0 of 7.0 ms of a frame." in shown
    other = shown[shown.index("other: what is expensive") :].partition("\n\n")[0]
    assert "2 wheel listeners may stop a scroll" in other
    assert "wheel" not in shown.replace(other, "")


def test_a_page_that_nothing_is_known_of_says_nothing(tmp_path, capsys):
    show_findings([record(*FAST, work_ms={})], tmp_path)
    assert capsys.readouterr().out == ""


def test_functions_that_gestures_wake_are_listed_with_their_elements(capsys):
    show_listeners(())
    assert capsys.readouterr().out == ""
    rows = ("li:nth-of-type(1)", "li:nth-of-type(2)")
    show_listeners(
        (
            Listener("scroll", "update", "js/app.js:12:5", ("window",), 1, False, 30, 4.0),
            Listener("wheel", "", "js/app.js:9:2", rows, 7, True, 0, 0.0),
        )
    )
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("scroll window js/app.js:12:5") and "4.00" in line for line in shown)
    assert "and 5" in " ".join(shown)  # 7 in all; cells are folded
    assert any("holds the scroll" in line for line in shown)
