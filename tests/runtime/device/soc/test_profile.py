import pytest

from runtime.device.soc import Cluster, Opp, SocProfile


def cluster(name="big", cpus=(0,), clocks=(1000, 2000), **more):
    return Cluster(name, "cortex-a76", cpus, tuple(Opp(khz) for khz in clocks), **more)


def test_capacity_is_the_kernels_formula():
    little = cluster("little", (0, 1), (500, 1000), capacity_dmips_mhz=512)
    big = cluster("big", (2,), (1000, 2000), capacity_dmips_mhz=1024)
    profile = SocProfile("toy", "Toy", "none", (little, big))
    assert profile.capacity("big", 2000) == 1024
    assert profile.capacity("big", 1000) == 512
    assert profile.capacity("little") == 256  # 1024 * 512 * 1000 / (1024 * 2000)
    assert profile.capacity(little, 500) == 128


def test_a_machine_without_clocks_has_full_capacity_and_no_highest_clock():
    profile = SocProfile("local", "this", "here", (cluster(clocks=()),))
    assert profile.capacity("big") == 1024
    assert profile.cluster("big").max_khz is None


def test_an_unknown_cluster_and_clock_name_what_there_is():
    profile = SocProfile("toy", "Toy", "none", (cluster(),))
    with pytest.raises(ValueError, match="no cluster 'huge'; choose one of: big"):
        profile.cluster("huge")
    with pytest.raises(ValueError, match="no clock of 1500 kHz; choose one of: 1000, 2000"):
        profile.cluster("big").opp(1500)
    with pytest.raises(ValueError, match="shows no clocks, got 1500 kHz"):
        cluster(clocks=()).opp(1500)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cluster(clocks=(2000, 1000)), "each must be above the one before"),
        (lambda: cluster(clocks=(1000, 1000)), "each must be above the one before"),
        (lambda: cluster(cpus=()), "distinct CPU numbers"),
        (lambda: cluster(cpus=(1, 1)), "distinct CPU numbers"),
        (lambda: Opp(0), "positive number of kHz"),
        (lambda: Opp(1000, voltage_uv=-1), "must not be negative"),
        (lambda: Cluster("big", "x", (0,), capacity_dmips_mhz=10**400), "capacity_dmips_mhz outside 0 to"),
        (lambda: Cluster("big", "cortex-a76", (0,), (Opp(1000, power_mw=5),)), "no power_source"),
        (
            lambda: Cluster(
                "big", "x", (0,), (Opp(1000, power_mw=5, idle_mw=6),), power_source="x", power_kind="gross"
            ),
            r"takes \[6, 5\] mW collapsed, idle and busy at 1000 kHz",
        ),
        (
            lambda: Cluster("big", "x", (0,), (Opp(1000, idle_mw=6),), collapsed_mw=7),
            r"takes \[7, 6\] mW collapsed, idle and busy",
        ),
        (lambda: SocProfile("toy", "Toy", "none", ()), "at least one"),
        (lambda: SocProfile("toy", "Toy", "none", (cluster(), cluster(cpus=(1,)))), "names distinct"),
        (lambda: SocProfile("toy", "Toy", "none", (cluster(), cluster("mid"))), "lists a CPU twice"),
    ],
)
def test_impossible_profiles_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
