"""The lab on a real Ray; slow because Ray takes seconds to start."""

import os
import signal
import subprocess
import sys
import time

import pytest

from runtime.errors import DeviceStableError
from runtime.measure.lab import LabPlan, read_states, run_lab
from runtime.measure.lab.executor import LabRecords
from runtime.measure.lab.plan import BenchSpec, RetrySpec, SettingsSpec, TargetSpec
from tests.places import ROOT
from tests.runtime.targets.fake_phone import FakePhones

pytest.importorskip("ray", reason="pip install -e '.[lab]'")
pytest.importorskip("devlib", reason="pip install -e '.[lab]'")
pytestmark = pytest.mark.slow


@pytest.fixture
def net(tmp_path, tflite, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite.read_bytes())
    return path


def make_plan(tmp_path, net, *targets, **more):
    return LabPlan(
        targets=targets,
        bundles=(str(net),),
        settings=SettingsSpec(every=1000),
        bench=BenchSpec(runs=6, warmup=1, blocks=2),
        retry=RetrySpec(attempts=2, backoff_s=0.2),
        out=str(tmp_path / "out"),
        **more,
    )


def test_real_and_modelled_targets_and_a_phone_that_vanishes(tmp_path, net, monkeypatch):
    phones = FakePhones(tmp_path / "usb", monkeypatch)
    kept, gone = phones.add("HERE", is_rooted=True), phones.add("GONE", is_rooted=True)
    gone.on_run(
        "[ -f $PHONE/once ] && mv $PHONE/state $PHONE/pulled; echo >> $PHONE/runs; "
        "[ $(grep -c '' $PHONE/runs) = 3 ] && touch $PHONE/once"
    )
    before = kept.clocks()
    fast = SettingsSpec(clusters=("big",), freqs_khz=(2850000,))
    two = (TargetSpec("adb:HERE", fast), TargetSpec("adb:GONE", fast))
    plan = make_plan(tmp_path, net, "local", "virtual:gs101", "virtual:sdm845", *two)
    order = []
    result = run_lab(plan, progress=lambda job, outcome, status: order.append(job.target))
    rows = {row.target: row for row in result.rows}
    assert not result.is_complete
    assert {target: (row.n_done, row.n_jobs) for target, row in rows.items()} == {
        "local": (2, 2),
        "virtual:gs101": (1, 1),
        "virtual:sdm845": (1, 1),
        "adb:HERE": (2, 2),
        "adb:GONE": (1, 2),
    }
    assert rows["adb:GONE"].note.startswith("set aside: adb knows no phone 'GONE'")
    assert rows["adb:GONE"].n_settings == 1  # the record of the block made before it vanished is kept
    assert rows["local"].provenance == "measured"
    assert kept.clocks() == before
    (gone.path / "pulled").rename(gone.path / "state")
    gone.on_run("")
    result = run_lab(plan)
    assert result.is_complete
    assert gone.clocks() == before  # what the broken run left held was restored as well
    assert {one.state for one in read_states(plan.out)} == {"done"}
    for target in rows:
        log = list(LabRecords(plan.out).log(target))
        assert len({(r.variant, r.setting, r.block) for r in log}) == len(log)  # nothing measured twice


def test_no_cluster_at_the_address(tmp_path, net):
    with pytest.raises(DeviceStableError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'"):
        run_lab(make_plan(tmp_path, net, "virtual:gs101", ray_address="127.0.0.1:1"))


def test_ctrl_c_gives_clocks_back_and_keeps_what_is_finished(tmp_path, net, monkeypatch):
    phones = FakePhones(tmp_path / "usb", monkeypatch)
    phone = phones.add("P6", is_rooted=True)
    before = phone.clocks()
    phone.on_run('case "$*" in *num_threads=2*) touch $PHONE/hangs; exec sleep 60 ;; esac')
    path = tmp_path / "plan.yaml"
    path.write_text(
        "targets: ['adb:P6']\nbundles: [net.tflite]\nbench: {runs: 2, warmup: 0, blocks: 1}\n"
        "settings: {clusters: [big], freqs_khz: [1277000], threads: [1, 2]}\n"
    )
    lab = subprocess.Popen(
        [sys.executable, "-m", "edgekit", "lab", "run", str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until_s = time.monotonic() + 60
    while not (phone.path / "hangs").exists() and time.monotonic() < until_s:
        time.sleep(0.1)
    assert phone.clocks() != before
    lab.send_signal(signal.SIGINT)
    out, err = lab.communicate(timeout=60)
    assert lab.returncode == 130, err
    assert "run it again to go on" in err
    assert phone.clocks() == before
    records = list(LabRecords(tmp_path / "plan-results").log("adb:P6"))
    assert all(record.setting.threads == 1 for record in records)
    assert "RAY_USAGE" not in out + err
    assert os.environ.get("RAY_USAGE_STATS_ENABLED") in (None, "0")
