"""An emulated phone through its agent, and the same phone behind an sshd that runs inside it."""

import os
import subprocess
import sys

import pytest

from runtime.device.emulation.namespace import probe
from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import open_target
from tests.runtime.sshd import start_sshd, stop


@pytest.fixture
def can_emulate():
    ok, reason = probe()
    if not ok:
        pytest.skip(reason)


@pytest.fixture
def bundle(tflite):
    return open_bundle_or_model(tflite)


def bench_two_clocks(target, bundle, log):
    clocks = [opp.freq_khz for opp in target.profile.cluster("big").opps]
    settings = [Setting("big", clocks[0], 1), Setting("big", clocks[-1], 1)]
    records = bench(bundle, target, settings=settings, runs=5, warmup=1, blocks=1, log=RecordLog(log))
    return {record.setting: record for record in records}


@pytest.mark.slow
def test_an_emulated_phone(can_emulate, bundle, tmp_path):
    with open_target("emulated:gs101") as target:
        assert [cluster.name for cluster in target.profile.clusters] == ["little", "mid", "big"]
        records = bench_two_clocks(target, bundle, tmp_path / "r.jsonl")
    for setting, record in records.items():
        assert (record.target, record.provenance) == ("emulated:gs101", "emulated")
        assert (record.setting_read, record.control_level) == (setting, "sysfs")


@pytest.mark.slow
def test_a_phone_in_all_but_silicon(can_emulate, bundle, tmp_path, monkeypatch):
    wrapper = [sys.executable, "-m", "runtime.device.emulation", "gs101", "--"]
    phone = start_sshd(tmp_path, wrapper, root="/")
    monkeypatch.setenv("EDGEKIT_SSH_CONFIG", str(phone.config))
    try:
        with open_target("ssh:phone") as target:
            assert target.provenance == "emulated"
            records = bench_two_clocks(target, bundle, tmp_path / "r.jsonl")
            assert target.restore() == []
        for setting, record in records.items():
            assert (record.target, record.provenance) == ("ssh:phone", "emulated")
            assert record.setting_read == setting
    finally:
        stop(phone)


def test_who_may_not_emulate_is_told_why(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeviceStableError, match=r"emulated:gs101: .* need root"):
        open_target("emulated:gs101")


def test_a_soc_that_cannot_be_emulated_is_told_why(can_emulate, tmp_path):
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(DeviceStableError, match=r"emulated:.*broken.toml: broken.toml is not valid TOML"):
        open_target(f"emulated:{tmp_path}/broken.toml")


def test_the_emulated_machine_ends_with_its_target(can_emulate):
    target = open_target("emulated:gs101")
    process = target._link._connection.process
    target.close()
    assert process.poll() is not None
    left = subprocess.run(
        ["pgrep", "-g", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout
    assert left == ""
