import os
import time

import numpy as np
import pytest

from runtime.device.actuators import CpuFreq, Journal, allowed_cpus
from runtime.device.setting import Setting
from runtime.device.soc import list_profiles, load_profile
from runtime.device.soc.tree import SocTree
from runtime.engines.model_file import open_bundle_or_model
from runtime.errors import DeviceStableError, PermissionNeeded
from runtime.targets import LocalTarget, VirtualTarget, choose_settings, use_meter
from runtime.targets.local import read_profile
from runtime.targets.target import settings_of
from tests.runtime.device.meters.machine import replace_text, ticking, write


@pytest.fixture(scope="module")
def bundle(tflite):
    return open_bundle_or_model(tflite)


@pytest.mark.parametrize("soc", list_profiles())
def test_clusters_are_found_in_the_tree_of_every_soc(tmp_path, soc):
    profile = load_profile(soc)
    SocTree(profile, tmp_path)
    found = read_profile(tmp_path)
    assert [(c.name, c.cpus) for c in found.clusters] == [(c.name, c.cpus) for c in profile.clusters]
    for mine, theirs in zip(found.clusters, profile.clusters, strict=True):
        assert [opp.freq_khz for opp in mine.opps] == [opp.freq_khz for opp in theirs.opps]
        assert found.capacity(mine) == pytest.approx(profile.capacity(theirs), rel=0.01)


def test_without_clocks_cpus_are_grouped_by_capacity_not_by_number(tmp_path):
    for cpu, capacity in enumerate((1024, 300, 300, 1024)):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}"
        folder.mkdir(parents=True)
        (folder / "cpu_capacity").write_text(f"{capacity}\n")
    profile = read_profile(tmp_path)
    assert [(c.name, c.cpus, c.opps) for c in profile.clusters] == [
        ("little", (1, 2), ()),
        ("big", (0, 3), ()),
    ]


POLICY = {
    "scaling_driver": "x", "scaling_governor": "schedutil", "scaling_setspeed": "<unsupported>",
    "scaling_available_governors": "performance schedutil",
}  # fmt: skip


def policies(root, *domains, **changes):
    """Write one policy for each (CPUs, lowest kHz, highest kHz)."""
    for cpus, low_khz, high_khz in domains:
        ends = {f"{where}_{end}_freq": khz for where in ("cpuinfo", "scaling")
                for end, khz in (("min", low_khz), ("max", high_khz))}  # fmt: skip
        listed = {"related_cpus": " ".join(map(str, cpus)), "affected_cpus": " ".join(map(str, cpus))}
        folder = f"sys/devices/system/cpu/cpufreq/policy{cpus[0]}"
        write(root / folder, POLICY | listed | ends | {"scaling_cur_freq": low_khz} | changes)
    return root


def test_x86_cores_with_a_policy_each_are_one_cluster(tmp_path):
    policies(tmp_path, *(((cpu,), 400_000, 4_700_000) for cpu in range(8)), scaling_driver="intel_pstate")
    [cluster] = read_profile(tmp_path).clusters
    assert (cluster.name, cluster.cpus) == ("cpu", tuple(range(8)))
    assert Setting("cpu", 4_700_000, 8) in settings_of(read_profile(tmp_path), (2, 4, 8))


def smt(root, online="0-7", name="core_cpus_list"):
    """Four cores with two hardware threads each, N and N + 4, as Intel numbers them."""
    policies(root, *(((cpu,), 400_000, 4_700_000) for cpu in range(8)), scaling_driver="intel_pstate")
    for cpu in range(8):
        write(root / f"sys/devices/system/cpu/cpu{cpu}/topology", {name: f"{cpu % 4},{cpu % 4 + 4}"})
    write(root, {"sys/devices/system/cpu/online": online})
    return root


