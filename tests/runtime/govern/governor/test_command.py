"""Real programs under a governor, on this machine's CPUs with clocks that are files."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.choose.policy.policy import save_policy
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.actuators import allowed_cpus
from runtime.device.marker import MARKER
from runtime.device.soc import Cluster, Opp, SocProfile, load_profile
from runtime.device.soc.tree import SocTree
from runtime.errors import BundleError, DeviceStableError, DeviceTransientError, MissingExtra, NotFittedError
from runtime.govern.governor import GovernPlan, VariableLoad, govern_command, plan_for, serving
from runtime.govern.governor.frames import FrameStream, command_of, run_stream, stream_for
from runtime.govern.governor.lock import only_one
from runtime.govern.governor.serving import LOCK
from runtime.govern.governor.tables import capacity_rows
from runtime.measure.frame_log import read_log
from runtime.targets import LocalTarget, VirtualTarget
from tests.places import DATA, ROOT
from tests.runtime.fake_device import hide_packages
from tests.runtime.phone import Phone, make_bundle, make_records

PTE = DATA / "sum.pte"
CLOCKS = (600_000, 1_200_000, 2_400_000)
REPORTS = """
import os, time
from runtime.govern.governor.client import Session
with Session(20.0, name="test") as session:
    for _ in range(5):
        with session.frame():
            time.sleep(0.002)
print(session.problem, sorted(os.sched_getaffinity(0)))
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A machine of this one's CPUs, in one cluster or two; no kernel moves its clocks."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    cpus = allowed_cpus()
    groups = [cpus] if len(cpus) == 1 else [cpus[:1], cpus[1:]]
    clusters = tuple(
        Cluster(f"c{number}", "toy", group, tuple(map(Opp, CLOCKS)), capacity_dmips_mhz=(512, 1024)[number])
        for number, group in enumerate(groups)
    )
    tree = SocTree(SocProfile("toy", "Toy", "none", clusters), tmp_path / "root")
    for policy in tree.policies:
        (policy / "scaling_cur_freq").unlink()  # of a driver that does not tell
    return tmp_path / "root"


def governors(root):
    files = (root / "sys/devices/system/cpu/cpufreq").glob("policy*/scaling_governor")
    return {file.read_text().strip() for file in files}


def python(code):
    return [sys.executable, "-c", code]


def test_a_program_that_reports_is_governed_and_everything_restored(root, tmp_path, capfd):
    messages = []
    plan, log = plan_for(LocalTarget(root), None, 50.0), tmp_path / "log"
    run = govern_command(plan, python(REPORTS), log=log, on_message=messages.append)
    assert (run.status, run.sessions, run.frames) == (0, 1, 5)
    assert sum(run.frames_at.values()) == 5
    assert capfd.readouterr().out.startswith("closed [")
    assert governors(root) == {"schedutil"}
    header, lines = read_log(tmp_path / "log")
    assert (header.target, header.fps_target, header.policy) == ("local", 50.0, "edgekit")
    assert [line.latency_ms >= 2.0 for line in lines] == [True] * 5
    assert all(line.freq_khz in CLOCKS for line in lines)
    starts_s = [line.start_s for line in lines]
    assert starts_s == sorted(starts_s)
    assert any("at the fastest, to learn" in message for message in messages)
    keys = {
        "start_s",
        "latency_ms",
        "late",
        "cluster",
        "freq_khz",
        "power_mw",
        "energy_mj",
        "trusted",
        "reason",
        "read_khz",
    }
    assert set(json.loads((tmp_path / "log").read_bytes().splitlines()[1])) == keys


def test_frames_in_the_native_runner_are_governed_without_numpy(root, runner, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_EXECUTORCH", "native")
    monkeypatch.setenv("EDGEKIT_NATIVE_RUNNER", str(runner.folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(hide_packages(tmp_path)), str(ROOT))))
    stream = FrameStream("executorch", str(PTE), "forward", 1, 6, 20.0, 20.0, str(tmp_path / "out"))
    run = govern_command(plan_for(LocalTarget(root), None, 50.0), command_of(stream), reports_frames=True)
    assert (run.status, run.sessions, run.frames) == (0, 1, 6)
    done = json.loads((tmp_path / "out").read_text())
    assert (done["is_governed"], len(done["latency_ms"])) == (True, 6)


def test_a_program_that_says_nothing_just_runs(root):
    run = govern_command(plan_for(LocalTarget(root), None, None), python("raise SystemExit(3)"))
    assert (run.status, run.sessions, run.frames) == (3, 0, 0)


