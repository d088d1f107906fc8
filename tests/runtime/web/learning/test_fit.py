"""Records of gestures in, predictors out; and what they say of pages that they have not seen."""

import json

import numpy as np
import pytest

from runtime.errors import DataError, NotFittedError
from runtime.web.learning.fit import fit_web
from runtime.web.learning.measured import measured
from runtime.web.learning.pages import KnownPage, family_of, read_pages, write_pages
from runtime.web.learning.storage import load_web_fit
from runtime.web.learning.table import GESTURE_FEATURES, gesture_table
from runtime.web.learning.transfer import choose_pages, transfer_web
from runtime.web.learning.update import update_web
from tests.runtime.web.learning.gestures import record, world

TARGET = "emulated:exynos5422"
LEARNERS = ("ridge",)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    records, known = world()
    (fit,) = fit_web(records, known, folder, learners=LEARNERS)
    return folder, fit, records, known


def test_pages_of_families_left_out_are_predicted_better_than_by_the_mean(fitted):
    _, fit, records, _ = fitted
    unrun, run = fit.way("unrun").errors, fit.way("run").errors
    assert (fit.n_records, fit.n_pages, fit.n_families) == (len(records), 24, 8)
    assert unrun.mae_gain_pct > 30
    assert run.mape_pct < unrun.mape_pct
    assert unrun.after_run_mape_pct < unrun.mape_pct
    assert fit.way("unrun").work_chosen["main"] == "ridge"
    assert fit.provenance == "emulated"


def test_what_was_saved_is_loaded(fitted):
    folder, fit, _, _ = fitted
    loaded, models = load_web_fit(folder, TARGET, "scroll")
    assert loaded == fit
    assert set(models) == {"unrun", "run"}
    with pytest.raises(NotFittedError, match="no predictor of pinch"):
        load_web_fit(folder, TARGET, "pinch")


def test_a_damaged_summary_or_predictor_is_refused(fitted, tmp_path):
    folder, *_ = fitted
    place = tmp_path / "emulated-exynos5422"
    place.mkdir()
    for file in next(folder.iterdir()).iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    (place / "scroll-run-rate.skops").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        load_web_fit(tmp_path, TARGET, "scroll")
    (place / "scroll-run-rate.skops").unlink()
    with pytest.raises(DataError, match="is missing"):
        load_web_fit(tmp_path, TARGET, "scroll")
    summary = json.loads((place / "scroll.json").read_text())
    summary["fit"]["kind"] = "fling"
    (place / "scroll.json").write_text(json.dumps(summary))
    with pytest.raises(DataError, match="is of fling"):
        load_web_fit(tmp_path, TARGET, "scroll")


def test_runs_of_a_place_are_one_row_with_its_median_and_its_halves():
    rows, left_out = measured([record("a", fps=fps) for fps in (40, 50, 42, 44)])
    assert left_out == {}
    assert rows[0].fps == pytest.approx(43, abs=0.2)
    assert rows[0].halves_fps == pytest.approx((41, 47), abs=0.2)
    assert measured([record("a")])[0][0].halves_fps is None


def test_runs_with_chromes_reports_are_left_out_and_work_is_by_the_speed_of_the_machine():
    probes_ms = {"a": 10.0, "b": 12.5, "interrupted": 90.0, "c": 10.0}
    runs = [record(page, probe_ms=probe_ms) for page, probe_ms in probes_ms.items()]
    rows, left_out = measured([*runs, record("c", probe_ms=10.0), record("a", main_fps=30.0)])
    assert left_out == {"slowed by Chrome's reports": 1}
    assert [sum(row.work_ms.values()) for row in rows] == pytest.approx([3.4, 3.4 / 1.25, 3.4, 3.4])


def test_a_page_that_showed_nothing_is_a_row_too():
    (row,), _ = measured([record("a", fps=0)])
    assert 0 < row.fps < 1


def test_unstable_runs_count_of_emulated_machines_alone_unless_asked_for():
    assert measured([record("a", verdict="unstable")])[0] != []
    real = [record("a", verdict="unstable", provenance="measured")]
    assert measured(real) == ([], {"unstable": 1})
    assert measured(real, include_unstable=True)[0] != []


def test_odd_gestures_are_taken_and_impossible_cores_are_not():
    (row,), _ = measured([record("a", kind="pinch", speed=0.0)])  # of fingers that nobody timed
    assert np.isfinite(gesture_table([row], {}).features).all()
    with pytest.raises(DataError, match="a core of capacity 0"):
        measured([record("a", capacity=0.0)])


