"""``python -m runtime.targets.agent``: serve this machine to the host at the other end of stdin and stdout.

The main thread does the work, so that a signal reaches it; one thread reads requests and one sends
signs of life. When the host is gone, or silent for too long, every session is left and its clocks
are restored, in the middle of a block of frames too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import msgspec

from runtime.device.actuators.signals import ASKS_TO_LEAVE
from runtime.engines.framing import FrameTooLong, read_frame, write_frame
from runtime.targets.agent import messages as m
from runtime.targets.agent.service import Service, decode_request
from runtime.targets.failed import failure
from runtime.targets.local import LocalTarget


class Agent:
    """Carries requests and answers between the host and a ``Service``."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO):
        self._requests, self._answers = requests, answers
        self._queue: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._heard_s = time.monotonic()
        self._is_leaving = False

    def serve(self, target: LocalTarget) -> None:
        """Answer until a signal comes, which the end of the host becomes too."""
        for signum in ASKS_TO_LEAVE:
            signal.signal(signum, self._leave)
        service = Service(target)
        with service.sessions:
            for work in (self._listen, self._beat):
                threading.Thread(target=work, daemon=True).start()
            while True:
                try:
                    answer = service.answer(decode_request(self._queue.get()))
                except ValueError as err:
                    answer = failure(err)
                self._send(answer)

    def _leave(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_leaving:  # once: the exception is on its way, and clocks are being restored
            self._is_leaving = True
            raise SystemExit(0)

    def _listen(self) -> None:
        with contextlib.suppress(FrameTooLong):  # that is no host of ours
            while (data := read_frame(self._requests)) is not None:
                self._heard_s = time.monotonic()
                if data != _BEAT:
                    self._queue.put(data)
        os.kill(os.getpid(), signal.SIGTERM)

    def _beat(self) -> None:
        while time.monotonic() - self._heard_s < m.SILENCE_S:
            time.sleep(m.BEAT_S)
            try:
                self._send(m.Beat())
            except OSError:
                break
        os.kill(os.getpid(), signal.SIGTERM)

    def _send(self, answer: m.Answer) -> None:
        with self._writing:
            write_frame(self._answers, msgspec.msgpack.encode(answer))


_BEAT = msgspec.msgpack.encode(m.Beat())


def main() -> None:
    """Run the agent; whatever prints to stdout is sent to stderr, off the pipe."""
    parser = argparse.ArgumentParser(prog="python -m runtime.targets.agent", description=__doc__)
    # A tree of files in place of the machine's own /sys; for tests.
    parser.add_argument(
        "--root", type=Path, default=os.environ.get("EDGEKIT_ROOT", "/"), help=argparse.SUPPRESS
    )
    root = Path(parser.parse_args().root)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Not sys.stdin: Python wants its lock when it exits, and the listening thread would have it.
    requests = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    Agent(requests, answers).serve(LocalTarget(root))


if __name__ == "__main__":
    main()
