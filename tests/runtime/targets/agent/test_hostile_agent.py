"""What answers as an agent and is none: the host leaves it, soon and with bounded memory."""

import sys
import time

import pytest

from runtime.errors import DeviceTransientError
from runtime.targets.agent import ceilings, link
from runtime.targets.agent.ceilings import Ceiling
from runtime.targets.agent.link import Link, ProcessConnection

SPEAK = """
import msgspec, sys, time
from runtime._version import __version__
from runtime.engines.framing import read_frame, write_frame
from runtime.targets.agent import messages as m
out = sys.stdout.buffer
def say(message): write_frame(out, msgspec.msgpack.encode(message))
while msgspec.msgpack.decode(read_frame(sys.stdin.buffer))["type"] != "Hello": pass
say(m.Greeting(m.PROTOCOL, __version__))
while msgspec.msgpack.decode(read_frame(sys.stdin.buffer))["type"] != "Describe": pass
"""
LIES = {
    "only beats": (
        "while True: say(m.Beat()); time.sleep(0.05)",
        "no answer to Describe for 2 s, though it is alive",
    ),
    "floods stderr": (
        "while True: sys.stderr.write('x' * 100000); say(m.Beat())",
        "no answer to Describe for 2 s, though it is alive",
    ),
    "a frame of 2 GB": (
        "out.write((1 << 31).to_bytes(8, 'little')); out.flush(); time.sleep(60)",
        "a frame of 2147483648 bytes; at most",
    ),
    "deep": (
        "write_frame(out, b'\\x91' * 100000); time.sleep(60)",
        "does not speak edgekit's protocol",
    ),
    "bad text": ("write_frame(out, b'\\x81\\xa4type\\xa2\\xff\\xfe'); time.sleep(60)", "does not speak"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_agent_that_lies_is_left(lie, monkeypatch):
    monkeypatch.setattr(ceilings, "_QUICK_S", 2.0)
    monkeypatch.setattr(link, "_CLOSE_S", 0.5)
    script, why = LIES[lie]
    opened = Link(ProcessConnection([sys.executable, "-c", SPEAK + script]), "test:liar")
    monkeypatch.setattr(link, "ceiling_of", lambda request: Ceiling(2.0, 1 << 20))
    begin_s = time.monotonic()
    with pytest.raises(DeviceTransientError, match=why):
        opened.ask(link.m.Describe())
    assert time.monotonic() - begin_s < 15
    assert len("".join(opened._words)) < 100_000


def test_answers_that_nobody_asked_for_are_not_kept():
    script = SPEAK + "say(m.Done()); say(m.Done()); time.sleep(60)"
    opened = Link(ProcessConnection([sys.executable, "-c", script]), "test:liar")
    opened.ask(link.m.Describe())
    time.sleep(0.5)
    with pytest.raises(DeviceTransientError, match="answered Done, which nobody asked for"):
        opened.ask(link.m.Describe())
    opened.close()
