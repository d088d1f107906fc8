"""Sessions on one machine: real files of clocks, no sockets."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from runtime.choose.decision import DecisionTable
from runtime.choose.tuning.tune import tune_bundle
from runtime.device.actuators import family_of, move
from runtime.device.setting import Setting
from runtime.device.soc import PowerFigure
from runtime.errors import BundleError, DeviceStableError
from runtime.govern.governor.tables import capacity_rows, policy_rows
from runtime.targets.target import settings_of
from tests.runtime.govern.governor.toy import PROFILE, TABLE, row, toy
from tests.runtime.phone import BIG, Phone, make_bundle, make_records
from tests.runtime.phone import PROFILE as TOY_PROFILE

# The toy phone with one CPU in each cluster that frames run on, both of this machine.
PROFILE_OF_TWO = replace(
    PROFILE,
    clusters=tuple(
        replace(cluster, cpus=(cpu,)) for cluster, cpu in zip(PROFILE.clusters, (2, 0, 1), strict=True)
    ),
)


def frames(phone, session, latency_ms, count=1):
    for _ in range(count):
        phone.now.s += 1 / 30
        phone.governor.report(session.number, latency_ms)


def test_a_session_gets_its_clock_and_cores_and_they_are_released(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7, 8), 33.3)
        assert phone.read("mid") == "799000"
        assert phone.moved == [((7, 8), (5,))]
        frames(phone, session, 20.0, 3)
        assert len(phone.moved) == 1
        phone.governor.close(session.number)
        assert phone.governors() == ["schedutil"] * 3


def test_a_slow_frame_moves_the_threads_and_lets_the_cluster_it_leaves_go(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        frames(phone, session, 60.0, 2)
        assert phone.read("mid") == "799000"  # the first frame found cold caches, and one is no slower device
        frames(phone, session, 60.0)
        assert (phone.read("big"), phone.governors()) == ("2850000", ["schedutil", "schedutil", "userspace"])
        assert phone.moved[-1] == ((7,), (7,))
    assert [line.late for line in phone.lines] == [True] * 3
    line = phone.lines[0]
    assert (line.cluster, line.freq_khz, line.power_mw, line.trusted) == ("mid", 799_000, 60.0, True)
    assert line.energy_mj == pytest.approx(60.0 * 60.0 / 1000)


def test_of_two_sessions_on_a_cluster_the_most_demanding_wins(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        calm = phone.governor.open(7, (7,), 50.0)
        assert phone.read("mid") == "400000"
        eager = phone.governor.open(9, (9,), 33.3)
        assert phone.read("mid") == "799000"
        assert [cpus for _, cpus in phone.moved] == [(5,), (4,)]
        frames(phone, calm, 20.0, 5)
        assert (
            calm.strategy.slowdown.of_cluster[0] == 1.0
        )  # it learns from the clock it had, not from the one it asked
        assert phone.read("mid") == "799000"
        phone.governor.close(eager.number)
        assert phone.read("mid") == "400000"


def test_sessions_on_two_clusters_have_each_its_own(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        phone.governor.open(7, (7,), 33.3)
        phone.governor.open(9, (9,), 12.0)
        assert (phone.read("mid"), phone.read("big")) == ("799000", "1106000")


def test_untrusted_predictions_leave_clocks_to_the_kernel_and_come_back(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        for power in range(3, 10):
            frames(phone, session, 10.0**power)
        assert session.row is None
        assert phone.governors() == ["schedutil"] * 3
        assert phone.moved[-1][1] == (7,)  # the fastest cores
        assert any("left to the kernel" in message for message in phone.messages)
        assert phone.lines[-1].trusted is False
        assert phone.lines[-1].freq_khz is None
        phone.now.s += 6.0
        frames(phone, session, 10.0)
        assert session.row is not None
        assert "userspace" in phone.governors()


def test_a_clock_that_others_keep_changing_is_left_to_them(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        for _ in range(6):
            phone.now.s += 1.0
            phone.write("mid", "scaling_setspeed", 400_000)
            phone.governor.tick()
        frames(phone, session, 20.0, 2)
        assert session.in_effect is None
        assert phone.read("mid", "scaling_governor") == "schedutil"
        assert phone.lines[-1].trusted is False
        phone.now.s += 10.0
        frames(phone, session, 20.0)
        assert phone.read("mid") == "799000"
    assert phone.governors() == ["schedutil"] * 3


def test_a_session_that_falls_silent_lets_its_clock_go_until_it_speaks_again(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        frames(phone, session, 20.0, 4)
        phone.now.s += 4.9
        phone.governor.tick()
        assert phone.read("mid") == "799000"
        phone.now.s += 0.2
        phone.governor.tick()
        assert phone.governors() == ["schedutil"] * 3
        known = session.strategy.slowdown.is_known
        frames(phone, session, 90.0)
        assert phone.read("mid") == "799000"
        assert (known, session.strategy.slowdown.of_cluster[0]) == (True, 1.0)
        assert [line.trusted for line in phone.lines] == [True] * 4 + [False]


def test_a_program_at_a_fixed_setting_is_let_go_while_it_reports_frames(tmp_path):
    """Its processes kept a core of an emulated machine, so that those of its session were refused another."""
    if not {0, 1} <= os.sched_getaffinity(0):
        pytest.skip("this process may not run on CPUs 0 and 1")
    phone = toy(tmp_path)
    code = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with phone.clocks, subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as program:
        try:
            while len(family_of(program.pid)) < 2:
                time.sleep(0.01)
            family = family_of(program.pid)
            phone.governor.machine._mover = move  # for real, to CPUs that are there
            phone.governor.machine.profile = PROFILE_OF_TWO
            before = affinities(family)
            phone.governor.fix(program.pid, Setting("big", 1_106_000))
            assert affinities(family) == [{1}, {1}]
            session = phone.governor.open(program.pid, family[1:], 33.3)
            assert affinities(family) == [before[0], {0}]
            phone.governor.close(session.number)
            assert affinities(family) == [{1}, {1}]
        finally:
            os.killpg(program.pid, 9)


def affinities(tids):
    return [os.sched_getaffinity(tid) for tid in tids]


def test_a_cap_of_heat_moves_the_session_to_what_is_left(tmp_path):
    def hot(tree):
        tree.settle()
        current = tree.cpu_dir / "cpufreq/policy6/scaling_cur_freq"
        if int(current.read_text()) > 1_106_000:
            current.write_text("1106000\n")

    phone = toy(tmp_path, settle=hot)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 8.0)
        assert phone.read("big") == "1106000"
        assert session.row.setting.freq_khz == 1_106_000
        assert not session.decision.meets_deadline
        assert any("nothing that the cap allows meets 8 ms" in message for message in phone.messages)


def test_a_deadline_that_nothing_keeps_takes_the_fastest(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 1.0)
        assert phone.read("big") == "2850000"
        assert session.decision.reason.startswith("nothing meets 1 ms")
        assert session.strategy.headroom() < 0


@pytest.mark.parametrize("deadline_ms", [0.0, -1.0, float("nan"), float("inf")])
def test_deadlines_that_cannot_be_are_refused(tmp_path, deadline_ms):
    phone = toy(tmp_path)
    with phone.clocks, pytest.raises(ValueError, match="must be a positive number"):
        phone.governor.open(7, (7,), deadline_ms)
    assert phone.governor.sessions == {}


def test_a_silent_program_runs_at_the_policys_setting_until_it_speaks(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        phone.governor.fix(os.getpid(), Setting("big", 1_106_000))
        assert phone.read("big") == "1106000"
        session = phone.governor.open(7, (7,), 33.3)
        assert phone.governors() == ["schedutil", "userspace", "schedutil"]
        phone.governor.close(session.number)
        assert phone.read("big") == "1106000"


def test_a_machine_that_refuses_a_clock_does_not_end_the_frames(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks:
        (phone.tree.cpu_dir / "cpufreq/policy4/scaling_governor").unlink()  # its CPUs went off line
        session = phone.governor.open(7, (7,), 33.3)
        frames(phone, session, 20.0, 3)
        assert session.in_effect is None
        assert sum("scaling_governor" in message for message in phone.messages) == 1


def test_work_nobody_measured_begins_at_the_fastest_and_learns_how_much_it_is(tmp_path):
    power = dict.fromkeys(settings_of(PROFILE, [1]))
    rows = capacity_rows(PROFILE, lambda s: PowerFigure(s.freq_khz / 1e4, "toy"), tuple(power))
    phone = toy(tmp_path, rows, is_relative=True)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        assert phone.read("big") == "2850000"
        for _ in range(60):
            latency_ms = (
                6.0 * 1024 / PROFILE.capacity(session.row.setting.cluster, session.row.setting.freq_khz)
            )
            frames(phone, session, latency_ms)
        assert session.row.latency_high_ms <= 33.3
        assert session.row.setting.freq_khz < 2_850_000
        assert phone.governor.late == 0
        cheaper = [r for r in session.strategy.table.rows if r.energy_mj < session.row.energy_mj]
        assert all(r.latency_high_ms > 33.3 / 1.1 for r in cheaper)


def test_without_power_the_slowest_that_is_in_time_is_taken():
    rows = capacity_rows(PROFILE, lambda setting: None, settings_of(PROFILE, [1])).rows
    latencies_ms = [r.latency_ms for r in rows]
    assert latencies_ms == sorted(latencies_ms, reverse=True)
    assert all(r.energy_mj is None for r in rows)


def test_one_cluster_is_enough(tmp_path):
    only_mid = DecisionTable(TABLE.rows[:2])
    phone = toy(tmp_path, only_mid)
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        frames(phone, session, 60.0, 3)
        assert phone.read("mid") == "799000"
        assert len(phone.moved) == 1


def test_a_machine_without_clocks_has_nothing_to_govern():
    settings = (Setting("big", None), Setting("little", None))
    with pytest.raises(DeviceStableError, match="shows no clocks that may be set"):
        capacity_rows(PROFILE, lambda setting: None, settings)


def test_rows_without_a_clock_choose_cores_only(tmp_path):
    phone = toy(tmp_path, DecisionTable((row("little", None, 40.0, None), row("big", None, 10.0, None))))
    with phone.clocks:
        session = phone.governor.open(7, (7,), 33.3)
        assert (session.is_trusted, phone.moved[-1][1]) == (True, (7,))
        assert phone.governors() == ["schedutil"] * 3


@pytest.fixture
def policy(tmp_path):
    bundle, target = make_bundle(tmp_path), Phone()
    return tune_bundle(bundle, target, 30, records=make_records(bundle, target))[1]


def test_rows_of_a_policy_are_those_of_its_variant_and_threads(policy):
    rows = policy_rows(policy, TOY_PROFILE)
    assert {r.setting.threads for r in rows.rows} == {policy.setting.threads}
    assert rows.rows[rows.decide(policy.deadline_ms)].setting == policy.setting
    with pytest.raises(ValueError, match="no setting with 4 threads; choose one of: 1"):
        policy_rows(policy, TOY_PROFILE, threads=4)


def test_a_policy_of_another_device_is_refused(policy):
    with pytest.raises(BundleError, match="is for another device"):
        policy_rows(policy, PROFILE)
    from dataclasses import replace

    fewer = replace(TOY_PROFILE, clusters=(TOY_PROFILE.clusters[0], replace(BIG, opps=BIG.opps[:2])))
    with pytest.raises(BundleError, match=r"cluster 'big' has no clock of .*bench and tune on this one"):
        policy_rows(policy, fewer)
