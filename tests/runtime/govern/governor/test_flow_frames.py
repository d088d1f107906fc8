"""Frames of a whole flow under a governor: what runs, what is moved, by which policy."""

import io
import json
import os
import shutil
import time
from dataclasses import replace

import pytest

from runtime.choose.tuning.tune import tune_bundle
from runtime.device.actuators import allowed_cpus
from runtime.device.soc import Cluster, Opp, SocProfile
from runtime.device.soc.tree import SocTree
from runtime.errors import BundleError
from runtime.flow.frames import as_frames
from runtime.govern.governor import GovernOptions, plan_for
from runtime.govern.governor.frames import FrameStream, run_stream, stream_for
from runtime.govern.governor.remote import govern_remotely
from runtime.govern.governor.running import govern
from runtime.measure.frame_log import read_log
from runtime.targets import LocalTarget, open_target
from tests.runtime.phone import Phone, make_records
from tests.runtime.small_flow import make_flow

CLOCKS = (600_000, 1_200_000, 2_400_000)
WHOLE = "flow:litert-fp32"


@pytest.fixture
def tuned(tmp_path, monkeypatch):
    """A bundle with a policy of its flow for a machine of this one's CPUs, whose clocks are files."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("EDGEKIT_ROOT", str(tmp_path / "root"))
    cluster = Cluster("c0", "toy", allowed_cpus(), tuple(map(Opp, CLOCKS)), capacity_dmips_mhz=1024)
    tree = SocTree(SocProfile("toy", "Toy", "none", (cluster,)), tmp_path / "root")
    for policy in tree.policies:
        (policy / "scaling_cur_freq").unlink()
    profile = LocalTarget(tmp_path / "root").profile
    known = replace(profile, clusters=tuple(replace(one, core="cortex-a75") for one in profile.clusters))
    phone = Phone("local", "measured", known, knows_power=False)
    frames = as_frames(make_flow(tmp_path))
    records = make_records(frames, phone, variants=[WHOLE])
    bundle, policy = tune_bundle(frames, phone, 10, records=records, variants=[WHOLE])
    assert policy.variant == WHOLE
    return bundle


def test_whole_frames_are_governed_by_the_flows_policy(tuned, tmp_path):
    log = tmp_path / "frames.jsonl"
    run = govern(tuned.path, (), GovernOptions(frames=5, log=log, meter="none"))
    assert (run.status, run.sessions, run.frames, run.fps_target) == (0, 1, 5, 10)
    _, lines = read_log(log)
    assert {line.freq_khz for line in lines} <= set(CLOCKS)
    assert all(0 < line.latency_ms < 100 for line in lines)


def test_frames_of_a_bar_each_are_released_at_the_pace_and_run_every_graph(tuned):
    plan = plan_for(open_target("local"), None, 50.0)
    frames = as_frames(tuned, [WHOLE])
    stream = stream_for(frames, frames.manifest.variant(WHOLE), plan, threads=1, frames=4)
    assert (stream.flow, stream.model) == (WHOLE, str(tuned.path.resolve()))
    begin_s = time.monotonic()
    done = run_stream(stream)
    assert time.monotonic() - begin_s > 3 * 0.02
    assert len(done.latency_ms) == 4
    assert max(done.start_s) >= 3 * 0.02
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children()), "workers are left"


def children():
    """Return the processes that this one started and that still run."""
    task = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    with open(task) as file:
        return file.read().split()


@pytest.mark.slow
def test_a_device_behind_ssh_is_governed_by_the_flows_policy(phone, tmp_path):
    bundle = make_flow(tmp_path)
    shutil.copytree(bundle.path, phone.home / "bundles/tunes.edgekit")
    profile = LocalTarget(phone.root).profile
    clusters = tuple(replace(one, core="cortex-a75") for one in profile.clusters)
    board = Phone("ssh:phone", "measured", replace(profile, clusters=clusters), knows_power=False)
    frames = as_frames(bundle)
    records = make_records(frames, board, variants=[WHOLE])
    tune_bundle(frames, board, 10, records=records, variants=[WHOLE])
    out, err = io.BytesIO(), io.BytesIO()
    asked = GovernOptions(target="ssh:phone", frames=3, meter="none")
    assert govern_remotely(bundle.path, (), asked, ("--json",), out=out, err=err) == 0, err.getvalue()
    assert json.loads(out.getvalue())["frames"] == 3


def test_a_flow_that_the_bundle_has_not_is_refused(tuned):
    stream = FrameStream("litert", str(tuned.path), "", 1, 1, 20.0, 20.0, flow="flow:executorch-fp32")
    with pytest.raises(BundleError, match="has no flow:executorch-fp32; tune it again"):
        run_stream(stream)