@pytest.mark.parametrize("name", ["core_cpus_list", "thread_siblings_list"])
def test_hardware_threads_are_one_core_and_threads_take_cores_first(tmp_path, name):
    profile = read_profile(smt(tmp_path, name=name))
    [cluster] = profile.clusters
    assert (cluster.cpus, cluster.cores) == (tuple(range(8)), 4)
    assert cluster.siblings == ((0, 4), (1, 5), (2, 6), (3, 7))
    assert [cluster.place(threads) for threads in (1, 2, 4)] == [(3,), (2, 3), (0, 1, 2, 3)]
    assert cluster.place(6) == (0, 1, 2, 3, 6, 7)
    assert cluster.place(1, [(3,)]) == (2,)  # not the other half of another session's core
    assert "CPUs 0, 4 and 1, 5 and 2, 6 and 3, 7 are one core each" in profile.notes[0]


def test_hardware_threads_that_are_off_line_or_out_of_reach_are_none(tmp_path):
    [cluster] = read_profile(smt(tmp_path, online="0-3"), cpus=range(4)).clusters
    assert (cluster.cpus, cluster.cores, cluster.siblings) == ((0, 1, 2, 3), 4, ())


def test_equal_cores_in_two_clock_domains_are_one_cluster(tmp_path):
    """Jetson Orin Nano: six A78AE, four and two to a domain."""
    policies(tmp_path, (range(4), 115_200, 1_510_400), ((4, 5), 115_200, 1_510_400))
    [cluster] = read_profile(tmp_path).clusters
    assert cluster.cpus == (0, 1, 2, 3, 4, 5)


def test_rk3588_has_its_two_big_domains_in_one_cluster(tmp_path):
    policies(
        tmp_path, (range(4), 408_000, 1_800_000), ((4, 5), 408_000, 2_400_000), ((6, 7), 408_000, 2_400_000)
    )
    for cpu in range(8):
        write(tmp_path / f"sys/devices/system/cpu/cpu{cpu}", {"cpu_capacity": 414 if cpu < 4 else 1024})
    assert [(c.name, c.cpus) for c in read_profile(tmp_path).clusters] == [
        ("little", (0, 1, 2, 3)),
        ("big", (4, 5, 6, 7)),
    ]


def test_cores_that_their_maker_sorted_are_one_cluster_with_the_clocks_of_all(tmp_path):
    """Intel's Turbo Boost Max, and an RK3588 whose big domains end 48 MHz apart."""
    x86 = [((cpu,), 800_000, 5_100_000 if cpu == 2 else 4_900_000) for cpu in range(4)]
    policies(tmp_path / "x86", *x86, scaling_driver="intel_pstate")
    [cluster] = read_profile(tmp_path / "x86").clusters
    assert (cluster.cpus, cluster.opps[-1].freq_khz) == ((0, 1, 2, 3), 4_900_000)
    assert CpuFreq(tmp_path / "x86").domain_of([2, 3]).available_khz == (800_000, 4_900_000)
    board = tmp_path / "board"
    policies(
        board, (range(4), 408_000, 1_800_000), ((4, 5), 408_000, 2_352_000), ((6, 7), 408_000, 2_400_000)
    )
    for cpu in range(8):
        capacity = 414 if cpu < 4 else 1004 if cpu < 6 else 1024
        write(board / f"sys/devices/system/cpu/cpu{cpu}", {"cpu_capacity": capacity})
    found = [(c.name, c.cpus, c.opps[-1].freq_khz) for c in read_profile(board).clusters]
    assert found == [("little", (0, 1, 2, 3), 1_800_000), ("big", (4, 5, 6, 7), 2_352_000)]


@pytest.mark.parametrize("told_by", ["capacity", "kind", "midr"])
def test_unlike_cores_of_equal_clocks_stay_apart_slowest_first(tmp_path, told_by):
    policies(tmp_path, *(((cpu,), 400_000, 3_000_000) for cpu in range(4)))
    for cpu in range(4):
        is_fast = cpu < 2
        files = {"capacity": {"cpu_capacity": 1024 if is_fast else 600},
                 "midr": {"regs/identification/midr_el1": "0x410fd413" if is_fast else "0x410fd050",
                          "cpu_capacity": 1024 if is_fast else 600}}  # fmt: skip
        write(tmp_path / f"sys/devices/system/cpu/cpu{cpu}", files.get(told_by, {"topology/core_id": cpu}))
    if told_by == "kind":
        write(tmp_path / "sys/devices", {"cpu_core/cpus": "0-1", "cpu_atom/cpus": "2-3"})
    assert [(c.name, c.cpus) for c in read_profile(tmp_path).clusters] == [
        ("little", (2, 3)),
        ("big", (0, 1)),
    ]


