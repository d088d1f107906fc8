"""Sessions whose threads span clusters of like cores."""

from dataclasses import replace

from runtime.choose.decision import DecisionTable
from runtime.choose.decision.controller import Controller
from tests.runtime.govern.governor.toy import row, toy


def spanning(freq_khz, latency_ms, power_mw):
    one = row("mid+big", freq_khz, latency_ms, power_mw)
    return replace(one, setting=replace(one.setting, threads=3))


BOTH = DecisionTable((spanning(500_000, 40.0, 60.0), spanning(1_106_000, 18.0, 300.0)))


def clocks(phone):
    return phone.read("mid"), phone.read("big")


def test_a_session_gets_the_clocks_and_cores_of_both_clusters_and_they_are_released(tmp_path):
    phone = toy(tmp_path, rows=BOTH)
    with phone.clocks:
        session = phone.governor.open(7, (7, 8, 9), 33.3)
        assert clocks(phone) == ("1024000", "1106000")
        assert phone.moved == [((7, 8, 9), (5, 6, 7))]
        for _ in range(3):
            phone.now.s += 1 / 30
            phone.governor.report(session.number, 18.0)
        assert len(phone.moved) == 1
        line = phone.lines[-1]
        assert (line.cluster, line.freq_khz, line.power_mw) == ("mid+big", 1_106_000, 300.0)
        assert (line.read_khz, line.trusted) == (1_106_000, True)
        phone.governor.close(session.number)
        assert phone.governors() == ["schedutil"] * 3


def test_beside_a_session_on_one_of_the_clusters_each_has_at_least_its_clock(tmp_path):
    tables = iter((BOTH, DecisionTable((row("big", 2_850_000, 5.0, 1400.0),))))
    phone = toy(tmp_path, strategies=lambda deadline_ms, period_ms: Controller(next(tables), deadline_ms))
    with phone.clocks:
        wide = phone.governor.open(7, (7, 8, 9), 33.3)
        fast = phone.governor.open(8, (70,), 8.0)
        assert clocks(phone) == ("1024000", "2850000")
        assert wide.is_trusted
        phone.governor.close(fast.number)
        assert clocks(phone) == ("1024000", "1106000")
