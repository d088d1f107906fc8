"""Real sockets and real peers; the machine is a tree of files."""

import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import DeviceStableError, DeviceTransientError, PermissionNeeded
from runtime.govern.governor import messages as m
from runtime.govern.governor import peer
from runtime.govern.governor.client import Session
from runtime.govern.governor.lock import only_one
from runtime.govern.governor.server import Server
from tests.runtime.govern.governor.talk import OWN, Talk, in_a_thread
from tests.runtime.govern.governor.toy import toy
from tests.runtime.made_by_0_1_0 import OLD


@pytest.fixture
def phone(tmp_path):
    phone = toy(tmp_path)
    server = Server(phone.governor, tmp_path / "g.sock", now=phone.now, on_message=phone.messages.append)
    with phone.clocks, server:
        phone.server = server
        yield phone


def test_a_session_over_the_socket(phone):
    talk = Talk(phone)
    opened = talk.ask(do="open", tids=OWN, deadline_ms=33.3, name="camera")
    assert opened == {
        "ok": True,
        "cluster": "mid",
        "freq_khz": 799_000,
        "meets_deadline": True,
        "meets_target": True,
        "trusted": True,
        "reason": "mid @ 799 MHz x1 is the cheapest that meets 33.3 ms (22 ms at most)",
    }
    assert talk.ask(do="report", actual_ms=60.0)["freq_khz"] == 799_000  # just moved: cold caches
    assert talk.ask(do="report", actual_ms=32.0)["freq_khz"] == 799_000  # one outlier is no slower device
    assert talk.ask(do="report", actual_ms=32.0)["freq_khz"] == 1_106_000
    assert talk.ask(do="update_deadline", deadline_ms=1000.0)["freq_khz"] == 400_000
    assert talk.ask(do="headroom")["headroom"] == pytest.approx(1 - 5.0 * 1.8 / 1000, abs=0.01)
    assert phone.lines[0].latency_ms == 60.0


def test_the_words_of_older_clients_are_understood(phone):
    """As copies of the client file send and read them."""
    talk = Talk(phone)
    opened = talk.ask(do="open", tids=OWN, target_ms=33.3, name="update_target", period_ms=33.3)
    assert (opened["freq_khz"], opened["meets_target"]) == (799_000, True)
    assert [session.name for session in phone.governor.sessions.values()] == ["update_target"]
    assert talk.ask(do="begin", left_ms=31.0)["ok"]
    assert talk.ask(do="report", actual_ms=20.0, late=False)["ok"]
    assert talk.ask(do="update_target", target_ms=1000.0)["freq_khz"] == 400_000


def test_a_client_that_dies_ends_its_session(phone):
    talk = Talk(phone)
    talk.ask(do="open", tids=OWN, deadline_ms=33.3)
    assert phone.governors()[1] == "userspace"
    talk.socket.close()
    phone.server.step(5)
    assert phone.governor.sessions == {}
    assert phone.governors() == ["schedutil"] * 3


