import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.bundle import Bundle
from runtime.device.conditions import Conditions
from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.engines import Samples
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError
from runtime.measure.bench import bench, choose_variants, default_log, summarise
from runtime.measure.records import RecordLog
from runtime.targets import LocalTarget, VirtualTarget
from tests.runtime.measure.fake_target import Fake, FakeSession


@pytest.fixture
def log(tmp_path):
    return RecordLog(tmp_path / "records.jsonl")


@pytest.fixture(scope="module")
def bundle(tflite):
    return open_bundle_or_model(tflite)


def test_every_block_visits_everything_once_in_an_order_of_its_own(bundle, log):
    target = Fake()
    records = bench(bundle, target, blocks=4, log=log)
    assert [record.block for record in records] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    blocks = [target.visits[i : i + 3] for i in range(0, 12, 3)]
    assert all(sorted(block) == sorted(target.settings()) for block in blocks)
    assert len({tuple(block) for block in blocks}) > 1
    assert list(log) == records


def test_the_seed_makes_the_order(bundle, tmp_path):
    def order(seed, name):
        target = Fake()
        bench(bundle, target, seed=seed, log=RecordLog(tmp_path / name))
        return target.visits

    assert order(3, "a") == order(3, "b") != order(4, "c")


def test_a_record_says_what_ran_where_and_how_it_was_powered(bundle, log):
    records = bench(
        bundle, Fake(), settings=[Setting("cpu", 1000), Setting("cpu", 2000)], blocks=1, runs=6, log=log
    )
    by_clock = {record.setting.freq_khz: record for record in records}
    record = by_clock[1000]
    assert (record.model, record.variant, record.engine, record.target) == (
        "double.tflite",
        "litert-fp32",
        "litert",
        "fake",
    )
    assert record.model_sha256 == bundle.manifest.files[0].sha256
    assert (record.samples_ms, record.first_frame_ms) == ((10.0,) * 6, 30.0)
    assert (record.power_mw, record.energy_mj, record.energy_source) == (500.0, 5.0, "measured: test")
    assert (by_clock[2000].power_mw, by_clock[2000].energy_mj, by_clock[2000].energy_source) == (
        None,
        None,
        "no meter",
    )
    assert (record.verdict, record.control_level, record.versions["engine"]) == ("stable", "sysfs", "fake 1")


def test_drift_between_blocks_is_unstable(bundle, log):
    target = Fake(lambda visit: 10.0 if visit <= 2 else 15.0)
    records = bench(bundle, target, settings=[Setting("cpu", 1000)], blocks=3, log=log)
    assert [record.verdict for record in records] == ["stable", "stable", "unstable"]
    assert records[2].reasons == ("median moved by +50% from earlier blocks (limit 5%)",)
    [row] = summarise(records)
    assert (row.verdict, row.reasons, row.latency_ms) == ("unstable", records[2].reasons, 10.0)


def test_an_unstable_block_is_measured_again_and_only_the_last_try_is_kept(bundle, log):
    target = Fake(lambda visit: 15.0 if visit in (2, 4) else 10.0)
    records = bench(bundle, target, settings=[Setting("cpu", 1000)], blocks=3, retries=1, log=log)
    assert [(record.verdict, record.tries) for record in records] == [
        ("stable", 1),
        ("stable", 2),
        ("stable", 2),
    ]
    assert list(log) == records
    assert len(target.visits) == 5


class Hot(Fake):
    """A machine that cools by a degree at every look."""

    def __init__(self, temp_c):
        super().__init__()
        self.temp_c = temp_c

    @contextlib.contextmanager
    def session(self, bundle, variant, setting):
        with super().session(bundle, variant, setting) as session:
            session.conditions = self.conditions
            yield session

    def conditions(self, *, probe=False):
        self.temp_c -= 1
        return Conditions(0.0, temp_c=self.temp_c)


def test_a_hot_machine_is_waited_for(bundle, log, monkeypatch):
    slept = []
    monkeypatch.setattr("runtime.measure.bench.cool_down.time.sleep", slept.append)
    one = {"settings": [Setting("cpu", 1000)], "blocks": 1, "log": log}
    [record] = bench(bundle, Hot(55.0), max_temp_c=50.0, **one)
    assert (record.verdict, record.cooled_s, len(slept)) == ("stable", 4.0, 4)
    [still_hot] = bench(bundle, Hot(99.0), max_temp_c=50.0, cool_down_s=2.0, seed=1, **one)
    assert (still_hot.verdict, still_hot.cooled_s) == ("unstable", 2.0)
    assert still_hot.reasons == ("it was 95.0 C at the start (limit 50 C)",)
    assert still_hot.advice == ("wait longer (--cool-down-s), or cool the device",)