def test_a_program_that_is_killed_shows_in_the_status(root):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert govern_command(plan_for(LocalTarget(root), None, None), python(code)).status == 128 + 9


def test_a_program_that_is_not_there(root):
    with pytest.raises(DeviceStableError, match="cannot run 'no-such-program'"):
        govern_command(plan_for(LocalTarget(root), None, None), ["no-such-program"])


@pytest.fixture
def tuned(root, tmp_path):
    """A bundle with a policy for the machine of ``root``."""
    target = LocalTarget(root)
    bundle = make_bundle(tmp_path)
    profile = replace(
        target.profile, clusters=tuple(replace(c, core="cortex-a75") for c in target.profile.clusters)
    )
    phone = Phone("local", "measured", profile, knows_power=False)
    return tune_bundle(bundle, phone, 30, records=make_records(bundle, phone))


def test_a_silent_program_runs_at_the_policys_setting(root, tuned):
    bundle, policy = tuned
    clusters = LocalTarget(root).profile.clusters
    [cpu] = [min(c.cpus) for c in clusters if c.name == policy.setting.cluster]
    file = root / f"sys/devices/system/cpu/cpufreq/policy{cpu}/scaling_setspeed"
    code = (
        "import sys, time\n"
        "for _ in range(3000):\n"
        "    time.sleep(0.01)\n"
        f"    if open({str(file)!r}).read().strip() == {str(policy.setting.freq_khz)!r}: sys.exit(7)\n"
    )
    plan = plan_for(LocalTarget(root), bundle, None)
    assert plan.policy == policy
    run = govern_command(plan, python(code))
    assert (run.status, run.sessions) == (7, 0)
    assert governors(root) == {"schedutil"}


def test_a_deadline_that_was_asked_for_is_kept_at_any_pace(root, tuned):
    bundle, policy = tuned

    def planned(fps, **goal):
        other = replace(policy, goal=replace(policy.goal, **goal))
        plan = plan_for(LocalTarget(root), save_policy(bundle, other), fps)
        stream = stream_for(bundle, bundle.manifest.variant(), plan, threads=1, frames=1)
        assert (stream.latency_limit_ms, stream.deadline_ms) == (
            plan.latency_limit_ms,
            plan.deadline_ms,
        )
        return plan.latency_limit_ms, plan.deadline_ms

    assert [planned(fps, deadline_ms=20.0) for fps in (None, 10.0, 100.0)] == [(20, 20), (20, 20), (10, 10)]
    period_ms = policy.goal.period_ms
    assert [planned(fps) for fps in (None, 10.0)] == [(period_ms, period_ms), (100, 100)]
    # head room makes no frame late
    assert planned(None, margin_pct=25.0) == (period_ms / 1.25, period_ms)


@pytest.mark.parametrize(("deadline_ms", "late"), [(None, False), (1e-6, True)])
def test_a_frame_is_late_when_it_misses_its_deadline_however_long_the_period(tflite, deadline_ms, late):
    stream = FrameStream("litert", str(tflite), "forward", 1, 1, 60_000.0, 60_000.0, deadline_ms=deadline_ms)
    assert run_stream(stream).late == (late,)


def test_an_emulated_machine_goes_by_the_name_that_the_host_has_for_it(tmp_path):
    tree = SocTree(load_profile("gs101"), tmp_path / "root")
    target = LocalTarget(tree.root)
    table = capacity_rows(target.profile, target.power, target.settings())
    plan = GovernPlan(target, table, None, 33.3, 33.3)
    assert plan.name == "local"
    (tree.root / MARKER).write_text(json.dumps({"soc": "gs101", "host_cpus": {"0": 0}}))
    assert plan.name == "emulated:gs101"
    assert replace(plan, called="ssh:phone").name == "ssh:phone"


def test_policies_that_do_not_fit_are_refused(root, tuned, tmp_path):
    bundle, policy = tuned
    with pytest.raises(NotFittedError, match="no policy for emulated:gs101"):
        plan_for(LocalTarget(root), bundle, None, policy_target="emulated:gs101")
    alien = replace(
        policy,
        target="board",
        considered=tuple(replace(e, setting=replace(e.setting, freq_khz=777)) for e in policy.considered),
    )
    with pytest.raises(BundleError, match=r"is for another device: cluster .* has no clock of 777 kHz"):
        plan_for(LocalTarget(root), save_policy(bundle, alien), None, policy_target="board")


