"""The agent as a child process on this machine: sessions, errors, versions, and what happens when it ends."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from runtime._version import __version__
from runtime.device.setting import Setting
from runtime.engines import Array
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import (
    BundleError,
    DeviceError,
    DeviceStableError,
    DeviceTransientError,
    PermissionNeeded,
    VersionConflict,
)
from runtime.measure.bench import bench
from runtime.measure.records import RecordLog
from runtime.targets import LocalTarget
from runtime.targets.agent import link as link_module
from runtime.targets.agent import messages as m
from runtime.targets.agent.link import Link, ProcessConnection
from runtime.targets.agent.target import AgentTarget, SameDisk
from runtime.targets.failed import as_error, failure
from tests.runtime.fake_device import cpufreq_files, environment, make_device, wait_for

SLOW, FAST = Setting("cpu", 300000, 1), Setting("cpu", 1803000, 1)


@pytest.fixture(scope="module")
def bundle(tflite):
    return open_bundle_or_model(tflite)


@pytest.fixture
def device(tmp_path):
    return make_device(tmp_path)


def start(device, name="test:device"):
    connection = ProcessConnection([sys.executable, "-m", "runtime.targets.agent"], environment(device))
    target = AgentTarget(name, connection, SameDisk())
    target.process = connection.process
    return target


@pytest.fixture
def target(device):
    target = start(device)
    yield target
    target.close()


def test_it_shows_what_the_local_target_shows(device, target):
    local = LocalTarget(device.root)
    for name in ("profile", "provenance", "energy_note", "capability"):
        assert getattr(target, name) == getattr(local, name)
    assert target.settings((1, 2)) == local.settings((1, 2))
    assert target.power(SLOW) is None


def test_a_session_holds_the_clock_runs_and_gives_it_back(device, target, bundle):
    before = cpufreq_files(device)
    with target.session(bundle, bundle.manifest.variant(), SLOW) as session:
        assert cpufreq_files(device) != before
        samples = session.sample(warmup=1, runs=5)
        assert (len(samples.samples_ms), samples.first_ms > 0) == (5, True)
        assert session.setting_read == Setting("cpu", None, 1)  # the tree shows no current clock
        image = np.ones((1, 8, 8, 4), np.float32)
        np.testing.assert_array_equal(session.run([image]).outputs[0], 2 * image)
        assert session.control_level == "sysfs"
        assert session.versions["engine"].startswith("ai-edge-litert")
    assert cpufreq_files(device) == before


class SlowLink(ProcessConnection):
    """A network on which every answer is long on its way."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.stdout = SlowReads(self.stdout)


class SlowReads:
    """What an agent says, each message late."""

    def __init__(self, stream):
        self._stream = stream

    def read(self, size):
        if size == 8:  # the head of a frame
            data = self._stream.read(size)
            time.sleep(0.25)
            return data
        return self._stream.read(size)


def test_a_slow_network_makes_no_frame_late(device, bundle):
    connection = SlowLink([sys.executable, "-m", "runtime.targets.agent"], environment(device))
    image = np.ones((1, 8, 8, 4), np.float32)
    with (
        AgentTarget("test:far", connection, SameDisk()) as target,
        target.session(bundle, bundle.manifest.variant(), SLOW) as session,
    ):
        ran = session.run_paced([[image], [2 * image]], frames=5, fps=10)
    # Paced from here, each of them would take more than its tenth of a second.
    assert len(ran.latencies_ms) == 5
    assert ran.late_frames(100.0) < 5
    for times, output in enumerate(ran.outputs, start=1):
        np.testing.assert_array_equal(output.numpy(), 2 * times * image)


def test_frames_that_cannot_be_run_are_refused(target, bundle):
    with target.session(bundle, bundle.manifest.variant(), SLOW) as session:
        with pytest.raises(ValueError, match=r"has shape \(2, 2\) float32; it must be"):
            session.run_paced([[np.ones((2, 2), np.float32)]], frames=1, fps=None)
        short = Array("float32", (1, 8, 8, 4), b"too little")
        with pytest.raises(ValueError, match="has 10 bytes, which is not"):
            session.run_paced([[short]], frames=1, fps=None)
        assert session.run_paced([], frames=2, fps=None).outputs == ()


def test_the_meter_is_chosen_on_the_device(target):
    with pytest.raises(ValueError, match="rapl"):
        target.use_meter("no such meter")
    target.use_meter("none")
    assert target.energy_note == "no power meter was asked for"


def test_errors_keep_their_class(device, target, bundle):
    variant = bundle.manifest.variant()
    with (
        pytest.raises(ValueError, match="has no clock of 5 kHz"),
        target.session(bundle, variant, Setting("cpu", 5)),
    ):
        pass
    with pytest.raises(ValueError, match="threads is \\[4096\\]"):
        target.settings((4096,))
    with target.session(bundle, variant, SLOW) as session:
        with pytest.raises(ValueError, match="takes 1 inputs, got 2"):
            session.run([np.ones(1), np.ones(1)])
        with (
            pytest.raises(DeviceTransientError, match="is held by another run"),
            target.session(bundle, variant, FAST),
        ):
            pass
        assert session.sample(warmup=0, runs=1)
    for kind in (PermissionNeeded, BundleError, DeviceStableError, DeviceTransientError):
        assert type(as_error(failure(kind("x")), "phone")) is kind