def test_a_limit_that_no_sensor_can_keep_is_refused(bundle, log):
    class NoSensor(Hot):
        def conditions(self, *, probe=False):
            return Conditions(0.0, temp_c=None)

    with pytest.raises(DeviceStableError, match="shows no CPU temperature; leave --max-temp-c out"):
        bench(bundle, NoSensor(0.0), settings=[Setting("cpu", 1000)], blocks=1, log=log, max_temp_c=45.0)


def test_paced_frames_are_records_of_their_own(bundle, log):
    one = {"settings": [Setting("cpu", 1000)], "blocks": 1, "log": log}
    [fast] = bench(bundle, Fake(), **one)
    [paced] = bench(bundle, Fake(lambda visit: 40.0), fps=30.0, **one)
    assert (fast.mode, paced.mode, paced.fps_target) == ("back-to-back", "paced", 30.0)
    rows = summarise([fast, paced])
    assert [(row.fps_target, row.late_share) for row in rows] == [(30.0, 1.0), (None, None)]
    assert any("100% of the frames took longer than the 33.3 ms" in line for line in rows[0].remarks)


def test_blocks_that_differ_too_much_are_called_unstable_together(bundle, log):
    target = Fake(lambda visit: 10.0 * (1.04 if visit % 2 else 1.0))
    [row] = summarise(bench(bundle, target, settings=[Setting("cpu", 1000)], blocks=3, log=log))
    assert row.verdict == "unstable"
    assert "the median of 3 blocks is known to +-" in row.reasons[0]
    assert "--blocks" in row.advice[0]


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(bundle, log):
    def stop(done, total, record):
        if done == 4:
            raise KeyboardInterrupt

    first = Fake()
    with pytest.raises(KeyboardInterrupt):
        bench(bundle, first, log=log, progress=stop)
    assert len(list(log)) == 4
    second = Fake()
    records = bench(bundle, second, log=log)
    assert len(second.visits) == 5
    assert first.visits + second.visits == [record.setting for record in records]
    assert len(list(log)) == 9
    third = Fake()
    assert bench(bundle, third, log=log) == records
    assert third.visits == []


def test_another_seed_or_protocol_is_measured_anew(bundle, log, monkeypatch):
    monkeypatch.setattr(FakeSession, "machine", lambda self, probe: Conditions(0.0, temp_c=40.0))
    bench(bundle, Fake(), blocks=1, runs=5, log=log)
    for change in ({"seed": 1}, {"runs": 6}, {"runs": 4}, {"warmup": 1}, {"max_temp_c": 50.0}):
        target = Hot(40.0)
        bench(bundle, target, **{"blocks": 1, "runs": 5, "log": log} | change)
        assert len(target.visits) == 3


def test_a_modelled_target_gives_one_sample_and_its_bounds(bundle, log):
    target = VirtualTarget("sm8250")
    records = bench(bundle, target, threads=(1, 2), log=log)
    assert len(records) == len(target.settings((1, 2)))
    assert all(len(record.samples_ms) == 1 and record.block == 0 for record in records)
    assert {record.provenance for record in records} == {"modelled"}
    assert {record.verdict for record in records} == {"modelled"}
    assert all(r.latency_low_ms < r.latency_ms < r.latency_high_ms for r in records)
    assert all(r.reasons[0].startswith("modelled: may truly take") for r in records)
    assert all(record.setting_read == record.setting for record in records)
    top = next(record for record in records if record.setting == Setting("big", 2841600))
    assert (top.power_mw, top.energy_basis) == (959.96, "net at the battery")
    assert top.energy_source.startswith("modelled latency x measured: freqbench")
    assert top.energy_mj == pytest.approx(959.96 * top.latency_ms / 1000)
    beyond = next(record for record in records if record.setting == Setting("big", 3091200))
    assert beyond.energy_source.startswith("modelled latency x modelled: above 2841.6 MHz of measured: ")
    assert bench(bundle, target, threads=(1, 2), log=log) == records


