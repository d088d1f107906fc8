import pytest

from runtime.device.setting import Setting
from runtime.web.interaction.rows import cheapest, summarise
from tests.runtime.web.interaction.records import figures, record

BIG, LITTLE = Setting("big", 2_000_000), Setting("little", 600_000)


def test_runs_become_one_row_of_medians():
    (row,) = summarise(record(fps=fps, power_mw=power) for fps, power in ((50, 300), (54, 320), (40, 280)))
    assert (row.fps, row.runs, row.power_mw) == (50, 3, 300)
    assert row.energy_mj == pytest.approx(300 * 5)  # mW for five seconds
    assert row.frame_work_ms == pytest.approx(2.5)
    assert row.interval.low < 50 < row.interval.high


def test_a_run_with_chrome_s_reports_tells_of_dropped_frames_and_not_of_the_rate():
    detailed = record(gesture=figures(30.0, main_fps=12.0, dropped_frames=7, delayed_pct=3.0))
    (row,) = summarise([record(fps=50), record(fps=50), detailed])
    assert (row.fps, row.runs) == (50, 2)
    assert (row.main_fps, row.dropped_frames, row.delayed_pct) == (12, 7, 3)


def test_rows_go_from_the_fastest_core_to_the_slowest():
    rows = summarise([record(setting=LITTLE, gesture=figures(capacity=100.0)), record(setting=BIG)])
    assert [row.setting for row in rows] == [BIG, LITTLE]


def test_the_cheapest_row_that_holds_the_rate_is_found():
    rows = summarise(
        [record(setting=BIG, fps=59, power_mw=900), record(setting=LITTLE, fps=57.2, power_mw=80)]
    )
    assert cheapest(rows, 60).setting == LITTLE  # 95 % of 60 is 57
    assert cheapest(rows, 62).setting == BIG
    assert cheapest(rows, 90) is None


def test_a_rate_that_runs_do_not_agree_on_is_unstable():
    (row,) = summarise([record(fps=20), record(fps=50), record(fps=35)])
    assert row.verdict == "unstable"
    assert "known to +-" in row.reasons[0]


def test_records_of_bundles_are_passed_over():
    assert summarise([record(gesture=None)]) == []