def test_policies_that_refuse_and_cpus_off_line_are_passed_over_and_named(tmp_path):
    policies(tmp_path, *(((cpu,), 400_000, 800_000) for cpu in (0, 1, 2, 3, 5)))
    folder = tmp_path / "sys/devices/system/cpu/cpufreq"
    write(folder, {"policy5/related_cpus": "none"})
    for name in ("related_cpus", "scaling_max_freq"):  # as SMT that is switched off leaves it
        (folder / "policy1" / name).unlink()
        (folder / "policy1" / name).symlink_to("/proc/self/mem")
    write(folder, {"policy2/affected_cpus": ""})
    for cpu in range(5):
        write(tmp_path / f"sys/devices/system/cpu/cpu{cpu}", {"topology/core_id": cpu})
    write(tmp_path, {"sys/devices/system/cpu/online": "0,3-4"})
    profile = read_profile(tmp_path)
    assert [cluster.cpus for cluster in profile.clusters] == [(0, 3)]
    refuses, empty, unnamed, off, bare = profile.notes
    assert refuses.startswith("passed over: policy1: related_cpus cannot be read (")
    assert empty == "passed over: policy2: affected_cpus is empty: its CPUs are off line"
    assert unnamed == "passed over: policy5: related_cpus names no CPU: 'none'"
    assert off == "passed over: CPUs 1-2 are off line"
    assert bare == "passed over: CPUs 4 have no clock domain"


def test_the_domains_of_a_cluster_are_held_together(tmp_path):
    policies(tmp_path, ((0,), 400_000, 800_000), ((1,), 400_000, 800_000))
    freq = CpuFreq(tmp_path, journal=Journal(tmp_path / "journal"))
    limits = [tmp_path / f"sys/devices/system/cpu/cpufreq/policy{i}/scaling_max_freq" for i in (0, 1)]
    with freq.hold(freq.domain_of((0, 1)), 400_000):
        assert [limit.read_text().strip() for limit in limits] == ["400000", "400000"]
    assert [limit.read_text().strip() for limit in limits] == ["800000", "800000"]


def test_cpus_that_may_not_be_used_are_left_out(tmp_path):
    SocTree(load_profile("gs101"), tmp_path)
    assert [(c.name, c.cpus) for c in read_profile(tmp_path, cpus={5, 6}).clusters] == [
        ("little", (5,)),
        ("big", (6,)),
    ]


def test_this_machine():
    target = LocalTarget()
    assert {cpu for c in target.profile.clusters for cpu in c.cpus} == set(allowed_cpus())
    assert target.power(target.settings()[0]) is None
    assert "no power meter" in target.energy_note


def test_a_session_runs_pinned_and_reads_back(tmp_path, bundle):
    target = LocalTarget(tmp_path)  # a machine that shows no clocks
    setting = target.settings()[0]
    assert setting.freq_khz is None
    with target.session(bundle, bundle.manifest.variant(), setting) as session:
        assert session.setting_read is None
        samples = session.sample(warmup=1, runs=4)
        assert session.setting_read == setting
        assert os.sched_getaffinity(session.worker_pid) == {target.profile.clusters[0].cpus[-1]}
        image = np.ones((1, 8, 8, 4), np.float32)
        np.testing.assert_array_equal(session.run([image]).outputs[0], 2 * image)
        assert session.versions["engine"].startswith("ai-edge-litert")
    assert (session.control_level, len(samples.samples_ms)) == ("affinity", 4)
    assert samples.first_ms > 0


