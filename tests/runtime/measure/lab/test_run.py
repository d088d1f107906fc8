import msgspec
import pytest

from runtime.device.actuators import Journal
from runtime.errors import DeviceTransientError
from runtime.measure.lab import LabPlan, load_plan, read_states, run_lab
from runtime.measure.lab.executor import LabRecords
from runtime.measure.lab.plan import BenchSpec, RetrySpec, SettingsSpec, TargetSpec
from runtime.measure.lab.state import only_run
from runtime.measure.lab.summary import choose_best
from tests.runtime.measure.lab.inline_executor import InlineExecutor
from tests.runtime.phone import make_bundle
from tests.runtime.targets.fake_phone import FakePhones

TWO = SettingsSpec(clusters=("big",), every=1000)  # the fastest clock and the slowest


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def inline(records, targets):
    return InlineExecutor(records, sleep=lambda duration_s: None)


def make_plan(tmp_path, *targets, bundles=("toy.edgekit",), blocks=2, **more):
    return LabPlan(
        targets=targets,
        bundles=tuple(str(tmp_path / bundle) for bundle in bundles),
        settings=TWO,
        bench=BenchSpec(runs=2, warmup=0, blocks=blocks),
        retry=RetrySpec(attempts=2, backoff_s=0.01),
        out=str(tmp_path / "out"),
        **more,
    )


def test_every_target_bundle_and_variant_gets_a_row(tmp_path):
    make_bundle(tmp_path, variants=("litert-fp32", "executorch-fp32"))
    plan = make_plan(tmp_path, "virtual:gs101", "virtual:exynos5422")
    seen = []
    result = run_lab(plan, inline, progress=lambda job, outcome, status: seen.append(job.target))
    assert (result.is_complete, result.was_interrupted) == (True, False)
    assert {(row.target, row.variant, row.n_settings, row.n_done, row.n_jobs) for row in result.rows} == {
        (target, variant, 2, 1, 1)
        for target in ("virtual:gs101", "virtual:exynos5422")
        for variant in ("litert-fp32", "executorch-fp32")
    }
    assert seen == ["virtual:gs101", "virtual:exynos5422"] * 2  # in turns
    assert all((row.provenance, row.verdict, row.note) == ("modelled", "modelled", "") for row in result.rows)
    cheapest = result.rows[0]
    assert (cheapest.chosen_by, cheapest.setting.freq_khz) == ("least mJ", 500000)
    written = msgspec.json.decode(result.summary_path.read_bytes())
    assert written["is_complete"] is True
    assert len(written["rows"]) == 4


def test_with_a_frame_rate_to_reach_a_faster_setting_is_best(tmp_path):
    make_bundle(tmp_path)
    plan = make_plan(tmp_path, "virtual:gs101", goal_fps=1e6)
    [row] = run_lab(plan, inline).rows
    assert (row.chosen_by, row.setting.freq_khz) == ("least ms: none reaches 1e+06 fps", 2850000)
    assert choose_best([], 30) == (None, "")


def test_running_again_measures_nothing_twice(tmp_path):
    make_bundle(tmp_path)
    plan = make_plan(tmp_path, "virtual:gs101")
    first = run_lab(plan, inline)
    log = LabRecords(plan.out).log("virtual:gs101").path
    before = log.read_bytes()
    assert run_lab(plan, inline).rows == first.rows
    assert log.read_bytes() == before


def test_an_interrupted_lab_keeps_what_is_finished_and_goes_on(tmp_path):
    make_bundle(tmp_path)
    plan = make_plan(tmp_path, "virtual:gs101", "virtual:sdm845", "virtual:exynos5422")

    def stop(job, outcome, status):
        raise KeyboardInterrupt

    result = run_lab(plan, inline, progress=stop)
    assert (result.is_complete, result.was_interrupted) == (False, True)
    assert [one.state for one in read_states(plan.out)] == ["done", "pending", "pending"]
    assert len(list(LabRecords(plan.out).log("virtual:gs101"))) == 2
    result = run_lab(plan, inline)
    assert result.is_complete
    assert len(list(LabRecords(plan.out).log("virtual:gs101"))) == 2


def test_a_job_that_cannot_be_done_says_why_and_the_others_go_on(tmp_path):
    make_bundle(tmp_path)
    (tmp_path / "bare").mkdir()
    make_bundle(tmp_path / "bare", workload=None)
    plan = make_plan(
        tmp_path,
        "virtual:gs101",
        TargetSpec("virtual:sdm845", SettingsSpec(clusters=("huge",))),
        bundles=("toy.edgekit", "bare/toy.edgekit"),
    )
    result = run_lab(plan, inline)
    assert not result.is_complete
    notes = {(row.target, row.n_done): row.note for row in result.rows}
    assert notes["virtual:gs101", 1] == ""
    assert "failed: " in notes["virtual:gs101", 0]
    assert "without a table of its operations" in notes["virtual:gs101", 0]
    assert notes["virtual:sdm845", 0] == "failed: sdm845 has no cluster 'huge'; choose one of: little, big"


def test_a_phone_that_vanishes_is_set_aside_and_done_when_it_is_back(tmp_path, monkeypatch, tflite):
    pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
    phones = FakePhones(tmp_path / "usb", monkeypatch)
    here, gone = phones.add("HERE"), phones.add("GONE")
    gone.on_run("mv $PHONE/state $PHONE/pulled")
    (tmp_path / "net.tflite").write_bytes(tflite.read_bytes())
    plan = make_plan(tmp_path, "adb:HERE", "adb:GONE", bundles=("net.tflite",), blocks=1)
    result = run_lab(plan, inline)
    there, away = result.rows
    assert (there.n_done, there.latency_ms, there.note) == (1, pytest.approx(2.0005), "")
    assert (away.n_done, away.setting) == (0, None)
    assert away.note.startswith("set aside: adb knows no phone 'GONE' now, it lists: HERE")
    assert away.note.endswith("(2 times in a row)")
    assert here.clocks() == gone.clocks()
    (gone.path / "pulled").rename(gone.path / "state")
    gone.on_run("")
    result = run_lab(plan, inline)
    assert result.is_complete
    assert [(row.n_done, row.provenance, row.verdict) for row in result.rows] == [
        (1, "measured", "unstable")  # two frames are too few to judge
    ] * 2


def test_two_runs_of_one_plan_do_not_mix(tmp_path):
    make_bundle(tmp_path)
    plan = make_plan(tmp_path, "virtual:gs101")
    with only_run(plan.out), pytest.raises(DeviceTransientError, match="another edgekit lab run is writing"):
        run_lab(plan, inline)


def test_a_machine_that_another_lab_keeps_busy_is_waited_for(tmp_path):
    make_bundle(tmp_path)
    plan = make_plan(tmp_path, "virtual:gs101")
    with Journal().claim("this machine"):
        [row] = run_lab(plan, inline).rows
    assert row.note.startswith("set aside: this machine is held by another run")
    assert run_lab(plan, inline).is_complete


def test_a_plan_file_leads_all_the_way(tmp_path):
    pytest.importorskip("yaml", reason="pip install -e '.[lab]'")
    make_bundle(tmp_path)
    path = tmp_path / "plan.yaml"
    path.write_text("targets: ['virtual:gs101']\nbundles: [toy.edgekit]\nsettings: {every: 4}\n")
    result = run_lab(load_plan(path), inline)
    assert result.is_complete
    assert result.summary_path == tmp_path / "plan-results/summary.json"
