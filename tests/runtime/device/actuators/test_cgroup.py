import contextlib
import os
import signal
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.actuators import (
    Journal,
    find_uclamp,
    hold_uclamp,
    probe,
    restore,
)
from runtime.device.actuators.cgroup import parse_membership
from runtime.device.actuators.states import GroupState, PolicyState, State
from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree
from runtime.errors import DataError, DeviceStableError, PermissionNeeded
from tests.places import ROOT
from tests.runtime.device.meters.machine import write


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


@pytest.fixture
def slice_(tmp_path):
    """This process's group on a machine with cgroup v2."""
    group = "sys/fs/cgroup/user.slice/shell.scope"
    write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user.slice/shell.scope",
            f"{group}/cpu.uclamp.min": "0.00",
            f"{group}/cpu.uclamp.max": "max",
        },
    )
    return tmp_path / group


@pytest.fixture
def top_app(tmp_path):
    """The same on Android."""
    write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n3:cpuset:/top-app\n2:cpu:/top-app\n0::/uid_2000/pid_9",
            "dev/cpuctl/top-app/cpu.uclamp.min": "10.00",
            "dev/cpuctl/top-app/cpu.uclamp.max": "max",
        },
    )
    return tmp_path


def uclamp(group):
    return [(group / f"cpu.uclamp.{end}").read_text().strip() for end in ("min", "max")]


def test_a_capacity_is_asked_for_in_percent_and_given_back(slice_, tmp_path, journal):
    group = find_uclamp(tmp_path)
    assert group == slice_
    with hold_uclamp(group, 512, 512, journal):
        assert uclamp(group) == ["50.00", "50.00"]
        [(_, entry)] = journal.entries()
        assert entry.state == GroupState(str(group), {"cpu.uclamp.max": "max", "cpu.uclamp.min": "0.00"})
    assert uclamp(group) == ["0.00", "max"]
    assert journal.entries() == []


def test_an_error_inside_gives_it_back(slice_, journal):
    with pytest.raises(RuntimeError, match="boom"), hold_uclamp(slice_, 100, 200, journal):
        raise RuntimeError("boom")
    assert uclamp(slice_) == ["0.00", "max"]
    with pytest.raises(ValueError, match="need 0 <= low <= high <= 1024"), hold_uclamp(slice_, 9, 3):
        pass


def test_android_has_names_of_its_own(top_app, journal):
    assert find_uclamp(top_app) == top_app / "dev/cpuctl/top-app"
    with hold_uclamp(find_uclamp(top_app), 1024, 1024, journal):
        assert uclamp(top_app / "dev/cpuctl/top-app") == ["100.00", "max"]  # max already says it


def test_why_there_is_no_group(tmp_path):
    with pytest.raises(DeviceStableError, match="no control groups in"):
        find_uclamp(tmp_path)
    write(tmp_path, {"proc/self/cgroup": "0::/"})
    with pytest.raises(DeviceStableError, match=r"no cpu\.uclamp\.min in this process's group \("):
        find_uclamp(tmp_path)


def test_a_group_that_may_not_be_written(slice_, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionNeeded, match="is not writable: run as root, or get the group delegated"):
        find_uclamp(tmp_path)


def test_every_control_level_is_shown(slice_, tmp_path, monkeypatch):
    ladder = {level.name: (level.is_there, level.text) for level in probe(tmp_path).levels}
    assert list(ladder) == ["sysfs", "uclamp", "affinity", "threads"]
    assert "no clock domains show" in ladder["uclamp"][1]
    SocTree(load_profile("gs101"), tmp_path)
    assert probe(tmp_path).level == "sysfs"
    allow = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "cpufreq" not in str(path) and allow(path, mode))
    can = probe(tmp_path)
    assert can.level == "uclamp"
    assert "run as root to set clocks" in can.reasons[0]


