"""Sessions of gestures: a setting that the program names, for threads of any of its user's processes."""

import os
import subprocess
import sys

import pytest

from runtime.choose.decision import DecisionTable
from runtime.govern.governor import peer
from runtime.govern.governor.client import Gestures
from runtime.govern.governor.gestures import HeldStrategy
from runtime.govern.governor.server import Server
from tests.runtime.govern.governor.talk import OWN, Talk, in_a_thread
from tests.runtime.govern.governor.toy import TABLE, row, toy

ROWS = DecisionTable((row("little", 300_000, 60.0, 10.0), *TABLE.rows))


@pytest.fixture
def phone(tmp_path):
    phone = toy(tmp_path, hold=lambda cluster, freq_khz: HeldStrategy(ROWS, cluster, freq_khz))
    server = Server(phone.governor, tmp_path / "g.sock", now=phone.now, on_message=phone.messages.append)
    with phone.clocks, server:
        phone.server = server
        yield phone


def opened(phone, tids=OWN, cluster="little", freq_khz=300_000):
    talk = Talk(phone)
    answer = talk.ask(do="open_gestures", tids=tids, cluster=cluster, freq_khz=freq_khz, name="browser")
    return talk, answer


def test_a_gesture_runs_at_the_setting_that_was_named_and_the_next_one_at_another(phone):
    talk, answer = opened(phone)
    assert (answer["ok"], answer["cluster"], answer["freq_khz"]) == (True, "little", 300_000)
    assert phone.moved == [((OWN[0],), (3,))]
    assert talk.ask(do="hold", cluster="big", freq_khz=2_850_000)["meets_deadline"]
    assert (phone.read("big"), phone.governors()) == ("2850000", ["schedutil", "schedutil", "userspace"])
    assert phone.moved[-1] == ((OWN[0],), (7,))
    assert talk.ask(do="hold", cluster="big", freq_khz=1_106_000)["ok"]
    assert (phone.read("big"), len(phone.moved)) == ("1106000", 2)  # the same cores
    talk.socket.close()
    phone.server.step(5)
    assert phone.governors() == ["schedutil"] * 3


def test_a_report_tells_of_all_frames_of_a_gesture(phone):
    talk, _ = opened(phone)
    talk.ask(do="hold", cluster="mid", freq_khz=799_000)
    assert talk.ask(do="report_gesture", frames=150, late=7)["freq_khz"] == 799_000
    governor = phone.governor
    assert (governor.frames, governor.late, governor.untrusted) == (150, 7, 0)
    assert governor.frames_at == {"mid @ 799 MHz x1": 150}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"do": "hold", "cluster": "huge", "freq_khz": 1}, "clusters: little, mid, big"),
        ({"do": "hold", "cluster": "mid", "freq_khz": 5}, "its clocks in kHz: [400000, 799000]"),
        ({"do": "hold"}, "not a request"),
        ({"do": "report_gesture", "frames": 3, "late": 4}, "4 late of 3 frames"),
        ({"do": "report_gesture", "frames": 10**9}, "allowed: 0 to 1,000,000"),
        ({"do": "use_threads", "tids": []}, "1 to 4096 threads"),
        ({"do": "use_threads", "tids": [2**22 - 1]}, "there is no thread 4194303"),
        ({"do": "update_deadline", "deadline_ms": 5.0}, "has no deadline"),
        ({"do": "headroom"}, "no headroom"),
    ],
)
def test_what_a_session_of_gestures_cannot_do_is_refused_and_it_goes_on(phone, request_, why):
    talk, _ = opened(phone)
    answer = talk.ask(**request_)
    assert not answer["ok"]
    assert why in answer["error"]
    assert talk.ask(do="hold", cluster="mid", freq_khz=799_000)["ok"]


def test_threads_that_ended_since_they_were_listed_are_passed_over(phone):
    talk, _ = opened(phone)
    assert talk.ask(do="use_threads", tids=[*OWN, 2**22 - 1])["ok"]
    assert talk.ask(do="hold", cluster="mid", freq_khz=799_000)["ok"]


def test_a_session_of_frames_holds_no_settings(phone):
    talk = Talk(phone)
    talk.ask(do="open", tids=OWN, deadline_ms=33.3)
    for request in (
        {"do": "hold", "cluster": "mid", "freq_khz": 799_000},
        {"do": "use_threads", "tids": OWN},
    ):
        assert "session of frames" in talk.ask(**request)["error"]


def test_a_limit_gives_the_fastest_setting_of_the_cluster_that_is_left_and_says_so(phone):
    held = HeldStrategy(ROWS, "big", 2_850_000)
    assert held.decide(0.0).meets_deadline
    held.caps = {"big": 2_000_000}
    lower = held.decide(0.0)
    assert (ROWS.rows[lower.row].setting.freq_khz, lower.meets_deadline) == (1_106_000, False)
    assert lower.reason == "big @ 2850 MHz x1 is above the limit of now: big @ 1106 MHz x1 instead"
    assert held.decide(0.0).reason == ""  # said once
    held.max_power_mw = 100.0  # nothing of the cluster is left
    assert ROWS.rows[held.decide(0.0).row].setting.cluster == "mid"


def test_the_pause_between_two_gestures_is_no_reason_to_let_the_clock_go_but_a_hung_program_is(phone):
    talk, _ = opened(phone)
    phone.now.s += 50
    phone.governor.tick()
    assert phone.read("little") == "300000"
    talk.ask(do="hold", cluster="little", freq_khz=300_000)
    phone.now.s += 50
    phone.governor.tick()
    assert phone.governors()[0] == "userspace"
    phone.now.s += 20
    phone.governor.tick()
    assert phone.governors()[0] == "schedutil"
    talk.ask(do="hold", cluster="little", freq_khz=300_000)
    assert phone.governors()[0] == "userspace"


def test_threads_of_the_user_s_other_processes_may_be_held_but_no_one_else_s(phone, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        talk, answer = opened(phone, [os.getppid()])  # not started by this process
        assert answer["ok"]
        assert talk.ask(do="use_threads", tids=[child.pid])["ok"]
        assert [tids for tids, _ in phone.moved] == [(os.getppid(),), (child.pid,)]
        other = peer.Peer(os.getpid(), 12_345)
        with pytest.raises(peer.PermissionNeeded, match=rf"it is user {os.getuid()}'s"):
            peer.check_user_threads(other, [child.pid])
    finally:
        child.communicate()


def test_a_program_holds_settings_through_the_client(phone):
    with (
        in_a_thread(phone.server) as path,
        Gestures(OWN, "little", 300_000, name="browser", path=path) as gestures,
    ):
        assert gestures.hold("mid", 400_000)["freq_khz"] == 400_000
        gestures.report(120, 3)
        gestures.use_threads(OWN)
        assert gestures.problem == ""
        assert gestures.hold("mid", 5)["ok"] is False
        assert "its clocks in kHz" in gestures.problem
        assert gestures.is_governed
    assert phone.governor.frames == 120
    with in_a_thread(phone.server) as path, pytest.raises(ValueError, match="there is no setting"):
        Gestures(OWN, "mid", 5, path=path)
    without = Gestures(OWN, "mid", 5, path="/nowhere")
    assert (without.is_governed, without.hold("mid", 5)) == (False, {})