@pytest.mark.parametrize("end", ["agent killed", "SIGTERM", "SIGINT", "SIGHUP", "host hangs up"])
def test_a_connection_that_ends_in_mid_block_keeps_records_and_gives_the_clock_back(
    device, target, bundle, tmp_path, end
):
    before = cpufreq_files(device)
    log = RecordLog(tmp_path / "records.jsonl")

    def cut():
        assert cpufreq_files(device) != before
        if end == "host hangs up":
            target._link._connection.stdin.close()
        else:
            target.process.send_signal(signal.SIGKILL if end == "agent killed" else signal.Signals[end])

    plan = {"warmup": 0, "blocks": 1, "log": log}
    bench(bundle, target, runs=5, settings=[SLOW], **plan)
    threading.Timer(1.0, cut).start()
    with pytest.raises(DeviceTransientError, match="run it again to go on"):
        bench(bundle, target, runs=10_000_000, settings=[FAST], **plan)
    assert len(list(log)) == 1
    if end == "agent killed":
        assert cpufreq_files(device) != before
        again = start(device)
        assert [done.action for done in again.restore(dry_run=True)] == ["would restore"]
        assert [done.action for done in again.restore()] == ["restored"]
    else:
        assert wait_for(lambda: cpufreq_files(device) == before)
        again = start(device)
        assert again.restore() == []
    assert cpufreq_files(device) == before
    records = bench(bundle, again, runs=5, settings=[SLOW, FAST], **plan)
    again.close()
    assert {record.setting for record in log} == {record.setting for record in records} == {SLOW, FAST}


def test_an_interrupted_host_hangs_up_and_the_clock_is_given_back(device, target, bundle):
    before = cpufreq_files(device)
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with (
        pytest.raises(KeyboardInterrupt),
        target.session(bundle, bundle.manifest.variant(), SLOW) as session,
    ):
        session.sample(warmup=0, runs=10_000_000)
    assert cpufreq_files(device) == before
    with pytest.raises(DeviceTransientError, match="was closed"):
        target.settings()


def test_another_version_is_refused_with_what_to_do(device, monkeypatch):
    monkeypatch.setattr(link_module, "__version__", "99.0")
    message = rf"has edgekit {__version__} .* this is 99.0 .*edgekit push BUNDLE --target test:"
    with pytest.raises(VersionConflict, match=message):
        start(device)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no python here')", "its last words: no python here"),
        ("print('Welcome to the phone!', flush=True)", "broke off during Hello"),
        ("import time; time.sleep(60)", "has been silent for 1 s during Hello"),
    ],
)
def test_who_does_not_answer_is_told_within_the_time(device, monkeypatch, program, message):
    monkeypatch.setattr(link_module, "CONNECT_S", 1.0)
    monkeypatch.setattr(link_module, "_CLOSE_S", 0.2)
    monkeypatch.setattr(link_module, "_END_S", 0.2)
    monkeypatch.setattr(m, "BEAT_S", 0.2)
    begun_s = time.monotonic()
    with pytest.raises(DeviceTransientError, match=message):
        Link(ProcessConnection([sys.executable, "-c", program]), "test:device")
    assert time.monotonic() - begun_s < 10


def test_a_device_that_falls_silent_is_given_up(device, target, monkeypatch):
    monkeypatch.setattr(link_module, "_CLOSE_S", 0.2)
    monkeypatch.setattr(link_module, "_END_S", 0.2)
    target.process.send_signal(signal.SIGSTOP)
    with pytest.raises(DeviceError, match="has been silent for"):
        target._link.ask(m.Describe(), silence_s=1.0)
    target.process.send_signal(signal.SIGCONT)


IMPATIENT = """
from runtime.targets.agent import messages
messages.SILENCE_S, messages.BEAT_S = 1.0, 0.2
from runtime.targets.agent.__main__ import main
from runtime._version import __version__
main()
"""


def test_a_host_that_falls_silent_is_left_with_the_clock_given_back(device, bundle, monkeypatch):
    before = cpufreq_files(device)
    connection = ProcessConnection([sys.executable, "-c", IMPATIENT], environment(device))
    monkeypatch.setattr(m, "BEAT_S", 0.2)
    target = AgentTarget("test:device", connection, SameDisk())
    session = target.session(bundle, bundle.manifest.variant(), SLOW)
    session.__enter__()
    time.sleep(2)
    assert cpufreq_files(device) != before  # the host lives
    monkeypatch.setattr(m, "BEAT_S", 1000.0)  # the network is gone, but nothing ends the connection
    assert wait_for(lambda: cpufreq_files(device) == before)
    with pytest.raises(DeviceTransientError, match="broke off"):
        session.__exit__(None, None, None)