def test_a_client_that_dies_in_the_middle_of_a_word(phone):
    talk, other = Talk(phone), Talk(phone)
    talk.send(b'{"do": "open", "tids": [')
    talk.socket.close()
    phone.server.step(5)
    assert other.ask(do="open", tids=OWN, deadline_ms=33.3)["ok"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello", "not a request"),
        (b"[1, 2]", "not a request"),
        (b'{"do": "dance"}', "not a request"),
        (b'{"do": "open", "tids": [], "deadline_ms": 5}', "1 to 4096 threads"),
        (b'{"do": "open", "tids": [1], "deadline_ms": -5}', "deadline_ms is -5"),
        (b'{"do": "open", "tids": [1], "deadline_ms": 1e999}', "not a request"),
        (b'{"do": "open", "tids": [1], "deadline_ms": 5, "name": "\\u001b[31m"}', "cannot be printed"),
        (b'{"do": "report", "actual_ms": 5}', "no session yet"),
        (b"\xff\xfe\x00", "not a request"),
        (b"", "not a request"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_the_connection_goes_on(phone, line, why):
    talk = Talk(phone)
    talk.send(line + b"\n")
    answer = talk.answer()
    assert not answer["ok"]
    assert why in answer["error"]
    assert talk.ask(do="open", tids=OWN, deadline_ms=33.3)["ok"]
    assert not talk.ask(do="report", actual_ms=0)["ok"]
    assert "a session already" in talk.ask(do="open", tids=OWN, deadline_ms=33.3)["error"]


def test_threads_of_another_process_are_refused(phone):
    answer = Talk(phone).ask(do="open", tids=[*OWN, os.getppid()], deadline_ms=33.3)
    assert answer["error"].startswith(f"thread {os.getppid()} is not one of process {os.getpid()}")
    assert not Talk(phone).ask(do="open", tids=[2**22 - 1], deadline_ms=33.3)["ok"]  # there is none
    assert phone.moved == []


def test_threads_of_a_process_that_it_started_are_its_own(phone):
    inner = "import os; print(os.getpid(), flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    child = subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        grandchild = int(child.stdout.readline())
        assert Talk(phone).ask(do="open", tids=[grandchild], deadline_ms=33.3)["ok"]
        assert phone.moved == [((grandchild,), (5,))]
    finally:
        child.communicate("\n")


def test_threads_that_cannot_be_moved_are_in_the_answer(phone, monkeypatch):
    """They stayed half on each cluster, and the answer said ok."""

    def refuse(tids, cpus):
        raise DeviceStableError(f"cannot move thread {tids[0]} to CPUs {list(cpus)} (busy)")

    monkeypatch.setattr(phone.governor.machine, "_mover", refuse)
    talk = Talk(phone)
    answer = talk.ask(do="open", tids=OWN, deadline_ms=33.3)
    assert (answer["ok"], answer["trusted"]) == (True, False)
    assert answer["unmoved"] == f"cannot move thread {OWN[0]} to CPUs [5] (busy)"
    monkeypatch.undo()
    monkeypatch.setattr(phone.governor.machine, "_mover", lambda tids, cpus: None)
    assert "unmoved" not in talk.ask(do="report", actual_ms=20.0)


def test_another_user_is_refused(phone, monkeypatch):
    monkeypatch.setattr(peer.os, "getuid", lambda: 12345)  # as if the governor were another user's
    monkeypatch.setattr(peer, "_ROOT", 54321)
    talk = Talk(phone)
    assert "may not use the governor of user 12345" in talk.answer()["error"]
    assert talk.answer() is None


def test_only_this_user_may_connect(phone):
    assert phone.server.path.stat().st_mode & 0o777 == 0o600


def test_a_client_that_floods_is_refused_and_then_closed(phone):
    talk = Talk(phone)
    talk.ask(do="open", tids=OWN, deadline_ms=33.3)
    line = b'{"do": "report", "actual_ms": 20.0}\n'
    answers = []
    for _ in range(10):  # 5000 reports in no time: the clock of the test stands
        try:
            talk.send(line * 500)
            phone.server.step(0)
            answers += [talk.answer() for _ in range(500)]
        except OSError:
            break
    refused = [a for a in answers if a is not None and not a["ok"]]
    assert "more than 1000 requests a second" in refused[0]["error"]
    assert "the connection is closed" in refused[-1]["error"]
    assert phone.governor.frames < 2100
    assert phone.governor.sessions == {}
    assert Talk(phone).ask(do="open", tids=OWN, deadline_ms=33.3)["ok"]


def test_a_client_that_never_reads_is_closed(phone):
    talk = Talk(phone)
    talk.socket.setblocking(False)
    line = b'{"do": "nonsense"}\n' * 400
    for round_ in range(400):
        phone.now.s = 10.0 * round_  # slow enough for the limit of requests
        try:
            talk.socket.send(line)
        except BlockingIOError:
            pass
        except OSError:
            break
        phone.server.step(0)
        if "reads no answers" in " ".join(phone.messages):
            break
    assert any("reads no answers" in message for message in phone.messages)
    assert Talk(phone).ask(do="open", tids=OWN, deadline_ms=33.3)["ok"]


def test_a_line_without_end_is_cut_off(phone):
    talk = Talk(phone)
    for _ in range(3):
        try:
            talk.send(b"x" * m.MOST_BYTES)
        except OSError:
            break
        phone.server.step(0)
    assert "a line is longer than" in talk.answer()["error"]
    assert talk.answer() is None


def test_only_so_many_programs_connect(phone):
    talks = [Talk(phone) for _ in range(64)]
    assert "64 programs are connected already" in Talk(phone).answer()["error"]
    talks[0].socket.close()
    phone.server.step(5)
    assert Talk(phone).ask(do="open", tids=OWN, deadline_ms=33.3)["ok"]


def test_a_stale_socket_is_replaced_and_a_file_is_not(tmp_path):
    path = tmp_path / "stale.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    phone = toy(tmp_path)
    with Server(phone.governor, path) as server:
        assert Talk(type("P", (), {"server": server})).socket.fileno() > 0
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(DeviceStableError, match="is no socket; choose another"):
        Server(phone.governor, path)
    assert path.read_text() == "mine"
    with pytest.raises(DeviceStableError, match="longer than 107 bytes"):
        Server(phone.governor, tmp_path / ("x" * 120))


def test_a_socket_that_is_served_is_neither_taken_nor_removed(tmp_path):
    path = tmp_path / "g.sock"
    phone = toy(tmp_path)
    with Server(phone.governor, path) as server:
        with pytest.raises(DeviceStableError, match="is served by another process; stop it"):
            Server(phone.governor, path)
        assert Talk(type("P", (), {"server": server})).socket.fileno() > 0
        path.unlink()
        with socket.socket(socket.AF_UNIX) as others:
            others.bind(str(path))
            server.__exit__()
            assert path.is_socket()
    path.unlink()
    target = tmp_path / "target"
    target.write_text("mine")
    path.symlink_to(target)
    with pytest.raises(DeviceStableError, match="is no socket"):
        Server(phone.governor, path)
    assert path.is_symlink()


def test_the_second_governor_is_refused_with_the_name_of_the_first(tmp_path):
    why = rf"running already: process {os.getpid()}, socket /run/x; use that one, or stop it"
    with (
        only_one(tmp_path / "lock", "socket /run/x"),
        pytest.raises(DeviceTransientError, match=why),
        only_one(tmp_path / "lock", "socket /run/y"),
    ):
        pass
    with only_one(tmp_path / "lock", "socket /run/y"):
        pass


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermissionNeeded, match="cannot lock"), only_one(tmp_path / "file/lock", "x"):
        pass


@pytest.fixture
def served(phone):
    with in_a_thread(phone.server):
        yield phone


def test_the_client_file(served):
    with Session(33.3, tids=OWN, name="camera", path=str(served.server.path)) as session:
        assert session.is_governed
        assert session.answer["cluster"] == "mid"
        for _ in range(3):
            session.report(32.0)
        assert session.answer["freq_khz"] == 1_106_000
        session.update_deadline(1000.0)
        assert session.answer["freq_khz"] == 400_000
        assert 0.9 < session.headroom() < 1.0
        with session.frame():
            pass
        session.report(-1.0)
        assert "actual_ms is -1" in session.problem
        session.report(5.0)
        assert session.problem == ""
    assert (session.is_governed, session.problem) == (False, "closed")


def test_a_copy_of_an_older_client_file_goes_on_working(served):
    old_session = runpy.run_path(str(OLD / "governor_client.txt"))["Session"]
    with old_session(target_ms=33.3, tids=OWN, path=str(served.server.path)) as session:
        assert session.answer["meets_target"]
        with session.frame():
            pass
        session.begin(left_ms=20.0)
        session.report(20.0, late=True)
        session.update_target(1000.0)
        assert (session.problem, session.answer["freq_khz"]) == ("", 400_000)
        assert 0.9 < session.headroom() < 1.0


def test_a_client_without_a_governor_just_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGEKIT_GOVERNOR", raising=False)
    with Session(33.3) as session:
        assert "EDGEKIT_GOVERNOR is not set" in session.problem
        with session.frame():
            pass
        assert session.headroom() is None
    with Session(33.3, path=str(tmp_path / "none.sock")) as session:
        assert session.problem.startswith("no governor at")


def test_a_client_whose_governor_ends_just_runs_on(tmp_path):
    phone = toy(tmp_path)
    with phone.clocks, Server(phone.governor, tmp_path / "g.sock") as server, in_a_thread(server) as path:
        session = Session(33.3, tids=OWN, path=path)
    session.report(20.0)
    assert not session.is_governed
    assert session.problem.startswith("the governor")
    session.report(20.0)


def test_a_refused_session_raises(served):
    with pytest.raises(ValueError, match="deadline_ms is -1"):
        Session(-1.0, tids=OWN, path=str(served.server.path))


def test_the_client_file_needs_nothing_of_ours(tmp_path):
    source = Path(m.__file__).with_name("client.py").read_text()
    (tmp_path / "copied.py").write_text(source)
    code = "import copied, sys; print([n for n in sys.modules if n.split('.')[0] in ('runtime', 'msgspec')])"
    shown = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "[]\n"
