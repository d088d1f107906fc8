"""Which blocks of a log stand for a bench, and which were made by something else."""

import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest

from runtime.device.meters import EnergyReading
from runtime.device.setting import Setting
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceTransientError
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import VirtualTarget
from tests.runtime.measure.fake_target import Fake

ONE = {"settings": [Setting("cpu", 1000)], "blocks": 2}


@pytest.fixture
def log(tmp_path):
    return RecordLog(tmp_path / "fake.jsonl")


@pytest.fixture(scope="module")
def bundle(tflite):
    return open_bundle_or_model(tflite)


def rewrite(log, **facts):
    """Give every record of ``log`` other facts."""
    records = list(log)
    log.path.write_bytes(b"".join(msgspec.json.encode(replace(r, **facts)) + b"\n" for r in records))


def again(bundle, log, target=None, **given):
    """Bench once more; return how many blocks were measured, and what was said."""
    target, said = target or Fake(), []
    bench(bundle, target, log=log, on_message=said.append, **{**ONE, **given})
    return len(target.visits), said


def test_what_is_kept_is_said_with_day_machine_and_engine(bundle, log):
    bench(bundle, Fake(), log=log, **ONE)
    rewrite(log, created_utc="2026-11-20T10:00:00+00:00")
    assert again(bundle, log) == (
        0,
        ["kept 2 blocks of 2026-11-20 from fake, fake 1, Linux 6, no energy meter; --again measures anew"],
    )


@pytest.mark.parametrize(
    ("facts", "origin"),
    [
        ({"device": {"name": "Raspberry Pi 4", "soc": "BCM2711", "kernel": "Linux 6"}},
         "Raspberry Pi 4 (BCM2711), fake 1, Linux 6"),
        ({"device": {"name": "fake", "arch": "arm", "kernel": "Linux 6"}}, "fake (arm), fake 1, Linux 6"),
        ({"device": {"name": "fake", "kernel": "Linux 5"}}, "fake, fake 1, Linux 5"),
        ({"versions": {"engine": "fake 1", "kernel": "5.1"}}, "fake, fake 1, Linux 6 5.1"),
        ({"versions": {"engine": "fake 0"}}, "fake, fake 0, Linux 6"),
        ({"energy": EnergyReading(1.0, 1.0, 9, "RAPL package-0", "measured")}, "meter RAPL package-0"),
        ({"device": {}}, "an unknown machine, fake 1"),
        ({"versions": {}}, "fake, unknown engine, Linux 6"),
    ],
)  # fmt: skip
def test_another_machine_kernel_engine_or_meter_is_measured_again(bundle, log, facts, origin):
    bench(bundle, Fake(), log=log, **ONE)
    rewrite(log, **facts)
    visits, [said] = again(bundle, log)
    assert visits == 2
    assert said.startswith("not kept: 2 blocks of ")
    assert origin in said
    assert said.endswith("this is fake, fake 1, Linux 6, no energy meter")
    assert again(bundle, log)[0] == 0  # the newest stand from now on


def test_another_choice_of_meter_is_measured_again(bundle, log):
    bench(bundle, Fake(), log=log, **ONE)
    metered = Fake()
    metered.meter = "RAPL package-0 net"
    assert again(bundle, log, metered)[0] == 2


def test_a_new_release_of_the_system_alone_is_the_same_machine(bundle, log):
    bench(bundle, Fake(), log=log, **ONE)
    rewrite(log, device={**Fake.device, "os": "Debian 12.9"})
    assert again(bundle, log)[0] == 0


def test_an_unstable_block_is_not_finished(bundle, log):
    bench(bundle, Fake(lambda visit: 10.0 if visit == 1 else 15.0), log=log, **ONE)
    assert [record.verdict for record in log] == ["stable", "unstable"]
    assert again(bundle, log)[0] == 1
    assert [record.verdict for record in log] == ["stable", "unstable", "stable"]


def test_again_measures_anew_and_sets_other_machines_aside(bundle, log, tmp_path):
    bench(bundle, Fake(), log=log, **ONE)
    assert again(bundle, log, again=True) == (2, [])
    assert len(list(log)) == 4
    rewrite(log, device={"name": "Raspberry Pi 4"})
    others = log.path.read_bytes()
    visits, [said] = again(bundle, log, again=True)
    aside = tmp_path / "fake.other-machines.jsonl"
    assert (visits, said) == (2, f"4 records of Raspberry Pi 4 are now in {aside}")
    assert {record.device["name"] for record in log} == {"fake"}
    assert aside.read_bytes() == others


def test_a_modelled_block_is_kept_only_if_the_model_still_says_so(bundle, log):
    target, one = VirtualTarget("gs101"), {"settings": VirtualTarget("gs101").settings()[:1], "log": log}
    bench(bundle, target, **one)
    [first] = bench(bundle, target, **one)
    assert list(log) == [first]
    rewrite(log, samples_ms=(first.latency_ms * 2,))  # by the profile that was there before
    assert [record.latency_ms for record in bench(bundle, target, **one)] == [first.latency_ms]
    assert len(list(log)) == 2


def test_two_benches_of_one_log_at_once(bundle, log, tmp_path):
    code = (
        "import sys; from pathlib import Path; from runtime.measure.records import RecordLog\n"
        "with RecordLog(Path(sys.argv[1])).alone(): print(1, flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(log.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline()
    target = Fake()
    with pytest.raises(DeviceTransientError, match=r"process.* is measuring into .*fake\.jsonl; wait for it"):
        bench(bundle, target, log=log, **ONE)
    assert target.visits == []
    first.communicate()
    assert not log.path.exists()  # it measured nothing
    bench(bundle, target, log=log, **ONE)
    assert sorted(tmp_path.iterdir()) == [log.path]
