"""The rules of an emulated machine over a folder of files: no namespace, no root."""

import json
from dataclasses import replace

import pytest

from runtime.device.actuators import CpuFreq
from runtime.device.emulation.machine import EmulatedMachine
from runtime.device.marker import PINS, find_marker, read_pinned
from runtime.device.meters import read_temp_c
from runtime.device.soc import Opp, has_power, list_profiles, load_profile, power_mw, rail_of
from runtime.errors import DeviceStableError
from runtime.targets import LocalTarget

GS101 = load_profile("gs101")
BIG, LITTLE = GS101.cluster("big"), GS101.cluster("little")
RAIL = rail_of(BIG)
BUSY_MW, IDLE_MW = RAIL.mean_mw(BIG.max_khz, 1.0), RAIL.mean_mw(BIG.max_khz, 0.0)


class Host:
    """The host's side: two cores that play, and processes that are as busy as a test says."""

    def __init__(self, root, profile=GS101, hosts=(3, 2)):
        self.shares = {}
        self.claimed = set()
        self.others = set()
        self.times = {}
        self.idle = dict.fromkeys(hosts, 0.0)
        self.at_home = {}
        self.now_s = 100.0
        self.machine = EmulatedMachine(profile, root, hosts, self, self)
        self.machine.mark([77])
        self.machine.account(self.now_s)

    def keep(self, host, share):
        self.shares[host] = share

    def claim(self, host):
        if host not in self.others:
            self.claimed.add(host)
        return host not in self.others

    def release(self, host):
        self.claimed.discard(host)

    def times_s(self, name):
        return self.times.get(name)

    def idle_s(self):
        return {host: int(idle_s * 100) / 100 for host, idle_s in self.idle.items()}  # as /proc/stat counts

    def at_home_on(self, hosts, pids):
        return [(name, cores) for name, cores in self.at_home.items() if cores <= set(hosts)]

    def path(self, name):
        return self.machine.root / "sys" / name

    def write(self, name, text):
        return self.machine.written(self.path(name), str(text), self.now_s)

    def read(self, name):
        return self.machine.shown(self.path(name), self.now_s)

    def pin(self, pid, *cpus):
        """Return why not, or nothing where it is granted."""
        return self.ask(str(pid), " ".join(map(str, cpus)), [str(pid)])

    def ask(self, name, text, processes=()):
        self.times |= {each: (0.0, 0.0) for each in processes if each not in self.times}
        answer = self.machine.written(self.machine.root / PINS / name, text, self.now_s)
        return "" if answer == text else answer

    def work(self, span_s, stolen=0.0, hosts=1, **busy):
        """Let time pass in steps of 10 ms, processes busy for a share of it: ``work(1, pid7=0.5)``.

        They take turns on the ``hosts`` cores that they share, whose ``stolen`` share is lost to them.
        """
        for _ in range(round(span_s * 100)):
            self.now_s += 0.01
            wanted = sum(busy.values())
            used = min(wanted, hosts)
            for host in list(self.idle)[:hosts]:
                self.idle[host] += 0.01 * (1 - stolen) * (1 - used / hosts)
            for pid, share in busy.items():
                name = pid.removeprefix("pid").replace("_", ":")
                ran, waited = self.times[name]
                ran_s = 0.01 * share * (1 - stolen) * used / wanted if wanted else 0.0
                self.times[name] = ran + ran_s, waited + 0.01 * share - ran_s
            self.machine.account(self.now_s)


POLICY6 = "devices/system/cpu/cpufreq/policy6"


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize("soc", list_profiles())
def test_the_tree_shows_the_profile(tmp_path, soc):
    profile = load_profile(soc)
    machine = Host(tmp_path, profile).machine
    found = {policy.cpus: policy.available_khz for policy in CpuFreq(tmp_path).domains()}
    assert found == {c.cpus: tuple(opp.freq_khz for opp in c.opps) for c in profile.clusters}
    labels = [path.read_text().strip() for path in sorted(tmp_path.glob("sys/class/hwmon/*/energy*_label"))]
    assert labels == [c.name for c in profile.clusters if has_power(c)]
    assert read_temp_c(tmp_path) == 30.0
    marker = json.loads((tmp_path / "sys/devices/system/cpu/edgekit.json").read_text())
    assert marker["soc"] == soc
    assert set(marker["host_cpus"]) == {str(cpu) for c in profile.clusters for cpu in c.cpus}
    for policy in tmp_path.glob("sys/devices/system/cpu/cpufreq/policy*"):
        assert (policy / "scaling_driver").read_text() == "edgekit-emulated\n"
    battery = tmp_path / "sys/class/power_supply/battery"
    assert (battery / "status").read_text() == "Discharging\n"
    assert len(machine.folders()) > 4


