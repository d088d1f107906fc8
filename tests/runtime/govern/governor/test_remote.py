"""A device behind a real sshd on loopback, governed by itself as the host asks, until the host is gone."""

import io
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import psutil
import pytest

from runtime.bundle import Bundle, Graph, Manifest, TensorSpec, Variant, new_bundle
from runtime.choose.tuning.request import PolicyRequest
from runtime.choose.tuning.tune import tune_bundle
from runtime.errors import DataError, DeviceStableError, DeviceTransientError, NotFittedError
from runtime.govern.governor import GovernOptions
from runtime.govern.governor.remote import govern_remotely
from runtime.measure.frame_log import read_log
from runtime.targets import LocalTarget
from runtime.targets.restoring import restore_target
from tests.places import ROOT
from tests.runtime.fake_device import cpufreq_files, wait_for
from tests.runtime.phone import Phone, make_records

FOREVER = """
import time
from runtime.govern.governor.client import Session
with Session(20.0) as session:
    while session.is_governed:
        with session.frame():
            time.sleep(0.002)
"""
LOOP = ("--", sys.executable, "-c", FOREVER)


def tune(bundle, phone, request):
    """Give the bundle a policy for the device, from made-up figures of each of its settings."""
    profile = LocalTarget(phone.root).profile
    clusters = tuple(replace(cluster, core="cortex-a75") for cluster in profile.clusters)
    board = Phone("ssh:phone", "measured", replace(profile, clusters=clusters), knows_power=False)
    return tune_bundle(bundle, board, request, records=make_records(bundle, board))[0]


@pytest.fixture
def bundle(phone, tmp_path, tflite):
    """A bundle with a policy; the device has it as it was before it was tuned."""
    spec = TensorSpec("x", "float32", (1, 8, 8, 4))
    with new_bundle(tmp_path / "double.edgekit") as writer:
        file = writer.add("double.tflite", tflite.read_bytes(), "model")
        variant = Variant("litert-fp32", "litert", "fp32", file)
        graphs = {"forward": Graph((spec,), (spec,))}
        writer.finish(Manifest("double", "2026-01-01T00:00:00Z", graphs, (variant,)))
    shutil.copytree(tmp_path / "double.edgekit", phone.home / "bundles/double.edgekit")
    return tune(Bundle.open(tmp_path / "double.edgekit"), phone, PolicyRequest(fps=20, latency_ms=45))


def govern(bundle, command=(), flags=(), **options):
    """Return the exit status, and what was printed to stdout and stderr."""
    out, err = io.BytesIO(), io.BytesIO()
    path = None if bundle is None else bundle.path
    asked = GovernOptions(target="ssh:phone", **options)
    status = govern_remotely(path, command, asked, flags, out=out, err=err)
    return status, out.getvalue().decode(), err.getvalue().decode()


def test_a_bundles_frames_run_on_it_and_the_log_comes_back(phone, bundle, tmp_path):
    before, log = cpufreq_files(phone), tmp_path / "frames.jsonl"
    status, out, err = govern(bundle, frames=5, meter="none", log=log)
    assert status == 0, err
    assert re.search(r"^Frames:  5, \d late", out, re.MULTILINE)
    assert "is the cheapest that meets 45 ms" in err
    header, lines = read_log(log)
    assert (header.target, header.provenance, header.fps_target) == ("ssh:phone", "measured", 20)
    assert (header.period_ms, header.deadline_ms) == (50, 45)
    assert len(lines) == 5
    assert cpufreq_files(phone) == before
    assert not list(phone.home.glob("governed-*"))
    remote = Bundle.open(phone.home / "bundles/double.edgekit")
    assert remote.find("policy") == bundle.find("policy") == ["policies/ssh-phone.json"]


@pytest.mark.slow
def test_a_policy_that_was_made_anew_goes_along(phone, bundle):
    govern(bundle, frames=2, meter="none")
    again = tune(bundle, phone, PolicyRequest(fps=10, latency_ms=70))
    status, out, err = govern(again, flags=("--json",), frames=2, meter="none")
    assert status == 0, err
    assert '"target": "ssh:phone"' in out
    assert "meets 70 ms" in err


