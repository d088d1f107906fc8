"""Clocks of clusters, against other programs, on a tree of files."""

import pytest

from tests.runtime.govern.governor.toy import PROFILE, toy


def test_clocks_are_set_given_to_the_kernel_and_put_back(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        assert clocks.set("big", 1_106_000)
        assert clocks.set("mid", 400_000)
        assert (phone.read("big"), phone.read("mid")) == ("1106000", "400000")
        clocks.release("big")
        assert phone.governors() == ["schedutil", "userspace", "schedutil"]
        assert clocks.set("big", 2_850_000)
        assert phone.read("big") == "2850000"
        assert clocks.changes == 4
    assert phone.governors() == ["schedutil"] * 3
    assert not list((tmp_path / "journal").glob("*.json"))


def test_clusters_used_as_one_are_set_together_and_yield_to_who_asks_for_more(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        assert clocks.apply({"mid+big": 1_106_000}) == {"mid+big": 1_106_000}
        assert (phone.read("mid"), phone.read("big")) == ("1024000", "1106000")
        assert clocks.apply({"mid+big": 1_106_000, "mid": 2_253_000}) == {
            "mid+big": 1_106_000,
            "mid": 2_253_000,
        }
        assert (phone.read("mid"), phone.read("big")) == ("2253000", "1106000")
        assert clocks.read_khz("mid+big") == 1_106_000
        clocks.apply({"big": 851_000})
        assert phone.governors() == ["schedutil", "schedutil", "userspace"]
    assert phone.governors() == ["schedutil"] * 3


def test_a_cap_of_one_of_them_caps_the_whole(tmp_path):
    def settle(tree):
        tree.settle()
        current = tree.cpu_dir / "cpufreq/policy4/scaling_cur_freq"
        current.write_text(f"{min(int(current.read_text()), 799_000)}\n")

    phone = toy(tmp_path, settle=settle)
    with phone.clocks as clocks:
        assert clocks.apply({"mid+big": 2_850_000}) == {}
        assert clocks.caps == {"mid": 799_000, "mid+big": 851_000}  # of which mid's nearest is still 799
        assert clocks.apply({"mid+big": 851_000}) == {"mid+big": 851_000}


def test_an_error_inside_puts_everything_back(tmp_path):
    phone = toy(tmp_path)

    def fail():
        with phone.clocks as clocks:
            clocks.set("big", 1_106_000)
            clocks.set("little", 300_000)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert phone.governors() == ["schedutil"] * 3


def test_what_another_program_changes_is_set_again_and_said(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        clocks.set("big", 1_106_000)
        phone.write("big", "scaling_setspeed", 2_850_000)
        clocks.check()
        assert phone.read("big") == "1106000"
        phone.write("big", "scaling_governor", "performance")
        clocks.check()
        assert (phone.read("big"), phone.read("big", "scaling_governor")) == ("1106000", "userspace")
    assert phone.messages == [
        "big was changed to 2850000 kHz by another program; set to 1106000 kHz again",
        "big was changed to 2850000 kHz by another program; set to 1106000 kHz again",
    ]


def test_another_governor_at_the_same_clock_is_noticed(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        clocks.set("big", 2_850_000)
        phone.write("big", "scaling_governor", "performance")
        clocks.check()
        assert phone.read("big", "scaling_governor") == "userspace"


def test_a_program_that_goes_on_is_let_have_its_way_for_a_while(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        clocks.set("big", 1_106_000)
        for second in range(6):
            phone.now.s = float(second)
            phone.write("big", "scaling_setspeed", 2_850_000)
            clocks.check()
        assert "another program set the clock 6 times" in phone.messages[-1]
        assert phone.read("big", "scaling_governor") == "schedutil"
        assert clocks.is_lost("big")
        assert not clocks.set("big", 1_106_000)
        phone.now.s = 10.5
        assert not clocks.is_lost("big")
        assert clocks.set("big", 1_106_000)
    assert phone.governors() == ["schedutil"] * 3


def test_rare_changes_are_no_fight(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks as clocks:
        clocks.set("big", 1_106_000)
        for minute in range(20):
            phone.now.s = 60.0 * minute
            phone.write("big", "scaling_setspeed", 2_850_000)
            clocks.check()
        assert not clocks.is_lost("big")
        assert phone.read("big") == "1106000"


def test_a_clock_that_does_not_get_so_high_is_a_cap_that_is_tried_again(tmp_path):
    hot = [True]

    def settle(tree):
        tree.settle()
        current = tree.cpu_dir / "cpufreq/policy6/scaling_cur_freq"
        if hot[0] and int(current.read_text()) > 984_000:
            current.write_text("984000\n")

    phone = toy(tmp_path, settle=settle)
    with phone.clocks as clocks:
        assert not clocks.set("big", 2_850_000)
        assert clocks.caps == {"big": 984_000}
        assert phone.messages == ["big was set to 2850000 kHz and gets 984000: a limit, as of heat"]
        assert clocks.set("big", 984_000)
        phone.now.s, hot[0] = 2.5, False
        assert clocks.caps == {}
        assert clocks.set("big", 2_850_000)
        assert len(phone.messages) == 1
    assert phone.governors() == ["schedutil"] * 3


def measured(cluster, off):
    """A kernel that measures: what it shows is ``off`` by some kHz."""

    def settle(tree):
        tree.settle()
        policy = tree.cpu_dir / f"cpufreq/policy{PROFILE.cluster(cluster).cpus[0]}"
        shown = int((policy / "scaling_cur_freq").read_text()) + off
        (policy / "scaling_cur_freq").write_text(f"{shown}\n")

    return settle


@pytest.mark.parametrize("off", [-3_000, 2_117])
def test_a_measured_clock_is_the_one_that_was_asked_for(tmp_path, off):
    """APERF and MPERF never give a round figure: every look set the clock again and called it a fight."""
    phone = toy(tmp_path, settle=measured("big", off))
    with phone.clocks as clocks:
        for _ in range(9):
            assert clocks.set("big", 1_106_000)
            clocks.check()
        assert (phone.messages, clocks.caps) == ([], {})
        assert clocks.read_khz("big") == 1_106_000 + off


def test_a_measured_clock_that_is_far_off_is_a_limit(tmp_path):
    phone = toy(tmp_path, settle=measured("big", -200_000))
    with phone.clocks as clocks:
        assert not clocks.set("big", 1_106_000)
        assert clocks.caps == {"big": 906_000}


def test_a_driver_that_only_bounds_is_held_by_its_bounds_and_what_was_read_is_logged(tmp_path):
    phone = toy(tmp_path, bounds_only=True)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        (phone.tree.cpu_dir / "cpufreq/policy4/scaling_cur_freq").write_text("123456\n")  # it idled
        phone.governor.report(session.number, 20.0)
        phone.governor.report(session.number, 20.0)
        assert session.is_trusted
        assert (phone.read("mid", "scaling_min_freq"), phone.read("mid", "scaling_max_freq")) == (
            "799000",
        ) * 2
    assert [(line.freq_khz, line.trusted) for line in phone.lines] == [(799_000, True)] * 2
    assert phone.lines[-1].read_khz == 123_456
    assert not [message for message in phone.messages if "another program" in message]
