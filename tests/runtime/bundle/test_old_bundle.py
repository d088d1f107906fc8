"""What edgekit 0.1.0 wrote still opens: a bundle with all that can be in it, a governor's log, a journal."""

import json
import shutil

import pytest

from runtime.choose.fitting import load_fit
from runtime.choose.policy.policy import load_policy
from runtime.device.actuators import Journal, restore
from runtime.device.actuators.journal import read_boot_id
from runtime.device.actuators.states import GroupState, PolicyState
from runtime.device.setting import Setting
from runtime.errors import VersionConflict
from runtime.govern.run.run import run_bundle
from runtime.govern.run.runs import load_run
from runtime.measure.frame_log import read_log
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from tests.runtime.made_by_0_1_0 import OLD, open_old_bundle

RK3399, KIRIN960 = "virtual:rk3399", "virtual:kirin960"


@pytest.fixture
def bundle(tmp_path):
    return open_old_bundle(tmp_path)


def test_its_policies_are_read_with_the_same_figures(bundle):
    policy = load_policy(bundle, RK3399)
    assert policy.setting == Setting("little", 816_000)
    assert (policy.objective, policy.fps_target, policy.goal.margin_pct) == ("awake", 40.0, 10.0)
    assert policy.goal.period_ms == 25.0
    assert policy.meets_target
    assert [outcome.governor for outcome in policy.comparison][:2] == ["policy", "performance"]
    assert policy.provenance == "modelled"
    asked = load_policy(bundle, KIRIN960)
    assert (asked.deadline_ms, asked.goal.period_ms) == (0.05, 25.0)


def test_its_policy_is_followed(bundle):
    policy = load_policy(bundle, RK3399)
    result = run_bundle(bundle, open_target(RK3399), policy=policy, frames=3)
    assert (result.setting, result.late_frames) == (policy.setting, 0)


def test_its_predictor_predicts(bundle):
    try:
        fit, predictor = load_fit(bundle, RK3399)
    except VersionConflict as err:  # a predictor is only read by the scikit-learn that wrote it
        pytest.skip(str(err))
    assert fit.chosen == "linear"
    assert predictor.n_features_in_ == len(fit.features)


def test_its_records_and_last_run_are_read(bundle):
    for target in (RK3399, KIRIN960):
        records = list(RecordLog(bundle.path / "records" / f"{target.replace(':', '-')}.jsonl"))
        assert [record.target for record in records] == [target, target]
        assert {(record.provenance, record.control_level) for record in records} == {("modelled", "sysfs")}
    run = load_run(bundle, RK3399)
    assert (run.frames, run.late_frames, run.fps_target, run.control_level) == (3, 0, 40.0, "sysfs")
    assert run.setting == run.setting_read == Setting("little", 816_000)


def test_its_log_of_a_governed_run_is_read():
    header, frames = read_log(OLD / "frames.jsonl")
    assert (header.target, header.period_ms, header.deadline_ms) == ("emulated:rk3399", 25.0, 25.0)
    assert [frame.freq_khz for frame in frames] == [816_000] * 4
    assert "cheapest that meets 22.7 ms" in frames[0].reason


def test_its_journal_is_read(tmp_path):
    folder = shutil.copytree(OLD / "journal", tmp_path / "journal")
    entries = [entry for _, entry in Journal(folder).entries()]
    assert {type(entry.state) for entry in entries} == {PolicyState, GroupState}
    assert {entry.device for entry in entries} == {None, "adb:R5CT1234"}
    assert {done.action for done in restore(Journal(folder))} == {
        "nothing to do: the machine was restarted since"
    }


def test_its_journal_still_repairs_a_clock(tmp_path):
    policy = tmp_path / "devices/system/cpu/cpufreq/policy0"
    policy.mkdir(parents=True)
    held = {
        "scaling_governor": "userspace",
        "scaling_min_freq": "900000",
        "scaling_max_freq": "900000",
        "cpuinfo_min_freq": "300000",
        "cpuinfo_max_freq": "1800000",
        "scaling_available_governors": "schedutil userspace",
    }
    for name, text in held.items():
        (policy / name).write_text(text)
    (old,) = OLD.glob("journal/policy0-*.json")
    entry = json.loads(old.read_text())
    entry["state"]["policy"] = str(policy)
    entry["boot_id"] = read_boot_id()
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / old.name).write_text(json.dumps(entry))
    assert [done.action for done in restore(Journal(tmp_path / "journal"))] == ["restored"]
    assert (policy / "scaling_governor").read_text().strip() == "schedutil"
    assert (policy / "scaling_max_freq").read_text().strip() == "1800000"
