"""Settings that what is assumed of the power cannot tell apart."""

from runtime.choose.policy.estimate import Estimate, Option
from runtime.choose.policy.goal import Goal
from runtime.choose.tuning.choice import choose
from runtime.choose.tuning.regret import explain_regret
from runtime.device.setting import Setting
from runtime.device.soc import Cluster, Opp, SocProfile
from runtime.device.soc.account import work_mj
from runtime.device.soc.power import setting_power

MID = Setting("mid", 696_000)


def rail(name, cpus, khz, power_mw, **facts):
    opp = Opp(khz, power_mw=power_mw, **facts)
    return Cluster(name, "cortex-a76", cpus, (opp,), power_source="measured: x", power_basis="rail")


def tie(latencies_ms, *clusters, goal=None):
    """Return the words for a choice between settings of these latencies, and the chosen setting."""
    profile = SocProfile("toy", "", "", clusters)
    goal = goal or Goal("awake", 30.0, 1000.0 / 30.0)

    def power(option):
        return setting_power(profile, option.setting)

    def model(options):
        return [
            Estimate("v", o.setting, ms, ms, ms, power(o).power_mw, work_mj(power(o).power_mw, ms))
            for o in options
            for ms in [latencies_ms[o.setting]]
        ]

    choice = choose([Option("v", setting) for setting in latencies_ms], model, goal)
    return explain_regret(choice, goal, power), choice.chosen.setting


def test_idle_power_that_decides_is_named_a_tie():
    big = rail("big", (6, 7), 500_000, 39.0, idle_mw=14.0)  # 39 or 53 mW: is it woken for the work alone?
    mid = rail("mid", (4, 5), 696_000, 36.0, idle_mw=8.0)
    words, chosen = tie({Setting("big", 500_000): 20.0, MID: 23.0}, mid, big)
    assert chosen == MID
    assert words.startswith(
        "mid @ 696 MHz x1 or big @ 500 MHz x1: a tie within what is known of the power, the other "
    )
    # 44 mW x 23 ms = 1.012 mJ, against 39 mW x 20 ms = 0.78 mJ.
    assert "may take up to 23 % less" in words


def test_a_choice_that_stands_whatever_is_assumed_says_nothing():
    big = rail("big", (6, 7), 500_000, 390.0, idle_mw=14.0)
    mid = rail("mid", (4, 5), 696_000, 36.0, idle_mw=8.0)
    assert tie({Setting("big", 500_000): 20.0, MID: 23.0}, mid, big) == ("", MID)


def test_thread_counts_are_not_decided_by_one_boards_further_core():
    mid = rail("mid", (4, 5), 696_000, 40.0, idle_mw=0.0)
    two = Setting("mid", 696_000, 2)
    words, chosen = tie({MID: 30.0, two: 17.5}, mid)  # worth it below +71 % for the second core
    assert chosen == MID
    assert words.startswith("mid @ 696 MHz x1 or mid @ 696 MHz x2: a tie")
    assert tie({MID: 30.0, two: 10.0}, mid) == ("", two)  # threefold: whatever the core adds


def test_where_no_energy_is_weighed_nothing_is_said():
    mid = rail("mid", (4, 5), 696_000, 40.0)
    goal = Goal("latency", 30.0, 1000.0 / 30.0)
    assert tie({MID: 30.0, Setting("mid", 696_000, 2): 17.5}, mid, goal=goal)[0] == ""
