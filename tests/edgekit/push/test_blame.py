"""A push that fails names the side, what to do, and what is left on the device."""

import importlib

import pytest

from edgekit.push.blame import explain
from runtime.errors import DeviceStableError
from tests.edgekit.push.board import bare, invoke, write_bundle

STEP = "installing the runtime on the device"


class Board:
    where, home = "ssh:pi", "/home/pi/edge kit"

    def shell(self, script):
        assert "'/home/pi/edge kit'" in script
        return "/dev/root 100 90 12000 90% /\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "exit status 1: OSError: [Errno 28] No space left on device",
            "its disk is full: 12 MB are free in /home/pi/edge kit; make room there",
        ),
        ("exit status 1: mkdir: cannot create directory: Permission denied", "it may not write to /home/pi"),
        ("exit status 1: ln: Read-only file system", "it may not write to /home/pi"),
        (
            "exit status 1: NewConnectionError: Temporary failure in name resolution",
            "the device (not this machine) cannot reach a package index; push with --offline",
        ),
        ("exit status 137: Killed", "as when memory runs out"),
    ],
)
def test_what_programs_on_the_device_say_becomes_what_to_do(said, told):
    err = explain(DeviceStableError(f"ssh:pi: {said}"), Board(), STEP)
    assert isinstance(err, DeviceStableError)
    assert str(err).startswith(f"ssh:pi, while {STEP}: ")
    assert told in str(err)
    assert "push again to go on" in str(err)
    assert said in str(err)


def test_an_error_with_words_of_its_own_stays_as_it_is():
    err = DeviceStableError("ssh:pi has no Python 3.10 to 3.13; send it one")
    assert explain(err, Board(), STEP) is err


def test_a_board_that_vanishes_says_where_it_was_and_what_is_kept(tmp_path, monkeypatch):
    bundle = write_bundle(tmp_path, "litert")
    with bare(tmp_path, monkeypatch) as phone:

        def vanish(files, engines, **how):
            phone.kill_sessions()
            files.shell("true")

        monkeypatch.setattr(importlib.import_module("edgekit.push.push"), "install", vanish)
        done = invoke("push", str(bundle), "--target", "ssh:phone")
    assert done.exit_code == 1
    assert f"it happened while {STEP}; what has arrived is kept, what ran there before still" in done.stderr