def test_a_clock_that_is_written_is_read_back(host):
    assert host.write(f"{POLICY6}/scaling_governor", "userspace") == "userspace"
    host.write(f"{POLICY6}/scaling_setspeed", 851000)
    assert host.read(f"{POLICY6}/scaling_cur_freq") == "851000"
    host.write(f"{POLICY6}/scaling_setspeed", 2188000)
    assert host.read(f"{POLICY6}/scaling_cur_freq") == "2188000"
    assert int(host.read(f"{POLICY6}/stats/total_trans")) >= 1


def test_wrong_values_are_undone(host):
    assert host.write(f"{POLICY6}/scaling_governor", "warp") == "schedutil"
    assert host.write(f"{POLICY6}/scaling_setspeed", 851000) == "<unsupported>"
    assert host.write(f"{POLICY6}/cpuinfo_max_freq", 9) == str(BIG.max_khz)
    assert host.write(f"{POLICY6}/scaling_min_freq", "") == str(BIG.opps[0].freq_khz)
    assert host.write("devices/system/cpu/cpu3/online", 0) == "1"


def test_residency_counts_in_ticks_of_10_ms(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.work(2.0)
    residency = dict(line.split() for line in host.read(f"{POLICY6}/stats/time_in_state").splitlines())
    assert int(residency[str(BIG.max_khz)]) == pytest.approx(200, abs=2)


def test_busy_time_is_counted_at_the_clock_it_ran_at(host):
    host.write(f"{POLICY6}/scaling_governor", "userspace")
    host.write(f"{POLICY6}/scaling_setspeed", 851000)
    host.pin(7, 7)
    host.work(1.0, pid7=0.5)
    host.write(f"{POLICY6}/scaling_setspeed", 2188000)
    host.work(1.0, pid7=0.2)
    busy_us = dict(line.split() for line in host.read(f"{POLICY6}/stats/busy_in_state_us").splitlines())
    assert int(busy_us["851000"]) == pytest.approx(500_000, rel=0.03)
    assert int(busy_us["2188000"]) == pytest.approx(200_000, rel=0.05)
    assert sum(map(int, busy_us.values())) == pytest.approx(700_000, rel=0.02)


def test_the_core_is_as_slow_as_what_runs_on_it(host):
    host.write(f"{POLICY6}/scaling_governor", "userspace")
    host.write(f"{POLICY6}/scaling_setspeed", 851000)
    assert host.pin(7, 7) == ""
    assert host.shares == {3: pytest.approx(GS101.capacity(BIG, 851000) / 1024), 2: 1.0}
    assert host.pin(7, 6, 7) == ""
    assert host.shares[2] == host.shares[3]
    del host.times["7"]  # the process ends
    host.work(0.02)
    assert host.shares == {3: 1.0, 2: 1.0}


def test_two_clusters_cannot_share_a_host_core(host):
    assert host.pin(7, 7) == ""
    assert "process 7 runs on cluster 'big'" in host.pin(8, 3)
    assert host.pin(8, 2) == ""  # the other host core
    del host.times["7"]
    assert host.pin(9, 3) == ""


def test_more_threads_than_host_cores_are_refused(host):
    assert "it has 2 ([2, 3])" in host.pin(7, 1, 2, 3)
    assert "CPU 8 is not one of" in host.pin(7, 8)
    with pytest.raises(DeviceStableError, match="at most 2 threads"):
        find_marker(host.machine.root).map((0, 1, 2))


def test_threads_on_two_clusters_make_each_core_as_slow_as_what_it_plays(host):
    """CPUs 6 and 7 (big) and 5 (mid) are played by other cores of the host than their neighbours'."""
    for policy in (4, 6):
        host.write(f"devices/system/cpu/cpufreq/policy{policy}/scaling_governor", "performance")
    assert host.pin(7, 4, 7) == ""
    assert (host.shares[3], host.shares[2]) == (1.0, pytest.approx(GS101.capacity("mid") / 1024))
    assert "process 7 runs on cluster 'mid+big'" in host.pin(8, 3)
    mid = GS101.cluster("mid")
    before_mj = {cluster.name: energy_mj(host, cluster) for cluster in (mid, BIG)}
    host.work(1.0, hosts=2, pid7=2.0)
    for cluster in (mid, BIG):
        spent_mj = energy_mj(host, cluster) - before_mj[cluster.name]
        assert spent_mj == pytest.approx(rail_of(cluster).busy_mw[cluster.max_khz], rel=0.02)


def test_threads_that_the_host_cannot_play_are_not_offered(tmp_path):
    Host(tmp_path, hosts=(3,))
    target = LocalTarget(tmp_path)
    with pytest.raises(ValueError, match=r"mid\+big @ .* needs 3 cores of the host, which has 1"):
        target.settings((3,), ("mid+big",))
    assert {s.threads for s in target.settings((1, 2))} == {1}


def test_a_core_that_another_machine_uses_is_waited_for(host):
    host.others = {2}
    assert host.pin(7, 6, 7).startswith("busy")
    assert host.claimed == set()
    assert host.pin(7, 7) == ""
    assert host.claimed == {3}
    del host.times["7"]
    host.work(0.02)
    assert host.claimed == set()


def test_processes_move_as_one_or_not_at_all(host):
    """Announced one by one, the second was refused: it had to play another cluster than the first now did."""
    assert host.ask("move.9", "7 = 7 8:80", ["7", "8:80"]) == ""
    assert host.ask("move.9", "5 = 7 8:80") == ""
    assert read_pinned([7, 8], host.machine.root) == {"7": (5,), "8:80": (5,)}
    assert host.shares[3] == pytest.approx(
        GS101.capacity("mid", GS101.cluster("mid").opps[0].freq_khz) / 1024
    )
    assert "process 8:80 runs on cluster 'mid'" in host.ask("move.9", "7 = 7")
    assert "CPU 8 is not one of" in host.ask("move.9", "7 = 7\n8 = 8:80")
    assert read_pinned([7, 8], host.machine.root) == {"7": (5,), "8:80": (5,)}
    assert host.ask("move.9", "= 7 8:80") == ""  # anywhere again
    assert read_pinned([7, 8], host.machine.root) == {}
    assert (host.claimed, host.shares) == (set(), {3: 1.0, 2: 1.0})


def test_a_request_that_is_none_is_refused(host):
    assert "takes CPU numbers" in host.ask("move.9", "x = 7")
    assert "PID and threads PID:TID" in host.ask("move.9", "7 = ../7")
    assert "no process 9" in host.ask("9", "7")


def test_what_a_pinned_process_starts_counts_and_gives_way(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 7)
    host.times["17"] = (0.0, 0.0)
    host.at_home["17"] = frozenset([3])
    host.work(0.2)
    before_mj = energy_mj(host, BIG)
    host.work(1.0, pid17=1.0)
    spent_mj = energy_mj(host, BIG) - before_mj
    assert spent_mj == pytest.approx(BUSY_MW, rel=0.01)
    assert host.pin(7, 5) == ""  # its child is no obstacle
    host.work(0.2)
    assert read_pinned([17], host.machine.root) == {"17": (5,)}
    del host.times["7"]  # and outlives it
    host.work(0.2)
    assert host.claimed == {3}
    del host.times["17"], host.at_home["17"]
    host.work(0.2)
    assert host.claimed == set()


@pytest.mark.parametrize("stolen", [0.0, 0.7])
@pytest.mark.parametrize("loops", [1, 2, 3, 4])
def test_a_cpu_is_never_busier_than_it_is(host, loops, stolen):
    """Two loops on one CPU read 1.5 times one loop's power, three twice."""
    host.write(f"{POLICY6}/scaling_governor", "performance")
    for pid in range(loops):
        host.pin(7 + pid, 7)
    before_mj = energy_mj(host, BIG)
    host.work(2.0, stolen, **{f"pid{7 + pid}": 1.0 for pid in range(loops)})
    host.work(0.5, stolen)
    by_hand_mj = 2 * BUSY_MW + 0.5 * IDLE_MW
    assert energy_mj(host, BIG) - before_mj == pytest.approx(by_hand_mj, rel=0.02)


def test_threads_that_wait_for_each_other_are_not_counted_twice(host):
    """Two that want the CPU at the same time, for 30 % of the time each: 60 % of it, though both wait."""
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 7)
    host.work(1.0)
    before_mj = energy_mj(host, BIG)
    for _ in range(80):
        host.work(0.06, 0.5, pid7=2.0)
        host.work(0.04, 0.5)
    by_hand_mj = 8 * (0.6 * BUSY_MW + 0.4 * IDLE_MW)
    assert energy_mj(host, BIG) - before_mj == pytest.approx(by_hand_mj, rel=0.03)


