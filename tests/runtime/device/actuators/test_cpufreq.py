import contextlib
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.device.actuators import CpuFreq, Journal, cpufreq, restore
from runtime.device.soc import load_profile
from runtime.device.soc.tree import GOVERNORS, SocTree
from runtime.errors import DeviceError, DeviceStableError, DeviceTransientError, PermissionNeeded
from tests.runtime.device.meters.machine import write

NO_USERSPACE = tuple(name for name in GOVERNORS if name != "userspace")
MID = [4, 5]  # of gs101: 400000 ... 2253000 kHz


def machine(tmp_path, governors=GOVERNORS):
    tree = SocTree(load_profile("gs101"), tmp_path / "root", governors)
    return CpuFreq(tree.root, settle=tree.settle, journal=Journal(tmp_path / "journal")), tree


def read(freq, name):
    return (freq.domain_of(MID).path / name).read_text().strip()


def state(freq):
    names = ("scaling_governor", "scaling_min_freq", "scaling_max_freq", "scaling_cur_freq")
    return [read(freq, name) for name in names]


def test_policies_are_read_as_the_kernel_shows_them(tmp_path):
    freq, _ = machine(tmp_path)
    assert [policy.cpus for policy in freq.domains()] == [(0, 1, 2, 3), (4, 5), (6, 7)]
    policy = freq.domain_of([5])
    assert (policy.available_khz[0], policy.available_khz[-1]) == (400000, 2253000)
    assert policy.governors == GOVERNORS


@pytest.mark.parametrize("governors", [GOVERNORS, NO_USERSPACE])
def test_a_held_clock_is_read_back_and_everything_put_back(tmp_path, governors):
    freq, _ = machine(tmp_path, governors)
    before = state(freq)
    with freq.hold(freq.domain_of(MID), 799000):
        assert freq.read_khz(freq.domain_of(MID)) == 799000
        assert len(freq._journal.entries()) == 1
    assert state(freq) == before
    assert freq._journal.entries() == []


def test_userspace_is_used_where_there_is_one_else_both_limits(tmp_path):
    freq, _ = machine(tmp_path / "a")
    with freq.hold(freq.domain_of(MID), 799000):
        assert state(freq) == ["userspace", "400000", "2253000", "799000"]
    freq, _ = machine(tmp_path / "b", NO_USERSPACE)
    with freq.hold(freq.domain_of(MID), 799000):
        assert state(freq) == ["schedutil", "799000", "799000", "799000"]


def test_an_error_inside_puts_everything_back(tmp_path):
    freq, _ = machine(tmp_path)
    before = state(freq)
    with pytest.raises(RuntimeError, match="boom"), freq.hold(freq.domain_of(MID), 799000):
        raise RuntimeError("boom")
    assert state(freq) == before


def test_limits_outside_are_widened_and_put_back(tmp_path):
    freq, tree = machine(tmp_path)
    (freq.domain_of(MID).path / "scaling_max_freq").write_text("696000\n")
    tree.settle()
    with freq.hold(freq.domain_of(MID), 2253000):
        assert freq.read_khz(freq.domain_of(MID)) == 2253000
    assert read(freq, "scaling_max_freq") == "696000"


@pytest.mark.parametrize(("low", "high"), [(2130000, 2253000), (400000, 553000), (553000, 2253000)])
def test_limits_are_written_in_the_order_the_kernel_takes(tmp_path, monkeypatch, low, high):
    freq, _ = machine(tmp_path)
    folder = freq.domain_of(MID).path
    (folder / "scaling_min_freq").write_text("1024000")
    (folder / "scaling_max_freq").write_text("1328000")
    write = cpufreq._write

    def strict(path, value):
        write(path, value)
        assert int(read(freq, "scaling_min_freq")) <= int(read(freq, "scaling_max_freq"))

    monkeypatch.setattr(cpufreq, "_write", strict)
    cpufreq.write_range(folder, low, high)
    assert (int(read(freq, "scaling_min_freq")), int(read(freq, "scaling_max_freq"))) == (low, high)


