"""The host's end of the wire to an agent."""

from __future__ import annotations

import collections
import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Protocol

import msgspec

from runtime._version import __version__
from runtime.device.child import wait_or_kill
from runtime.engines.framing import FrameTooLong, read_frame, write_frame
from runtime.errors import DeviceTransientError, VersionConflict
from runtime.targets.agent import messages as m
from runtime.targets.agent.ceilings import BEAT_BYTES, ceiling_of
from runtime.targets.failed import Failed, as_error

CONNECT_S = 60.0  # Python starts slowly on a small board with a cold disk
_CLOSE_S = 10.0  # for the agent to restore clocks and end
_END_S = 3.0  # for its process after that, before it is killed
_LAST_WORDS = 400  # characters of the device's stderr that an error quotes
_LINE_BYTES = 4096  # of its stderr that are read at once


class Connection(Protocol):
    """A running agent: three binary streams, and a way to end it."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    def close(self) -> None:
        """Cut the connection; waits for nobody."""


class ProcessConnection:
    """An agent as a child process of this one."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            start_new_session=True,  # Ctrl-C is for the host, which then cuts the connection
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr

    def close(self) -> None:
        """Kill what did not end by itself."""
        wait_or_kill(self.process, _END_S)


class UnaskedAnswer(ValueError):
    """The other side speaks out of turn: it is no agent of ours."""


class Link:
    """Sends requests to an agent one at a time and waits for each answer, never for ever.

    Args:
        connection: to a process that has just been started.
        where: the target's name, for errors.

    Raises:
        DeviceTransientError: nobody answers.
        VersionConflict: another version of edgekit answers.
    """

    def __init__(self, connection: Connection, where: str):
        self.where = where
        self._connection = connection
        self._asking = threading.Lock()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._incoming: queue.SimpleQueue[m.Answer | Exception | None] = queue.SimpleQueue()
        self._heard_s = time.monotonic()
        self._due_bytes: int | None = None  # of the answer that is waited for
        self._words: collections.deque[str] = collections.deque(maxlen=20)
        self._end: Exception | None = None
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._read, self._listen_to_stderr)
        ]
        for thread in (*self._threads, threading.Thread(target=self._write, daemon=True)):
            thread.start()
        self._greet()

    @property
    def is_open(self) -> bool:
        """Whether requests can still be sent."""
        return self._end is None

    def ask(self, request: m.Request, *, silence_s: float = m.SILENCE_S) -> m.Answer:
        """Return the agent's answer to ``request``.

        A device that goes on giving signs of life is given up, too, once the request has taken longer
        than any such can: see ``ceiling_of``.

        Args:
            silence_s: without a sign of life for so long, the device is given up.

        Raises:
            DeviceTransientError: the connection is gone.
            EdgekitError, ValueError: what the agent raised.
        """
        with self._asking:
            if self._end is not None:
                raise self._end
            self._heard_s = time.monotonic()
            ceiling = ceiling_of(request)
            self._due_bytes = ceiling.size_bytes
            try:
                self._outgoing.put(msgspec.msgpack.encode(request))
                answer = self._wait(silence_s, ceiling.seconds, type(request).__name__)
            except BaseException:
                self.close()  # an answer may still come; nobody would know to which question
                raise
        if isinstance(answer, Failed):
            raise as_error(answer, self.where)
        return answer

    def close(self) -> None:
        """Hang up, and give the agent a moment to restore what it changed."""
        self._end = self._end or DeviceTransientError(
            f"the connection to {self.where} was closed; open it again"
        )
        self._outgoing.put(None)
        for thread in self._threads:  # they end with the agent's streams, so with the agent
            thread.join(_CLOSE_S)
        self._connection.close()

    def _greet(self) -> None:
        greeting = self.ask(m.Hello(m.PROTOCOL, __version__), silence_s=CONNECT_S)
        theirs = greeting if isinstance(greeting, m.Greeting) else m.Greeting(0, "unknown")
        if (theirs.protocol, theirs.edgekit) != (m.PROTOCOL, __version__):
            self.close()
            raise VersionConflict(
                f"{self.where} has edgekit {theirs.edgekit} (protocol {theirs.protocol}), this is "
                f"{__version__} (protocol {m.PROTOCOL}); run: edgekit push BUNDLE --target {self.where}"
            )

    def _wait(self, silence_s: float, most_s: float, asked: str) -> m.Answer:
        end_s = time.monotonic() + most_s
        while True:
            if time.monotonic() > end_s:
                raise self._gone(f"has given no answer to {asked} for {most_s:.0f} s, though it is alive")
            try:
                answer = self._incoming.get(timeout=0.5)
            except queue.Empty:
                silent_s = time.monotonic() - self._heard_s
                if silent_s > silence_s:
                    raise self._gone(f"has been silent for {silent_s:.0f} s during {asked}") from None
                continue
            if isinstance(answer, Exception):
                raise self._gone(f"does not speak edgekit's protocol ({answer})") from answer
            if answer is None:
                raise self._gone(f"broke off during {asked}")
            return answer

    def _gone(self, what: str) -> DeviceTransientError:
        self._threads[1].join(1.0)  # the last words may still be on their way
        words = " ".join("".join(self._words).split())[-_LAST_WORDS:]
        self._end = DeviceTransientError(
            f"the connection to {self.where} {what}; run it again to go on (if the device was killed or lost "
            f"power: edgekit restore --target {self.where}); its last words: {words or 'none'}"
        )
        return self._end

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the stream was closed under our hands
            try:
                while (data := read_frame(self._connection.stdout, self._due)) is not None:
                    self._heard_s = time.monotonic()
                    self._take(data)
            except (FrameTooLong, UnaskedAnswer, msgspec.DecodeError, UnicodeError, RecursionError) as err:
                self._incoming.put(err)
        self._incoming.put(None)

    def _due(self) -> int:
        return self._due_bytes or BEAT_BYTES

    def _take(self, data: bytes) -> None:
        answer: m.Answer = _DECODER.decode(data)
        if isinstance(answer, m.Beat):
            return
        if self._due_bytes is None:
            raise UnaskedAnswer(f"it answered {type(answer).__name__}, which nobody asked for")
        self._due_bytes = None
        self._incoming.put(answer)

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                try:
                    data = self._outgoing.get(timeout=m.BEAT_S)
                except queue.Empty:
                    data = _BEAT
                if data is None:
                    break
                write_frame(self._connection.stdin, data)
        with contextlib.suppress(OSError, ValueError):
            self._connection.stdin.close()

    def _listen_to_stderr(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := self._connection.stderr.readline(_LINE_BYTES):
                self._words.append(line.decode(errors="replace"))


_BEAT = msgspec.msgpack.encode(m.Beat())
_DECODER: msgspec.msgpack.Decoder[m.Answer] = msgspec.msgpack.Decoder(m.Answer)