def test_work_of_a_page_is_that_of_its_run_at_full_speed():
    slow = record("a", freq_khz=600000, work_ms={"main": 9.0})
    fast = record("a", work_ms={"main": 3.0, "blink": 1.0})
    table = gesture_table(measured([slow, fast, record("b", freq_khz=600000)])[0], {})
    assert table.work_ms[:2, 0].tolist() == [3.0, 3.0]
    assert table.work_ms[0, -1] == 1.0  # of a role nobody knows
    assert table.has_work.tolist() == [True, True, False]


def test_families_come_from_a_file_or_the_folder_of_the_name(tmp_path):
    known = {"uikit/tests/card": KnownPage("uikit/tests/card", "uikit", {"nodes": 3.0})}
    write_pages(tmp_path / "pages.jsonl", known.values())
    assert read_pages([tmp_path / "pages.jsonl"]) == known
    assert family_of("uikit/tests/card", known) == "uikit"
    assert family_of("uikit/tests/nav", known) == "uikit/tests"
    assert family_of("alone", known) == "alone"
    (tmp_path / "bad.jsonl").write_text('{"page": 3}\n')
    with pytest.raises(DataError, match="line 1 is no page"):
        read_pages([tmp_path / "bad.jsonl"])


def test_pages_without_features_are_learnt_from_by_their_work_alone(tmp_path):
    records, _ = world(n_pages=16)
    (fit,) = fit_web(records, {}, tmp_path, learners=LEARNERS)
    assert fit.names == GESTURE_FEATURES
    assert fit.way("run").errors.mae_fps < fit.way("unrun").errors.mae_fps


def test_too_few_families_say_what_to_do(tmp_path):
    records, known = world(n_pages=6, n_families=2)
    with pytest.raises(DataError, match="at least 4 are needed; measure more pages"):
        fit_web(records, known, tmp_path)
    with pytest.raises(DataError, match=r"none of 0 records can be learnt from \(there are none\)"):
        fit_web([], {}, tmp_path)


def test_eighteen_pages_carry_the_predictors_to_another_target(fitted):
    folder, fit, _, known = fitted
    pages = choose_pages(known, fit.names)
    assert len(pages) == 18
    there, _ = world(target="emulated:sdm845", slow=1.8, settings=SDM845, seed=0)
    some = [each for each in there if each.model in pages]
    (moved,) = transfer_web(some, known, folder, TARGET)
    assert (moved.target, moved.source, moved.made_by, moved.n_pages) == (
        *("emulated:sdm845", TARGET, "transfer"),
        18,
    )
    way = moved.way("run")
    assert way.chosen != "source"
    assert way.scores[way.chosen] < 0.5 * way.scores["source"]
    assert way.errors.mape_pct < fit.way("run").errors.mape_pct + 7
    assert load_web_fit(folder, "emulated:sdm845", "scroll")[0] == moved
    with pytest.raises(DataError, match="of one target other than"):
        transfer_web(there, known, folder, "emulated:sdm845")


SDM845 = (("little", 576000), ("little", 1766400), ("big", 825600), ("big", 1766400), ("big", 2803200))


def test_governed_gestures_on_a_slower_machine_correct_the_predictors(fitted):
    folder, _, _, known = fitted
    same, _ = world(runs=1, seed=0)
    (quiet,) = update_web(same[:30], known, folder)
    assert quiet.drifts == 0
    slower, _ = world(runs=1, seed=0, slow=1.7)
    (corrected,) = update_web(slower, known, folder)
    assert corrected.drifts > 0
    assert corrected.made_by == "update"
    _, models = load_web_fit(folder, TARGET, "scroll")
    assert models["unrun"].rate.offset_ < -0.2
    assert np.isfinite(models["unrun"].rate.scale_)


def test_gestures_on_pages_that_nobody_read_correct_nothing(fitted):
    folder, _, _, known = fitted
    with pytest.raises(DataError, match="give their file with --pages"):
        update_web([record("https://example.org", freq_khz=600000)], known, folder)


def test_what_holds_a_page_up_is_seen_by_the_time_its_core_has_to_spare():
    idle, busy = record("a", fps=30.0), record("b", fps=30.0, work_ms={"main": 31.0})
    rows = measured([idle, busy])[0]
    assert gesture_table(rows, {}).most_fps.tolist() == [30.0, 60.0]
    slow = measured([record("a", "big", 600000, fps=20.0, work_ms={"main": 10.0})])[0]
    assert gesture_table([*rows, *slow], {}).most_fps.tolist() == [30.0, 60.0, 30.0]