def test_this_machine_for_real(bundle, log):
    [first, second] = bench(bundle, LocalTarget(), blocks=2, runs=5, warmup=1, log=log)
    assert (len(first.samples_ms), first.provenance, first.block, second.block) == (5, "measured", 0, 1)
    assert first.control_level in ("sysfs", "affinity")
    assert first.setting_read.threads == 1
    assert first.before.probe_ms > 0 < first.after.probe_ms
    assert first.after.time_s > first.before.time_s
    assert first.after.own_busy_s > first.before.own_busy_s
    assert first.device["kernel"]
    assert (first.run, first.block) != (second.run, second.block)
    assert set(first.versions) == {"edgekit", "python", "engine", "kernel"}


def test_a_killed_run_keeps_its_blocks_and_is_resumed(tflite, log):
    command = [
        sys.executable,
        "-m",
        "edgekit",
        "bench",
        str(tflite),
        "--blocks",
        "40",
        "--runs",
        "5",
        "--retries",
        "0",
        "--out",
        str(log.path),
    ]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while (not log.path.is_file() or log.path.read_bytes().count(b"\n") < 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    kept = list(log)
    assert 2 <= len(kept) < 40
    records = bench(open_bundle_or_model(tflite), LocalTarget(), blocks=len(kept) + 1, runs=5, log=log)
    assert len(records) == len(kept) + 1
    found = zip(kept, records, strict=False)
    assert all((old == new) == (old.verdict == "stable") for old, new in found)


def test_rows_gather_all_blocks_slowest_first(bundle, log):
    records = bench(bundle, Fake(lambda visit: float(visit)), blocks=1, runs=30, log=log)
    rows = summarise(records)
    assert [row.latency_ms for row in rows] == [3.0, 2.0, 1.0]
    assert [row.fps for row in rows] == [pytest.approx(1000 / 3), 500.0, 1000.0]
    powered = next(row for row in rows if row.power_mw is not None)
    assert (powered.energy_kind, powered.energy_mj) == ("measured", powered.latency_ms * 0.5)
    assert powered.remarks == ()
    assert [row.remarks for row in rows if row.power_mw is None] == [("no energy: no meter",)] * 2


def test_records_lie_in_the_bundle_or_beside_you(bundle):
    target = VirtualTarget("gs101")
    assert default_log(bundle, target).path == Path("double.tflite.virtual-gs101.jsonl")
    plain = Bundle(Path("net.edgekit"), bundle.manifest)
    assert default_log(plain, target).path == Path("net.edgekit/records/virtual-gs101.jsonl")


def test_choose_variants(bundle):
    assert choose_variants(bundle) == choose_variants(bundle, ["litert"]) == ["litert-fp32"]
    with pytest.raises(ValueError, match=r"no variant with engine \['executorch'\].*litert-fp32 \(litert\)"):
        choose_variants(bundle, ["executorch"])
    with pytest.raises(ValueError, match="unknown variant 'x'"):
        choose_variants(bundle, names=["x"])


@pytest.mark.parametrize("counts", [{"runs": 0}, {"blocks": 0}, {"warmup": -1}])
def test_counts_below_one(bundle, log, counts):
    with pytest.raises(ValueError, match="need runs and blocks >= 1"):
        bench(bundle, Fake(), log=log, **counts)
    assert os.path.exists(log.path) is False


@pytest.mark.parametrize(("subtract_idle", "power_mw"), [(False, 900.0), (True, 600.0)])
def test_what_a_meter_saw_comes_before_any_table(bundle, log, monkeypatch, subtract_idle, power_mw):
    energy = EnergyReading(90.0, 0.1, 10, "rail", "measured", 300.0, subtract_idle)

    def sample(self, *, warmup, runs, fps):
        return Samples(None, (10.0,) * runs, 1, energy)

    monkeypatch.setattr(FakeSession, "sample", sample)
    [record] = bench(bundle, Fake(), settings=[Setting("cpu", 1000)], blocks=1, runs=10, log=log)
    assert (record.power_mw, record.energy_mj) == (pytest.approx(power_mw), pytest.approx(power_mw / 100))
    assert record.energy_source.startswith("measured: rail; ")
    assert next(iter(log)).energy == energy


def test_a_meter_that_failed_says_why_where_no_table_helps(bundle, log, monkeypatch):
    energy = EnergyReading(None, 0.1, 10, "rail", "measured", reason="the file is gone")
    monkeypatch.setattr(FakeSession, "sample", lambda self, **_: Samples(None, (10.0,) * 9, 1, energy))
    [record] = bench(bundle, Fake(), settings=[Setting("cpu", 2000)], blocks=1, log=log)
    assert (record.power_mw, record.energy_source) == (None, "rail: the file is gone")