def test_a_clock_that_springs_back_is_noticed(tmp_path):
    freq, tree = machine(tmp_path)

    def settle():
        tree.settle()
        (freq.domain_of(MID).path / "scaling_cur_freq").write_text("400000\n")  # a thermal limit

    freq._settle = settle
    with (
        pytest.raises(DeviceTransientError, match="set to 799000 kHz but reads 400000 kHz"),
        freq.hold(freq.domain_of(MID), 799000),
    ):
        pass
    assert read(freq, "scaling_governor") == "schedutil"


class Qos:
    """A kernel with frequency QoS: ``scaling_max_freq`` shows the lower of user's and heat's limit."""

    def __init__(self, freq, tree, heat_khz):
        self.file, self.tree, self.heat_khz = freq.domain_of(MID).path / "scaling_max_freq", tree, heat_khz
        self.user_khz = self.shown_khz = int(self.file.read_text())
        self()

    def __call__(self):
        written_khz = int(self.file.read_text())
        if written_khz != self.shown_khz:
            self.user_khz = written_khz
        self.shown_khz = min(self.user_khz, self.heat_khz)
        self.file.write_text(f"{self.shown_khz}\n")
        self.tree.settle()


@pytest.mark.parametrize("governors", [GOVERNORS, NO_USERSPACE])
def test_a_machine_that_is_warm_at_the_start_gets_its_range_back(tmp_path, governors):
    """radxa/kernel#536: the thermal limit was taken for the user's own, and stayed for good."""
    freq, tree = machine(tmp_path, governors)
    freq._settle = qos = Qos(freq, tree, heat_khz=1197000)
    assert read(freq, "scaling_max_freq") == "1197000"
    with freq.hold(freq.domain_of(MID), 799000):
        [(_, entry)] = freq._journal.entries()
        assert entry.state.max_khz == 2253000  # so that a killed run is restored as well
    assert freq._journal.entries() == []
    qos.heat_khz = 2253000
    qos()
    assert read(freq, "scaling_max_freq") == "2253000"


def test_a_limit_of_the_users_own_stays(tmp_path):
    freq, tree = machine(tmp_path, NO_USERSPACE)
    write(freq.domain_of(MID).path, {"scaling_max_freq": 1197000})
    freq._settle = Qos(freq, tree, heat_khz=2253000)
    with freq.hold(freq.domain_of(MID), 799000):
        pass
    assert read(freq, "scaling_max_freq") == "1197000"


def test_a_state_counts_as_restored_while_heat_keeps_the_limit_down(tmp_path, monkeypatch):
    freq, _ = machine(tmp_path, NO_USERSPACE)
    folder = freq.domain_of(MID).path
    before = cpufreq.read_state(folder)

    def hot(path):
        state = read_state(path)
        return cpufreq.replace(state, max_khz=min(state.max_khz, 1197000))

    read_state = cpufreq.read_state
    monkeypatch.setattr(cpufreq, "read_state", hot)
    cpufreq.write_state(before, folder)
    assert read(freq, "scaling_max_freq") == "2253000"