def test_work_after_a_pause_is_counted_while_it_runs(host):
    """Not a fifth of a second later, when a short block is over and its meter was read."""
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 7)
    for _ in range(30):  # after which nothing is left of the first window's allowance
        host.work(0.03, 0.85, pid7=2.0)
        host.work(0.07, 0.85)
    host.work(0.5, 0.85)
    before_mj = energy_mj(host, BIG)
    host.work(0.5, 0.85, pid7=1.0)
    assert energy_mj(host, BIG) - before_mj == pytest.approx(0.5 * BUSY_MW, rel=0.03)


def energy_mj(host, cluster):
    number = [c.name for c in GS101.clusters].index(cluster.name) + 1
    return int(host.read(f"class/hwmon/hwmon0/energy{number}_input")) / 1000


def test_energy_is_power_times_time(host):
    host.write(f"{POLICY6}/scaling_governor", "userspace")
    host.write(f"{POLICY6}/scaling_setspeed", 851000)
    host.pin(7, 7)
    before_mj = energy_mj(host, BIG)
    host.work(2.0, pid7=1.0)
    assert energy_mj(host, BIG) - before_mj == pytest.approx(2 * 102.21, rel=0.01)
    before_mj = energy_mj(host, BIG)
    host.work(2.0, pid7=0.25)
    by_hand_mj = 2 * (0.25 * 102.21 + 0.75 * IDLE_MW)
    assert energy_mj(host, BIG) - before_mj == pytest.approx(by_hand_mj, rel=0.01)


