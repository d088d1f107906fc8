"""What a killed run left open at a phone is ended by the next one, and nothing of others."""

import subprocess
import sys

import pytest

from runtime.targets.adb.leftovers import FORWARD, LOOP, keep, left_behind
from tests.runtime.targets.fake_phone import FakePhones

SERIAL, CHROME = "R5CT1234", "localabstract:chrome_devtools_remote"


@pytest.fixture
def phone(tmp_path, monkeypatch):
    pytest.importorskip("devlib")
    phone = FakePhones(tmp_path / "phones", monkeypatch).add(SERIAL)
    phone.listen("chrome_devtools_remote", 9)
    return phone


def killed(kind, what):
    """Have a process note something and end without a word."""
    script = f"from runtime.targets.adb.leftovers import keep; keep({SERIAL!r}, {kind!r}, {what!r})"
    subprocess.run([sys.executable, "-c", script], check=True)


def calls_of(phone):
    return (phone.path.parent.parent / "calls").read_text()


@pytest.mark.parametrize("listed", [f"{SERIAL} tcp:4711 {CHROME}", f"{SERIAL} tcp:4711 tcp:80", ""])
def test_a_port_that_a_killed_run_forwarded_is_let_go_unless_it_is_another_s_now(phone, listed):
    from runtime.targets.adb.shell import AdbShell

    killed(FORWARD, f"tcp:4711 {CHROME}")
    (phone.path / "forwards").write_text(listed + "\n")
    shell = AdbShell(SERIAL)
    port = shell.forward(CHROME)
    assert ("forward --remove tcp:4711" in calls_of(phone)) == listed.endswith(CHROME)
    assert list(left_behind(SERIAL, FORWARD)) == []
    shell.stop_forwarding(port)


def test_a_loop_that_a_killed_run_left_on_the_phone_ends_when_the_next_one_looks(phone):
    from runtime.targets.adb.sampling import following
    from runtime.targets.adb.shell import AdbShell

    killed(LOOP, "/data/local/tmp/edgekit/dead.watch")
    with following(AdbShell(SERIAL), "echo look", 0.05, as_root=False) as followed:
        assert "rm -f /data/local/tmp/edgekit/dead.watch" in calls_of(phone)
    assert "look" in followed.text


def test_what_a_living_process_has_open_is_let_alone(phone):
    note = keep(SERIAL, FORWARD, f"tcp:4712 {CHROME}")
    assert list(left_behind(SERIAL, FORWARD)) == []
    assert note.exists()