@pytest.mark.parametrize(
    ("governors", "read_khz", "is_held"),
    [
        (GOVERNORS, 4_698_267, True),  # APERF and MPERF, sbc-bench#95
        (GOVERNORS, 4_500_000, False),
        (NO_USERSPACE, 4_698_267, True),
        (NO_USERSPACE, 800_123, True),  # intel_pstate on an idle CPU: the bounds are held
    ],
)
def test_a_measured_clock_is_held_when_it_is_near_or_only_bounded(tmp_path, governors, read_khz, is_held):
    folder = tmp_path / "sys/devices/system/cpu/cpufreq/policy0"
    ends = {f"{where}_{end}_freq": khz for where in ("cpuinfo", "scaling")
            for end, khz in (("min", 400_000), ("max", 4_700_000))}  # fmt: skip
    names = " ".join(governors)
    write(folder, {"related_cpus": "0", "scaling_available_governors": names, "scaling_setspeed": 0, **ends})
    driver = {"scaling_driver": "acpi-cpufreq" if "userspace" in governors else "intel_pstate"}
    write(folder, driver | {"scaling_governor": governors[0], "scaling_cur_freq": 1_800_123})
    freq = CpuFreq(
        tmp_path,
        settle=lambda: (folder / "scaling_cur_freq").write_text(f"{read_khz}\n"),
        journal=Journal(tmp_path / "journal"),
    )
    refused = pytest.raises(DeviceTransientError, match=f"reads {read_khz} kHz")
    with contextlib.nullcontext() if is_held else refused, freq.hold(freq.domain_of([0]), 4_700_000):
        assert freq.read_khz(freq.domain_of([0])) == read_khz


def test_without_privilege_the_clock_is_refused_not_ignored(tmp_path, monkeypatch):
    _, tree = machine(tmp_path)
    freq = CpuFreq(tree.root, journal=Journal(tmp_path / "journal"))
    policy = freq.domain_of(MID)
    write_text = type(policy.path).write_text

    def locked(path, *args, **kwargs):
        if "scaling" in path.name:
            raise PermissionError(13, "Permission denied")
        return write_text(path, *args, **kwargs)

    monkeypatch.setattr(type(policy.path), "write_text", locked)
    with pytest.raises(PermissionNeeded, match=r"cannot write .*run as root"), freq.hold(policy, 799000):
        pass
    assert freq._journal.entries() == []  # nothing was changed, so nothing is owed


def test_unknown_clocks_and_cpus(tmp_path):
    freq, _ = machine(tmp_path)
    with (
        pytest.raises(ValueError, match="policy4 has no clock of 5 kHz; choose one of: 400000"),
        freq.hold(freq.domain_of(MID), 5),
    ):
        pass
    with pytest.raises(DeviceStableError, match=r"no clock for CPUs \[3, 9\]"):
        freq.domain_of([3, 9])
    with pytest.raises(DeviceStableError, match="no clock"):
        CpuFreq(tmp_path / "empty").domain_of([0])


@pytest.mark.parametrize("governors", [GOVERNORS, NO_USERSPACE])
def test_clusters_of_unlike_clocks_are_held_together_each_at_its_nearest(tmp_path, governors):
    freq, tree = machine(tmp_path, governors)
    both = freq.domain_of([4, 5, 6, 7])
    assert both.available_khz == freq.domain_of([6]).available_khz  # those of the fastest

    def clocks():
        return [(tree.cpu_dir / f"cpufreq/policy{n}/scaling_cur_freq").read_text().strip() for n in (4, 6)]

    before = state(freq), clocks()
    for asked_khz, mid_khz in ((2_850_000, 2_253_000), (1_106_000, 1_024_000), (500_000, 553_000)):
        with freq.hold(both, asked_khz):
            assert clocks() == [str(mid_khz), str(asked_khz)]
            assert freq.read_khz(both) == asked_khz
            assert len(freq._journal.entries()) == 2
    assert (state(freq), clocks()) == before
    with freq.hold(both, 1_106_000):
        (tree.cpu_dir / "cpufreq/policy4/scaling_cur_freq").write_text("400000\n")  # one falls behind
        assert freq.read_khz(both) == 400_000


HOLD = """
import pathlib, sys, time
from runtime.device.actuators import CpuFreq, Journal
root, journal = map(pathlib.Path, sys.argv[1:])
class Stuck(CpuFreq):
    def read_khz(self, policy): return None  # no kernel moves the clock in this tree
freq = Stuck(root, journal=Journal(journal))
with freq.hold(freq.domain_of([4]), 799000):
    print("held", flush=True)
    time.sleep(60)
"""


