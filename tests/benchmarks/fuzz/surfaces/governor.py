"""What programs say to the governor in Python, over its socket."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from runtime.govern.governor.server import Server
from tests.benchmarks.fuzz.surface import Prepared, Sample, surface
from tests.runtime.govern.governor.toy import toy

_LINES = (
    {"do": "open", "tids": [os.getpid()], "deadline_ms": 33.3, "name": "camera", "period_ms": 33.3},
    {"do": "begin", "remaining_ms": 20.0},
    {"do": "report", "actual_ms": 12.5, "late": False},
    {"do": "update_deadline", "deadline_ms": 16.6},
    {"do": "headroom"},
    {"do": "update_target", "target_ms": 16.6},
)


@surface("governor", quick=60, share=2)
def governor(folder: Path) -> Prepared:
    """A conversation of which one line, or all of them, is damaged."""
    phone = toy(folder)
    server = Server(phone.governor, Path("governor.sock"), now=phone.now)
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in _LINES)
    samples = tuple(Sample(line["do"], json.dumps(line).encode(), "json") for line in _LINES)
    samples += (Sample("all", whole, "jsonl"),)

    def read(sample: Sample, data: bytes) -> None:
        lines = [json.dumps(line).encode() for line in _LINES]
        if sample.name != "all":
            lines[[line["do"] for line in _LINES].index(sample.name)] = data
            data = b"\n".join(lines) + b"\n"
        phone.now.s += 1.0
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(server.path))
            server.step(1.0)
            client.setblocking(False)
            for begin in range(0, min(len(data), 1 << 18), 1 << 15):
                try:
                    client.send(data[begin : begin + (1 << 15)])
                except OSError:  # dismissed
                    break
                server.step(0.0)
                phone.governor.change()
            server.step(0.0)
            _check_answers(client)
        server.step(1.0)
        phone.governor.tick()
        phone.messages.clear(), phone.lines.clear(), phone.moved.clear()

    def close() -> None:
        server.__exit__()
        phone.clocks.__exit__()

    return Prepared(samples, read, close=close)


def _check_answers(client: socket.socket) -> None:
    """Every answer is a line of JSON; a program that reads them is not led astray."""
    try:
        answers = client.recv(1 << 20)
    except OSError:
        return
    for line in answers.split(b"\n")[:-1]:
        assert isinstance(json.loads(line)["ok"], bool)