def test_a_cluster_of_unknown_power_has_no_meter(tmp_path):
    unknown = replace(GS101, clusters=(replace(BIG, opps=(Opp(500000),), power_source=None),))
    machine = Host(tmp_path, unknown).machine
    assert not list(tmp_path.glob("sys/class/hwmon/hwmon0/energy*"))
    assert "assumed where the profile does not say" in machine.marker.assumed


def test_clusters_on_unlike_bases_are_not_summed(tmp_path):
    mixed = replace(GS101, clusters=(replace(LITTLE, power_basis="battery"), BIG))
    Host(tmp_path, mixed)
    assert not list(tmp_path.glob("sys/class/hwmon/hwmon0/energy*"))


def test_two_busy_cores_take_what_the_power_model_says(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 6, 7)
    before_mj = energy_mj(host, BIG)
    host.work(1.0, hosts=2, pid7=2.0)
    assert energy_mj(host, BIG) - before_mj == pytest.approx(power_mw(BIG, BIG.max_khz, 2).power_mw, rel=0.01)


def test_the_battery_agrees_with_the_meter(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 7)
    host.work(1.0, pid7=1.0)
    watts = sum(int(host.read(f"class/hwmon/hwmon0/power{i}_input")) for i in (1, 2, 3)) / 1e6
    volts = int(host.read("class/power_supply/battery/voltage_now")) / 1e6
    amperes = int(host.read("class/power_supply/battery/current_now")) / 1e6
    assert amperes < 0  # discharging
    assert -amperes * volts == pytest.approx(watts, rel=1e-3)
    assert watts > BUSY_MW / 1000
    full, now = 3_200_000, int(host.read("class/power_supply/battery/charge_now"))
    spent_mj = sum(energy_mj(host, c) for c in GS101.clusters)
    assert (full - now) / 1e6 * 3600 * volts * 1000 == pytest.approx(spent_mj, abs=15)  # uAh are coarse


def test_schedutil_follows_the_work(host):
    host.pin(7, 7)
    host.work(0.5, pid7=1.0)
    assert host.read(f"{POLICY6}/scaling_cur_freq") == str(BIG.max_khz)
    host.work(1.0, pid7=0.05)
    assert host.read(f"{POLICY6}/scaling_cur_freq") == str(BIG.opps[0].freq_khz)
    assert host.shares[3] == pytest.approx(GS101.capacity(BIG, BIG.opps[0].freq_khz) / 1024)


def test_cooling_slows_the_cluster_down(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    assert host.write("class/thermal/cooling_device2/cur_state", 3) == "3"
    assert host.read(f"{POLICY6}/scaling_cur_freq") == str(BIG.opps[-4].freq_khz)
    assert host.read(f"{POLICY6}/scaling_max_freq") == str(BIG.opps[-4].freq_khz)
    assert host.write("class/thermal/cooling_device2/cur_state", 99) == "3"
    host.write("class/thermal/cooling_device2/cur_state", 0)
    assert host.read(f"{POLICY6}/scaling_cur_freq") == str(BIG.max_khz)


def test_work_warms_its_zone(host):
    host.write(f"{POLICY6}/scaling_governor", "performance")
    host.pin(7, 7)
    host.work(20.0, pid7=1.0)
    assert int(host.read("class/thermal/thermal_zone2/temp")) > int(
        host.read("class/thermal/thermal_zone0/temp")
    )