def hold_elsewhere(freq, tree):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tree.root), str(freq._journal.folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert child.stdout.readline() == "held\n"
    return child


def test_sigterm_puts_everything_back(tmp_path):
    freq, tree = machine(tmp_path)
    before = state(freq)
    child = hold_elsewhere(freq, tree)
    assert read(freq, "scaling_governor") == "userspace"
    child.terminate()
    assert child.wait(10) == 128 + signal.SIGTERM
    tree.settle()
    assert state(freq) == before
    assert freq._journal.entries() == []


def test_restore_repairs_after_a_kill(tmp_path):
    freq, tree = machine(tmp_path)
    before = state(freq)
    child = hold_elsewhere(freq, tree)
    assert [done.action for done in restore(freq._journal)] == [
        f"left alone: process {child.pid} still runs and will restore it"
    ]
    child.kill()
    child.wait(10)
    assert read(freq, "scaling_governor") == "userspace"
    assert [done.action for done in restore(freq._journal, dry_run=True)] == ["would restore"]
    assert read(freq, "scaling_governor") == "userspace"
    assert [done.action for done in restore(freq._journal)] == ["restored"]
    tree.settle()
    assert state(freq) == before
    assert restore(freq._journal) == []


def test_clocks_of_a_driver_that_lists_none_come_from_its_statistics(tmp_path):
    freq, _ = machine(tmp_path)
    folder = freq.domain_of(MID).path
    (folder / "scaling_available_frequencies").unlink()
    write(folder, {"stats/time_in_state": "400000 12\n1024000 0\n2253000 7"})
    assert freq.domain_of(MID).available_khz == (400000, 1024000, 2253000)
    with pytest.raises(ValueError, match="no clock of 799000 kHz; choose one of: 400000, 1024000, 2253000"):
        freq.hold(freq.domain_of(MID), 799000).__enter__()


def test_of_a_driver_that_knows_only_a_range_any_clock_can_be_asked(tmp_path):
    freq, tree = machine(tmp_path, NO_USERSPACE)  # as intel_pstate and amd-pstate in active mode
    freq = CpuFreq(tree.root, journal=Journal(tmp_path / "journal"))
    folder = freq.domain_of(MID).path
    (folder / "scaling_available_frequencies").unlink()
    write(folder, {"stats/time_in_state": "", "scaling_setspeed": "<unsupported>"})
    policy = freq.domain_of(MID)
    assert policy.available_khz == (400000, 2253000)
    (folder / "scaling_cur_freq").unlink()
    with freq.hold(policy, 1234567):
        assert [read(freq, f"scaling_{end}_freq") for end in ("min", "max")] == ["1234567"] * 2
    for end in ("min", "max"):
        (folder / f"cpuinfo_{end}_freq").write_text("<unsupported>")
    with pytest.raises(DeviceStableError, match="shows no clocks"):
        freq.hold(freq.domain_of(MID), 1234567).__enter__()


_FILES = st.sampled_from(
    [
        "related_cpus",
        "scaling_available_frequencies",
        "stats/time_in_state",
        "cpuinfo_min_freq",
        "cpuinfo_max_freq",
        "scaling_min_freq",
        "scaling_max_freq",
        "scaling_cur_freq",
        "scaling_setspeed",
        "scaling_governor",
        "scaling_available_governors",
    ]
)


@settings(max_examples=50)
@given(files=st.dictionaries(_FILES, st.binary(max_size=20) | st.integers().map(lambda n: str(n).encode())))
def test_whatever_a_driver_shows_is_held_or_refused(tmp_path_factory, files):
    _, tree = machine(folder := tmp_path_factory.mktemp("odd"))
    freq = CpuFreq(tree.root, journal=Journal(folder / "journal"))
    write(freq.domain_of(MID).path, files)
    with contextlib.suppress(DeviceError, ValueError), freq.hold(freq.domain_of(MID), 799000):
        assert freq.read_khz(freq.domain_of(MID)) in (799000, None)
