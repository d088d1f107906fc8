"""Clusters of like cores used as one."""

from dataclasses import replace

import pytest

from runtime.device.setting import Setting
from runtime.device.soc import load_profile, modelled_latency_ms, power_mw
from runtime.device.soc.generic import generic_profile
from runtime.device.soc.span import check_threads, span_for
from runtime.targets.target import settings_of
from tests.runtime.phone import WORKLOAD

SM8150 = load_profile("sm8150")  # little 0-3; mid 4-6 up to 2419.2 MHz; big 7 up to 2841.6
BOTH = SM8150.cluster("big+mid")
FOUR_KINDS = "generic:3xcortex-a510@2000+2xcortex-a710@2800+2xcortex-a715@2800+1xcortex-x3@3200"


def test_a_span_has_the_cpus_of_all_and_the_clocks_of_the_fastest():
    assert (BOTH.name, BOTH.cpus) == ("mid+big", (4, 5, 6, 7))
    assert BOTH.max_khz == SM8150.cluster("big").max_khz
    assert BOTH.members[0].nearest_khz(2_841_600) == 2_419_200
    assert BOTH.members[0].nearest_khz(2_131_200) == 2_131_200


@pytest.mark.parametrize(("threads", "cpus"), [(2, (6, 7)), (3, (5, 6, 7)), (4, (4, 5, 6, 7))])
def test_threads_fill_the_fastest_member_first(threads, cpus):
    check_threads(BOTH, threads)
    assert BOTH.place(threads) == cpus


def test_other_sessions_cpus_are_left_to_them():
    assert SM8150.cluster("mid+big").place(2, [(6,)]) == (5, 7)


@pytest.mark.parametrize("threads", [1, 5])
def test_each_member_runs_a_thread(threads):
    with pytest.raises(ValueError, match="allowed on 'mid\\+big': 2 to 4"):
        check_threads(BOTH, threads)


def test_little_and_big_cores_are_never_one():
    with pytest.raises(ValueError, match=r"little's kryo-485-silver runs instructions in order"):
        settings_of(SM8150, (4,), ("little+big",))
    unknown = replace(SM8150, clusters=tuple(replace(c, core="aarch64") for c in SM8150.clusters))
    assert span_for(unknown, 4) is None
    with pytest.raises(ValueError, match="nothing is known of mid's cores"):
        settings_of(unknown, (4,), ("mid+big",))


@pytest.mark.parametrize(
    ("soc", "threads", "name"),
    [
        ("sm8150", 3, None),  # mid has three
        ("sm8150", 4, "mid+big"),
        ("gs101", 3, "mid+big"),
        ("gs101", 5, None),
        ("sdm845", 5, None),  # its other cluster is little
        ("generic:4xcortex-a53@1500+4xcortex-a53@2000", 8, "little+big"),
        (FOUR_KINDS, 3, "cluster2+cluster3"),
        (FOUR_KINDS, 5, "cluster1+cluster2+cluster3"),
    ],
)
def test_threads_that_no_cluster_holds_are_offered_on_several(soc, threads, name):
    found = span_for(load_profile(soc), threads)
    assert (found and found.name) == name


def test_settings_of_a_span_are_offered_where_they_are_needed_and_asked_for_by_name():
    offered = {s.cluster for s in settings_of(SM8150, (4,))}
    assert offered == {"little", "mid+big"}
    assert {s.cluster for s in settings_of(SM8150, (2, 3))} == {"little", "mid"}
    asked = settings_of(SM8150, (2,), ("mid+big",))
    assert asked[0] == Setting("mid+big", 825_600, 2)
    with pytest.raises(ValueError, match=r"threads is \[1\]; the clusters of sm8150 run: mid\+big 2 to 4"):
        settings_of(SM8150, (1,), ("mid+big",))


def test_power_is_the_sum_of_the_clusters_each_at_its_nearest_clock():
    whole = power_mw(BOTH, 2_841_600, 4)
    mid, big = power_mw(SM8150.cluster("mid"), 2_419_200, 3), power_mw(SM8150.cluster("big"), 2_841_600)
    assert whole.power_mw == pytest.approx(mid.power_mw + big.power_mw)
    assert whole.source.startswith("measured: the sum of 2 clusters")


def test_latency_lies_between_that_of_its_clusters_alone():
    both = modelled_latency_ms(WORKLOAD, SM8150, Setting("mid+big", 2_841_600, 4))
    assert both < modelled_latency_ms(WORKLOAD, SM8150, Setting("mid", 2_419_200, 3))
    # Four of the slower cores bound it above, four of the faster ones below.
    slow, fast = (
        modelled_latency_ms(
            WORKLOAD, generic_profile(f"generic:4xkryo-485-gold@{mhz}"), Setting("cpu", None, 4)
        )
        for mhz in (2419, 2842)
    )
    assert fast < both < slow


def test_equal_clusters_together_are_as_one_of_them():
    two = generic_profile("generic:2xcortex-a76@2400+2xcortex-a76@2400")
    one = generic_profile("generic:4xcortex-a76@2400")
    assert modelled_latency_ms(WORKLOAD, two, Setting("little+big", None, 4)) == pytest.approx(
        modelled_latency_ms(WORKLOAD, one, Setting("cpu", None, 4))
    )


def test_capacity_is_the_mean_of_the_cpus():
    mid, big = SM8150.capacity("mid"), SM8150.capacity("big")
    assert SM8150.capacity("mid+big") == pytest.approx((3 * mid + big) / 4)