def test_paced_frames_come_at_their_time(bundle):
    target = LocalTarget()
    with target.session(bundle, bundle.manifest.variant(), target.settings()[0]) as session:
        start_s = time.monotonic()
        samples = session.sample(warmup=1, runs=5, fps=20.0)
        assert time.monotonic() - start_s >= 4 / 20.0
        assert session.setting_read.threads == 1
    assert len(samples.samples_ms) == 5
    assert samples.first_ms > 0


@pytest.fixture
def with_clocks(tmp_path, monkeypatch):
    """A machine whose CPUs are this one's and whose clocks are files."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "sys/devices/system/cpu/cpufreq/policy0"
    folder.mkdir(parents=True)
    for name, value in {
        "related_cpus": " ".join(str(cpu) for cpu in allowed_cpus()),
        "scaling_available_frequencies": "1000000 2000000",
        "scaling_available_governors": "performance schedutil",
        "scaling_governor": "schedutil",
        "scaling_min_freq": "1000000",
        "scaling_max_freq": "2000000",
    }.items():
        (folder / name).write_text(f"{value}\n")
    return tmp_path


def test_clocks_are_set_where_they_can_be(with_clocks, bundle):
    target = LocalTarget(with_clocks)
    assert [setting.freq_khz for setting in target.settings()] == [1000000, 2000000]
    limit = with_clocks / "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"
    with target.session(bundle, bundle.manifest.variant(), Setting("cpu", 1000000)) as session:
        assert limit.read_text() == "1000000"
        session.sample(warmup=0, runs=1)
        assert session.control_level == "sysfs"
        assert session.setting_read == Setting("cpu", None)  # this driver shows no current clock
    assert limit.read_text() == "2000000"


def test_a_clock_that_may_not_be_set_is_refused(with_clocks, bundle, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    def refuse(path, *args):
        raise PermissionError(13, "Permission denied")

    target = LocalTarget(with_clocks)
    assert target.settings() == (Setting("cpu", None),)
    [asked] = choose_settings(target, (1,), (), [1000000])
    monkeypatch.setattr("runtime.device.actuators.cpufreq.Path.write_text", refuse)
    with (
        pytest.raises(PermissionNeeded, match="run as root"),
        target.session(bundle, bundle.manifest.variant(), asked),
    ):
        pass


def test_a_clock_on_a_machine_without_any_is_refused(tmp_path, bundle):
    target = LocalTarget(tmp_path)
    [asked] = choose_settings(target, (1,), (), [1000000])
    with (
        pytest.raises(DeviceStableError, match="leave the clock to the kernel"),
        target.session(bundle, bundle.manifest.variant(), asked),
    ):
        pass


def test_more_threads_than_cpus(tmp_path, bundle):
    target = LocalTarget(tmp_path)
    with (
        pytest.raises(ValueError, match="threads is 4096; allowed on 'cpu': 1 to"),
        target.session(bundle, bundle.manifest.variant(), Setting("cpu", None, 4096)),
    ):
        pass
    assert CpuFreq(tmp_path).domains() == ()


@pytest.fixture
def with_rail(tmp_path):
    """A board whose rail counts 800 mW, whatever runs."""
    chip = "sys/class/hwmon/hwmon0"
    write(
        tmp_path, {f"{chip}/name": "ina231", f"{chip}/energy1_input": 0, f"{chip}/energy1_label": "VDD_CPU"}
    )
    counter = tmp_path / chip / "energy1_input"
    with ticking(lambda passed_s: replace_text(counter, int(passed_s * 800_000))):
        yield tmp_path


def test_a_session_measures_the_energy_of_its_frames(with_rail, bundle):
    target = LocalTarget(with_rail)
    with target.session(bundle, bundle.manifest.variant(), target.settings()[0]) as session:
        samples = session.sample(warmup=2, runs=500_000)
    energy = samples.energy
    assert energy.reason is None
    # The hand that moves the counter may be kept from its CPU; a wrong unit is off by a thousand.
    assert energy.gross_mw == pytest.approx(800, rel=0.5)
    assert energy.idle_mw == pytest.approx(800, rel=0.5)
    assert (energy.frames, len(samples.samples_ms)) == (500_000, 500_000)
    assert samples.first_ms > 0
    assert energy.source == "hwmon ina231 (VDD_CPU)"
    assert energy.notes[-1].startswith("idle over 1 s, in which the machine was ")


def test_a_block_too_short_for_the_meter_has_no_energy(with_rail, bundle):
    target = LocalTarget(with_rail, meter="hwmon:net")
    with target.session(bundle, bundle.manifest.variant(), target.settings()[0]) as session:
        energy = session.sample(warmup=0, runs=5).energy
    assert (energy.power_mw, energy.subtract_idle) == (None, True)
    assert "at least 10 are needed; raise --runs" in energy.reason
    assert target.energy_note == f"hwmon ina231 (VDD_CPU): {energy.reason}"


def test_a_meter_that_is_used_is_not_denied(tmp_path, bundle):
    folder = tmp_path / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True)
    for name, text in (("name", "package-0"), ("energy_uj", "1"), ("max_energy_range_uj", "262143328850")):
        (folder / name).write_text(text)
    note = LocalTarget(tmp_path).energy_note
    assert note.startswith("RAPL package-0")
    assert note.endswith("no block was run under it yet")


def test_no_meter_is_said_kind_by_kind(tmp_path, bundle):
    target = LocalTarget(tmp_path)
    assert "hwmon: no power monitor chip below" in target.energy_note
    assert "rapl: no intel-rapl zone below" in target.energy_note
    with target.session(bundle, bundle.manifest.variant(), target.settings()[0]) as session:
        assert session.sample(warmup=0, runs=1).energy is None
    with pytest.raises(ValueError, match="unknown meter 'hwmom'; did you mean hwmon"):
        use_meter(target, "hwmom")
    with pytest.raises(ValueError, match="virtual:gs101 has no meters to choose from"):
        use_meter(VirtualTarget("gs101"), "rapl")


@pytest.mark.skipif(len(allowed_cpus() or ()) < 2, reason="one CPU leaves no wrong one")
def test_threads_that_leave_their_cpus_are_told(tmp_path, bundle):
    target = LocalTarget(tmp_path)
    with target.session(bundle, bundle.manifest.variant(), target.settings()[0]) as session:
        assert session.sample(warmup=0, runs=3).misplaced == ()
        os.sched_setaffinity(session.worker_pid, allowed_cpus())  # as a cpuset that changes would
        [why, *_] = session.sample(warmup=0, runs=3).misplaced
    assert why.startswith(f"thread {session.worker_pid} may run on CPUs [")


def test_where_clocks_are_locked_the_scheduler_is_asked_for_their_capacity(with_clocks, bundle, monkeypatch):
    group = with_clocks / "sys/fs/cgroup/shell.scope"
    write(with_clocks, {"proc/self/cgroup": "0::/shell.scope"})
    write(group, {"cpu.uclamp.min": "0.00", "cpu.uclamp.max": "max"})
    allow = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "cpufreq" not in str(path) and allow(path, mode))
    target = LocalTarget(with_clocks)
    assert [setting.freq_khz for setting in target.settings()] == [1000000, 2000000]
    with target.session(bundle, bundle.manifest.variant(), Setting("cpu", 1000000)) as session:
        assert session.control_level == "uclamp"
        assert [(group / f"cpu.uclamp.{end}").read_text().strip() for end in ("min", "max")] == ["50.00"] * 2
        session.sample(warmup=0, runs=1)
    assert (group / "cpu.uclamp.min").read_text().strip() == "0.00"


def test_the_energy_note_never_denies_the_meter_that_is_used(tmp_path):
    zone = {"name": "package-0", "energy_uj": 1, "max_energy_range_uj": 262_143_328_850}
    write(tmp_path / "sys/class/powercap/intel-rapl:0", zone)
    target = LocalTarget(tmp_path)
    assert target.energy_note == "RAPL package-0 (intel-rapl:0): no block was run under it yet"
    _, energy = target.meter.measure(1, lambda: None)  # too short, and the counter stands still
    assert energy.reason is not None
    assert target.energy_note == f"RAPL package-0 (intel-rapl:0): {energy.reason}"