def test_machines_that_cannot_be_governed_from_here_say_where_to(tmp_path):
    with pytest.raises(DeviceStableError, match=r"nothing runs on it: play it with emulated:gs101"):
        plan_for(VirtualTarget("gs101"), None, 30.0)
    with pytest.raises(DeviceStableError, match="shows no clocks that may be set"):
        plan_for(LocalTarget(tmp_path), None, 30.0)
    for fps in (0.0, -1.0, 5000.0):
        with pytest.raises(ValueError, match="above 0, at most 1000"):
            plan_for(VirtualTarget("gs101"), None, fps)


def test_a_second_governor_is_refused_before_it_runs_anything(root, tmp_path):
    plan = plan_for(LocalTarget(root), None, None)
    mark = tmp_path / "ran"
    with (
        only_one(tmp_path / "state/edgekit" / LOCK, "socket /run/first"),
        pytest.raises(DeviceTransientError, match=r"running already: process .*, socket /run/first"),
    ):
        govern_command(plan, ["touch", str(mark)])
    assert not mark.exists()


SERVE = """
import sys
from pathlib import Path
from runtime.govern.governor import plan_for, serving
from runtime.targets import LocalTarget
plan = plan_for(LocalTarget(Path(sys.argv[1])), None, 30.0)
with serving(plan, socket=Path(sys.argv[2])) as server:
    print("serving", flush=True)
    server.serve()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_restores_the_clocks(root, tmp_path, number):
    from runtime.govern.governor.client import Session

    path = tmp_path / "g.sock"
    daemon = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert daemon.stdout.readline() == b"serving\n"
        session = Session(33.3, tids=[os.getpid()], path=str(path))
        before = os.sched_getaffinity(0)
        session.report(5.0)
        assert "userspace" in governors(root)
        daemon.send_signal(number)
        assert daemon.wait(30) != 0
        assert governors(root) == {"schedutil"}
        assert os.sched_getaffinity(0) >= before
        assert not path.exists()
        assert not list((tmp_path / "state/edgekit").glob("policy*.json"))
    finally:
        daemon.kill()
        daemon.wait()


def test_restore_repairs_after_the_governor_was_killed(root, tmp_path):
    from runtime.device.actuators import restore
    from runtime.govern.governor.client import Session

    path = tmp_path / "g.sock"
    daemon = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        assert daemon.stdout.readline() == b"serving\n"
        affinity = os.sched_getaffinity(0)
        session = Session(33.3, tids=[os.getpid()], path=str(path))
        daemon.kill()
        daemon.wait(30)
        session.report(5.0)
        assert not session.is_governed
        assert "userspace" in governors(root)
        assert {done.action for done in restore()} == {"restored"}
        assert governors(root) == {"schedutil"}
        with serving(
            plan_for(LocalTarget(root), None, 30.0), socket=path
        ) as server:  # the stale socket is no bar
            assert server.path == path
    finally:
        os.sched_setaffinity(0, affinity)
        daemon.kill()
        daemon.wait()


def test_an_interrupted_run_ends_its_program(root, tmp_path):
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    outer = (
        "import sys\nfrom pathlib import Path\nfrom runtime.govern.governor import govern_command, plan_for\n"
        "from runtime.targets import LocalTarget\n"
        "govern_command(plan_for(LocalTarget(Path(sys.argv[1])), None, 30.0), sys.argv[2:])"
    )
    governed = subprocess.Popen(
        [sys.executable, "-c", outer, str(root), *python(code)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    deadline_s = time.monotonic() + 30
    while not (mark.is_file() and mark.read_text()) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    governed.terminate()
    assert governed.wait(30) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{mark.read_text()}").exists()


def test_variable_load_needs_power_and_numpy(root, monkeypatch):
    target = LocalTarget(root)
    with pytest.raises(DeviceStableError, match="power of local's settings is not known; govern without"):
        plan_for(target, None, 30.0, variable_load=VariableLoad())
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtra, match="numpy"):
        plan_for(target, None, 30.0, variable_load=VariableLoad())


def test_a_frame_that_may_wait_has_its_deadline_a_period_later(root):
    plan = plan_for(LocalTarget(root), None, 50.0)
    assert (plan.latency_limit_ms, plan.deadline_ms) == (20.0, 20.0)
    assert replace(plan, variable_load=VariableLoad(max_queued=1)).deadline_ms == 40.0
    with pytest.raises(ValueError, match="max_queued is 4; it must be from 0 to 3"):
        VariableLoad(max_queued=4)
    with pytest.raises(ValueError, match="miss_penalty is nan"):
        VariableLoad(miss_penalty=math.nan)
