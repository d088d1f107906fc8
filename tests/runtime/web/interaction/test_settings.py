from dataclasses import replace

from runtime.device.setting import Setting
from runtime.device.soc import load_profile
from runtime.web.interaction.settings import drawn_settings, spread_settings

PHONE = load_profile("exynos5422")


def test_clocks_are_spread_from_the_slowest_to_the_fastest_of_each_cluster():
    settings = spread_settings(PHONE, 3)
    assert [(s.cluster, s.freq_khz // 1000) for s in settings] == [
        ("little", 200), ("little", 800), ("little", 1400), ("big", 200), ("big", 1100), ("big", 2000),
    ]  # fmt: skip
    assert {s.freq_khz for s in spread_settings(PHONE, 1)} == {1_400_000, 2_000_000}
    assert len(spread_settings(PHONE, 99)) == sum(len(cluster.opps) for cluster in PHONE.clusters)


def test_pages_draw_the_fastest_setting_and_one_of_each_part_of_the_capacities():
    drawn = [drawn_settings(PHONE, 3, 54.0, f"0 page-{number}") for number in range(60)]
    assert all(settings[0] == drawn[0][0] for settings in drawn)
    assert (drawn[0][0].cluster, drawn[0][0].freq_khz) == ("big", 2_000_000)
    assert all(len(settings) == 4 for settings in drawn)
    for settings in drawn:
        capacities = [PHONE.capacity(s.cluster, s.freq_khz) for s in settings[1:]]
        assert capacities == sorted(capacities)
        assert capacities[0] >= 54
    assert len({setting for settings in drawn for setting in settings}) >= 20  # of 32: between them, most


def test_where_clocks_are_the_kernel_s_choice_each_cluster_is_a_setting():
    unclocked = replace(PHONE, clusters=tuple(replace(each, opps=()) for each in PHONE.clusters))
    assert drawn_settings(unclocked, 3, 54.0, "0 a") == (Setting("little", None), Setting("big", None))
    big = PHONE.clusters[-1]
    one = replace(PHONE, clusters=(replace(big, opps=big.opps[-1:]),))
    assert drawn_settings(one, 3, 54.0, "0 a") == (Setting("big", 2_000_000),)


def test_a_page_draws_the_same_settings_again():
    assert drawn_settings(PHONE, 4, 54.0, "0 a") == drawn_settings(PHONE, 4, 54.0, "0 a")
