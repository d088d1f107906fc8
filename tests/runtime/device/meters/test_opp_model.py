import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.device.meters import find_meter
from runtime.device.meters.opp_model import find_model, soc_of
from runtime.device.meters.residency import mean_power_mw, parse_time_in_state
from runtime.device.soc import load_profile, power_mw, rail_of
from runtime.device.soc.account import Rail
from runtime.device.soc.tree import SocTree
from runtime.errors import DeviceStableError, DeviceTransientError
from tests.runtime.device.meters.machine import Clock, write

SOC = "sdm845"


@pytest.fixture
def phone(tmp_path):
    """A sdm845 that keeps its time at each clock; a step of 1 s is taken by ``move``."""
    profile = load_profile(SOC)
    SocTree(profile, tmp_path)
    clock = Clock()
    ticks = {c.name: {opp.freq_khz: 0 for opp in c.opps} for c in profile.clusters}
    busy = dict.fromkeys(range(8), 0)

    def show():
        for cluster in profile.clusters:
            stats = f"sys/devices/system/cpu/cpufreq/policy{min(cluster.cpus)}/stats/time_in_state"
            write(tmp_path, {stats: "\n".join(f"{khz} {n}" for khz, n in ticks[cluster.name].items())})
        write(tmp_path, {"proc/stat": "\n".join(f"cpu{cpu} {n} 0 0 0 0 0 0 0" for cpu, n in busy.items())})

    def move(cluster, khz, cores):
        clock.now_s += 1
        for other in profile.clusters:
            ticks[other.name][khz if other.name == cluster else other.opps[0].freq_khz] += 100
        for cpu in cores:
            busy[cpu] += 100
        show()

    write(tmp_path, {"proc/device-tree/compatible": b"xiaomi,beryllium\0qcom,sdm845\0"})
    show()
    return tmp_path, profile, move, clock


def test_a_busy_core_costs_what_the_table_says(phone):
    root, profile, move, clock = phone
    big = profile.cluster("big")
    khz = big.max_khz
    assert find_meter(root).meter.about.name == "model"
    meter = find_model(root, None, clock)
    assert meter.about.provenance == "modelled"
    assert any("assumed where the profile does not say" in note for note in meter.about.notes)
    meter.read()
    move("big", khz, [7])
    one_mj = meter.read().rails_mj
    assert one_mj["big"] == pytest.approx(power_mw(big, khz).power_mw)  # mW for 1 s, and no idle before
    slow_khz = profile.cluster("little").opps[0].freq_khz
    assert one_mj["little"] == pytest.approx(rail_of(profile.cluster("little")).idle_mw[slow_khz])
    move("big", khz, [6, 7])
    assert meter.read().rails_mj["big"] - one_mj["big"] == pytest.approx(power_mw(big, khz, 2).power_mw)


def test_faults_of_the_statistics(phone):
    root, _, move, clock = phone
    meter = find_model(root, SOC, clock)
    meter.read()
    move("big", 825600, [7])
    stats = "sys/devices/system/cpu/cpufreq/policy4/stats/time_in_state"
    write(root, {stats: "825600 7\n12345 5"})
    with pytest.raises(DeviceTransientError, match="has new clocks"):
        meter.read()
    write(root, {stats: b"\xff\xfe"})
    with pytest.raises(DeviceTransientError, match="<kHz> <ticks of 10 ms> is expected"):
        meter.read()
    with pytest.raises(DeviceStableError, match="is expected"):
        find_meter(root, f"model={SOC}")
    (root / stats).unlink()
    with pytest.raises(DeviceStableError, match="CPU_FREQ_STAT"):
        find_meter(root, f"model={SOC}")


def test_a_soc_must_be_known(tmp_path):
    assert soc_of("hisilicon,hi3660-hikey960\0hisilicon,hi3660") == "kirin960"
    assert soc_of("acme,board\0acme,soc9000") is None
    with pytest.raises(DeviceStableError, match="name it: --meter model=SOC"):
        find_meter(tmp_path, "model")
    with pytest.raises(ValueError, match=r"unknown SoC 'sdm84'; did you mean"):
        find_meter(tmp_path, "model=sdm84")
    SocTree(load_profile("gs101"), tmp_path)
    with pytest.raises(DeviceStableError, match=r"no cluster of the SoC's profile|is of another SoC"):
        find_meter(tmp_path, "model=sdm845")


@given(text=st.text() | st.binary().map(lambda b: b.decode(errors="replace")))
def test_any_statistics_are_read_or_refused(text):
    with contextlib.suppress(ValueError):
        assert all(min(khz, ticks) >= 0 for khz, ticks in parse_time_in_state(text).items())


@given(
    ticks=st.dictionaries(st.integers(1, 10), st.integers(0, 10**6)),
    busy=st.floats(0, 8),
    more=st.floats(0, 8),
)
def test_more_busy_cores_never_cost_less(ticks, busy, more):
    busy_mw = {khz: khz * 10.0 for khz in ticks}
    rail = Rail(busy_mw, busy_mw, dict.fromkeys(ticks, 5.0), collapsed_mw=1.0, up_share=0.5)
    least, most = (mean_power_mw(ticks, rail, n) for n in (busy, busy + more))
    assert 0 <= least <= most <= 100 * 16
