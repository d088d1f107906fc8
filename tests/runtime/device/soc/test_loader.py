import pytest

from runtime.device.soc import CORES, list_profiles, load_profile
from runtime.errors import DataError

MINE = """
name = "mine"
title = "My board"
board = "on my desk"
[[clusters]]
name = "cpu"
core = "cortex-a53"
cpus = [0, 1]
opps = [{ freq_khz = 1000 }, { freq_khz = 2000, voltage_uv = 900000 }]
"""


def test_the_profiles_that_come_along():
    assert list_profiles() == [
        "a311d", "bcm2712", "exynos5422", "gs101", "gs201", "kirin960", "msm8998", "rk3399", "rk3568",
        "rk3588", "sdm845", "sm7150ab", "sm8150", "sm8250", "sm8350", "tegra234", "zuma", "zumapro",
    ]  # fmt: skip


@pytest.mark.parametrize("name", list_profiles())
def test_every_profile_names_its_sources_and_has_cores_of_known_speed(name):
    profile = load_profile(name)
    assert profile.name == name
    assert profile.sources
    assert all(cluster.core in CORES and cluster.opps for cluster in profile.clusters)
    for cluster in profile.clusters:
        assert (cluster.voltage_source is not None) == any(opp.voltage_uv for opp in cluster.opps)


def test_figures_are_carried_over_as_published():
    big = load_profile("sm8150").cluster("big")
    assert (big.cpus, big.capacity_dmips_mhz, big.power_coefficient) == ((7,), 1024, 421)
    opp = big.opp(2841600)
    assert (opp.voltage_uv, opp.coremark) == (984000, 22147.4)
    # freqbench's column, which is over the least sample of the idle phone, says 1091.64.
    assert 1040 < opp.power_mw < 1085


def test_rails_hold_active_less_idle_at_the_same_clock():
    little = load_profile("gs101").cluster("little")
    assert (little.power_kind, little.power_basis) == ("net", "rail")
    assert (little.opp(300000).power_mw, little.opp(300000).idle_mw) == (17.08, 39.04)  # 56.12 active
    zuma = load_profile("zuma")
    assert (zuma.cluster("mid").power_kind, zuma.cluster("mid").opp(402000).power_mw) == ("gross", 29.84)
    assert zuma.cluster("big").collapsed_mw == 0.88


@pytest.mark.parametrize("name", list_profiles())
def test_every_power_says_what_it_holds(name):
    profile = load_profile(name)
    assert profile.unlike_bases is None
    metered = [cluster for cluster in profile.clusters if any(opp.power_mw for opp in cluster.opps)]
    assert all(c.power_kind and c.power_basis and c.power_method and c.power_file for c in metered)
    assert not any("assumed net" in note for note in profile.notes)


def test_a_table_that_does_not_say_is_assumed_net_by_name(tmp_path):
    path = tmp_path / "mine.toml"
    power = MINE.replace("freq_khz = 2000,", "freq_khz = 2000, power_mw = 300,").replace(
        'core = "cortex-a53"', 'core = "cortex-a53"\npower_source = "mine"'
    )
    path.write_text(power)
    assert any("power of cpu: assumed net of the idle device" in n for n in load_profile(path).notes)
    path.write_text(power.replace("cpus = ", 'power_kind = "netto"\ncpus = '))
    with pytest.raises(DataError, match="netto"):
        load_profile(path)


def test_what_nobody_published_stays_unknown():
    assert load_profile("sdm845").cluster("big").opp(300000).voltage_uv is None
    assert load_profile("kirin960").cluster("big").power_source is None  # only drafts exist
    assert load_profile("gs101").cluster("big").opp(2850000).voltage_uv is None


def test_rows_that_cannot_be_true_are_listed_and_not_used():
    profile = load_profile("sm8150")
    assert [(row.cluster, row.freq_khz) for row in profile.left_out] == [
        ("little", 499200), ("little", 576000), ("mid", 710400), ("big", 825600),
    ]  # fmt: skip
    assert profile.cluster("big").opp(825600).power_mw is None
    assert any(note.startswith("left out: big 825.6 MHz at ") for note in profile.notes)


def test_a_profile_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    assert load_profile(path).cluster("cpu").max_khz == 2000


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(ValueError, match=r"unknown SoC 'sdm485'; did you mean sdm845"):
        load_profile("sdm485")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0, 1]", "[0, 1", "not valid TOML"),
        ("voltage_uv = 900000", "voltage_uv = null", "not valid TOML"),
        ("freq_khz = 2000", "freq_khz = 500", "each must be above the one before"),
        ("opps = [{ freq_khz = 1000 }, { freq_khz = 2000, voltage_uv = 900000 }]", "", "has no opps"),
        ("voltage_uv", "volts", "key 'volts'; allowed there: coremark, freq_khz, idle_mw, power_mw"),
        ('core = "cortex-a53"', "core = 53", "not a SoC profile"),
        ("cpus = [0, 1]", "cpus = []", "distinct CPU numbers"),
    ],
)
def test_a_bad_profile_gives_one_line(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(old, new))
    with pytest.raises(DataError, match=message) as caught:
        load_profile(path)
    assert str(caught.value).startswith("mine.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read the profile"):
        load_profile(tmp_path / "none.toml")