_HOLD = """
import sys, time
from pathlib import Path
from runtime.device.actuators import Journal, hold_uclamp
with hold_uclamp(Path(sys.argv[1]), 512, 512, Journal(Path(sys.argv[2]))):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_is_repaired_from_the_journal(slice_, tmp_path, journal, signum):
    command = [sys.executable, "-c", _HOLD, str(slice_), str(journal.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"held\n"
        assert uclamp(slice_) == ["50.00", "50.00"]
        process.send_signal(signum)
        process.wait(10)
    if signum == signal.SIGKILL:
        assert uclamp(slice_) == ["50.00", "50.00"]
        [done] = restore(journal)
        assert (done.action, done.state.thing) == ("restored", str(slice_))
    assert uclamp(slice_) == ["0.00", "max"]
    assert journal.entries() == []


@given(text=st.text())
def test_any_membership_is_read(text):
    assert all(
        path.startswith("/") and ".." not in path.split("/") for path in parse_membership(text).values()
    )


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("/etc", {"cpus": "0"}),
        ("/sys/fs/cgroup/../../etc", {"cpus": "0"}),
        ("/sys/fs/cgroupx", {"cpus": "0"}),
        ("/dev/cpuset/top-app", {"tasks": "1"}),
        ("/dev/cpuset/top-app", {"../../mem": "1"}),
        ("/dev/cpuset/top-app", {"cpus": "0; rm -rf /"}),
        ("/sys/fs/cgroup/a", {"cpu.uclamp.min": "1\n2"}),
    ],
)
def test_a_journal_can_write_no_other_files(tmp_path, group, values):
    with pytest.raises(ValueError, match="it must be"):
        GroupState(group, values)
    journal = Journal(tmp_path)
    path = journal.write(GroupState("/sys/fs/cgroup/a", {"cpus": "0"}))
    entry = msgspec.json.decode(path.read_bytes())
    entry["state"] |= {"group": group, "values": values}
    path.write_bytes(msgspec.json.encode(entry))
    with pytest.raises(DataError, match="does not say what to restore"):
        restore(journal)


def test_a_cpuset_that_an_earlier_version_held_is_restored(tmp_path):
    group = tmp_path / "dev/cpuset/top-app"
    write(group, {"cpus": "6-7"})
    journal = Journal(tmp_path / "journal")
    path = journal.write(GroupState(str(group), {"cpus": "0-7"}))
    dead = subprocess.Popen(["true"])
    dead.wait()
    entry = msgspec.json.decode(path.read_bytes()) | {"pid": dead.pid}
    path.write_bytes(msgspec.json.encode(entry))
    assert [done.action for done in restore(journal)] == ["restored"]
    assert (group / "cpus").read_text().strip() == "0-7"


@given(data=st.binary() | st.dictionaries(st.text(), st.text()).map(msgspec.json.encode))
def test_only_whole_states_are_read(data):
    with contextlib.suppress(msgspec.DecodeError):
        assert isinstance(msgspec.json.decode(data, type=State), PolicyState | GroupState)


def test_real_groups_of_version_2(tmp_path):
    tree = tmp_path / "cgroup"
    tree.mkdir()
    made = subprocess.run(["mount", "-t", "cgroup2", "none", str(tree)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"cgroup2 cannot be mounted here: {made.stderr.strip()}")
    try:
        controllers = (tree / "cgroup.controllers").read_text().split()
        if "cpu" not in controllers:
            pytest.skip(f"cgroup2 has no cpu here, only {controllers}: version 1 holds it")
        (tree / "cgroup.subtree_control").write_text("+cpu")
        group = tree / "edgekit-test"
        group.mkdir()
        if not (group / "cpu.uclamp.min").is_file():
            pytest.skip("this kernel has no uclamp (CONFIG_UCLAMP_TASK_GROUP)")
        link = tmp_path / "sys/fs/cgroup"
        link.parent.mkdir(parents=True)
        link.symlink_to(tree)
        with hold_uclamp(link / "edgekit-test", 256, 512, Journal(tmp_path / "journal")):
            assert uclamp(group) == ["25.00", "50.00"]
        assert uclamp(group) == ["0.00", "max"]
    finally:
        with contextlib.suppress(OSError):
            (tree / "edgekit-test").rmdir()
        subprocess.run(["umount", str(tree)], check=True)