def test_a_program_of_the_device_is_run_and_its_words_and_status_come_back(phone):
    command = ("sh", "-c", "echo out; echo err >&2; cat; exit 7")
    status, out, err = govern(None, command, meter="none")
    assert status == 7
    assert out.startswith("out\n")
    assert "err\n" in err


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_is_handed_on_and_the_clocks_come_back(phone, tmp_path, number):
    before, log = cpufreq_files(phone), tmp_path / "frames.jsonl"
    command = [sys.executable, "-m", "edgekit", "govern", "--target=ssh:phone", f"--log={log}", *LOOP]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as host:
        try:
            assert wait_for(lambda: cpufreq_files(phone) != before, 60.0)
            host.send_signal(number)
            host.wait(60)
            assert cpufreq_files(phone) == before
            assert host.returncode not in (0, -number)
            assert read_log(log)[0].target == "ssh:phone"
        finally:
            host.kill()


def remote_loops():
    return [p for p in psutil.process_iter(["cmdline"]) if FOREVER in (p.info["cmdline"] or [])]


def test_a_connection_killed_in_mid_run_restores_the_clocks(phone, tmp_path):
    before = cpufreq_files(phone)
    held = []

    def cut():
        held.append(wait_for(lambda: cpufreq_files(phone) != before, 60.0))
        phone.kill_sessions()

    threading.Thread(target=cut).start()
    with pytest.raises(
        DeviceTransientError, match=r"broke off; .* its log is on the device in .*governed-\w+.jsonl"
    ):
        govern(None, LOOP[1:], log=tmp_path / "frames.jsonl")
    assert held == [True]
    assert wait_for(lambda: cpufreq_files(phone) == before, 60.0)
    assert wait_for(lambda: not remote_loops(), 60.0)
    assert restore_target("ssh:phone") == []


@pytest.mark.slow
def test_a_governor_killed_on_the_device_is_repaired_by_restore(phone):
    before = cpufreq_files(phone)

    def kill():
        wait_for(lambda: cpufreq_files(phone) != before, 60.0)
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "runtime.targets.agent.attached" in words and process.environ().get("EDGEKIT_HOME") == str(
                phone.home
            ):
                process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(DeviceTransientError, match="edgekit restore --target ssh:phone"):
        govern(None, LOOP[1:])
    killer.join()
    assert cpufreq_files(phone) != before
    done = {done.state.thing: done.action for done in restore_target("ssh:phone")}
    assert done.pop("threads") == "nothing to do: the process has ended"  # the command was killed, too
    assert set(done.values()) == {"restored"}
    assert cpufreq_files(phone) == before
    assert wait_for(lambda: not remote_loops(), 60.0)  # without its governor it ends by itself


def test_what_the_device_lacks_is_named_with_the_command(phone, bundle):
    remote = phone.home / "bundles/double.edgekit"
    push = f"edgekit push {bundle.path} --target ssh:phone"
    with pytest.raises(NotFittedError, match=r"edgekit tune .* --target ssh:other"):
        govern(bundle, policy_target="ssh:other")
    manifest = (remote / "manifest.json").read_text()
    (remote / "manifest.json").write_text(manifest.replace(bundle.manifest.files[0].sha256, 64 * "0"))
    with pytest.raises(DeviceStableError, match=f"has another export of 'double'; put it there: {push}"):
        govern(bundle)
    shutil.rmtree(remote)
    with pytest.raises(DeviceStableError, match=f"has no bundle 'double' in .*; put it there: {push}"):
        govern(bundle)
    (phone.home / "runtime/bin/python").unlink()
    with pytest.raises(DeviceStableError, match="edgekit push BUNDLE --target ssh:phone"):
        govern(bundle)


def test_a_log_that_cannot_be_written_stays_on_the_device(phone, tmp_path):
    with pytest.raises(DataError, match=r"the log is kept on ssh:phone in .*governed-"):
        govern(None, ("true",), meter="none", log=tmp_path / "no/frames.jsonl")
    [kept] = phone.home.glob("governed-*")
    assert read_log(kept)[0].target == "ssh:phone"


def test_a_host_that_falls_silent_is_taken_for_gone():
    code = (
        "import os; from runtime.targets.agent.attached import listen\n"
        "end, beats = os.pipe(); os.write(beats, bytes(3)); listen(end, silence_s=0.1)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGTERM
