"""A bench on a machine that heats up while it holds a clock: real blocks over a tree whose limit moves.

With frequency QoS (Linux 5.3 and later) ``scaling_max_freq`` shows the lower of user's and heat's limit.
"""

import contextlib

import pytest

from runtime.device.actuators import CpuFreq, Journal, allowed_cpus
from runtime.device.setting import Setting
from runtime.device.soc import Cluster, Opp, SocProfile
from runtime.device.soc.clock import GOVERNORS
from runtime.device.soc.tree import SocTree
from runtime.engines.model_file import open_bundle_or_model
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import LocalTarget
from runtime.targets.local_session import LocalSession

LOW_KHZ, MID_KHZ, TOP_KHZ = 500_000, 1_000_000, 2_000_000


class WarmMachine:
    """A tree of this machine's CPUs behind a kernel that heat limits; ``heat_khz`` may change at any time."""

    def __init__(self, folder, governors):
        cluster = Cluster("cpu", "toy", allowed_cpus(), tuple(map(Opp, (LOW_KHZ, MID_KHZ, TOP_KHZ))))
        self.tree = SocTree(SocProfile("toy", "Toy", "none", (cluster,)), folder / "root", governors)
        [self.policy] = self.tree.policies
        self.heat_khz = TOP_KHZ
        self.asked_khz = self._shown_khz = TOP_KHZ
        self.target = LocalTarget(self.tree.root, meter="none")
        self.journal = Journal(folder / "journal")
        self.target.cpufreq = CpuFreq(self.tree.root, settle=self.settle, journal=self.journal)

    def settle(self):
        limit = self.policy / "scaling_max_freq"
        if (written_khz := int(limit.read_text())) != self._shown_khz:
            self.asked_khz = written_khz
        self._shown_khz = min(self.asked_khz, self.heat_khz)
        limit.write_text(f"{self._shown_khz}\n")
        low = self.policy / "scaling_min_freq"
        low.write_text(f"{min(int(low.read_text()), self._shown_khz)}\n")  # never above the other
        self.tree.settle()

    def heat_to(self, khz):
        self.heat_khz = khz
        self.settle()

    def state(self):
        return [
            (self.policy / f"scaling_{name}").read_text().strip()
            for name in ("governor", "min_freq", "max_freq")
        ]


@pytest.fixture(params=[GOVERNORS, ("schedutil", "performance")], ids=["userspace", "bounds"])
def machine(request, tmp_path):
    machine = WarmMachine(tmp_path, request.param)
    if machine.target.capability.level != "sysfs":
        pytest.skip("needs a tree whose clocks may be set")
    return machine


@contextlib.contextmanager
def while_sampling(monkeypatch, act):
    really = LocalSession.sample

    def sample(self, **given):
        act()
        return really(self, **given)

    with monkeypatch.context() as patched:
        patched.setattr(LocalSession, "sample", sample)
        yield


def blocks(machine, tflite, tmp_path, count):
    return bench(
        open_bundle_or_model(tflite),
        machine.target,
        settings=[Setting("cpu", TOP_KHZ)],
        runs=10,
        warmup=1,
        blocks=count,
        log=RecordLog(tmp_path / "records.jsonl"),
    )


def test_heat_inside_a_block_is_judged_and_ends_nothing(machine, tflite, tmp_path, monkeypatch):
    before = machine.state()
    with while_sampling(monkeypatch, lambda: machine.heat_to(MID_KHZ)):
        first, second = blocks(machine, tflite, tmp_path, 2)
    assert [record.verdict for record in (first, second)] == ["unstable"] * 2
    assert f"throttled: its clock limit moved from {TOP_KHZ} to {MID_KHZ} kHz" in first.reasons
    assert f"throttled: its clock limit was {MID_KHZ} kHz, {TOP_KHZ} kHz was asked" in second.reasons
    assert any("let the machine cool down" in advice for advice in second.advice)
    assert (first.setting_read.freq_khz, second.setting_read.freq_khz) == (MID_KHZ, MID_KHZ)
    assert not machine.journal.entries()
    machine.heat_to(TOP_KHZ)  # it cools down: the user's own range is there again
    assert machine.state() == before


def test_a_machine_that_cools_down_again_is_stable_again(machine, tflite, tmp_path, monkeypatch):
    limits = iter([MID_KHZ, TOP_KHZ, TOP_KHZ, TOP_KHZ])
    with while_sampling(monkeypatch, lambda: machine.heat_to(next(limits, TOP_KHZ))):
        records = blocks(machine, tflite, tmp_path, 3)
    throttled = [any("throttled" in reason for reason in record.reasons) for record in records]
    assert throttled == [True, False, False]
    assert records[-1].setting_read.freq_khz == TOP_KHZ
