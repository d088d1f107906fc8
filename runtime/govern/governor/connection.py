"""One program's connection to a governor: lines in, answers out, and how often it may ask."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from runtime.govern.governor.messages import MOST_BYTES
from runtime.govern.governor.peer import Peer

# Requests that a program may make: a frame makes two, so that is twice as many as a screen of 240 Hz needs. A
# flood is refused, and then closed, since one thread serves all programs.
RATE_PER_S, BURST = 1000.0, 2000.0
# Answers that wait for a program which does not read them: some thousand frames, half a minute at 60 FPS.
MOST_UNREAD_BYTES = 1 << 18


class RateLimit:
    """Lets ``burst`` through at once, and ``per_s`` in the long run: a token bucket.

    Example:
        >>> limit = RateLimit(per_s=10, burst=2)
        >>> [limit.takes(0.0), limit.takes(0.0), limit.takes(0.0), limit.takes(0.1)]
        [True, True, False, True]
    """

    def __init__(self, per_s: float, burst: float):
        self.per_s, self.burst = per_s, burst
        self._tokens = burst
        self._last_s: float | None = None

    def takes(self, now_s: float) -> bool:
        """Return whether one more may happen now."""
        if self._last_s is not None:
            self._tokens = min(self.burst, self._tokens + (now_s - self._last_s) * self.per_s)
        self._last_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass
class ClientConnection:
    """A program that is connected; nothing here waits for it.

    Attributes:
        incoming: the beginning of a line whose end has not come.
        outgoing: answers that it has not taken yet.
        session: its number, once it has one.
        refused: requests that came too fast.
        is_closing: it is closed once its last answer is sent.
    """

    socket: socket.socket
    peer: Peer
    limit: RateLimit = field(default_factory=lambda: RateLimit(RATE_PER_S, BURST))
    incoming: bytes = b""
    outgoing: bytes = b""
    session: int | None = None
    refused: int = 0
    is_closing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed from here."""
        return self.socket.fileno() != -1

    @property
    def reads_nothing(self) -> bool:
        """Whether too many answers wait for it."""
        return len(self.outgoing) > MOST_UNREAD_BYTES

    def receive(self) -> list[bytes] | None:
        """Return the whole lines that have come; ``None``: the program is gone.

        Raises:
            OSError: the connection broke.
        """
        data = self.socket.recv(MOST_BYTES)
        if not data:
            return None
        *lines, self.incoming = (self.incoming + data).split(b"\n")
        return lines

    def send(self, answers: bytes = b"") -> None:
        """Send these answers, and those that wait, as far as the program takes them now.

        Raises:
            OSError: the connection broke.
        """
        self.outgoing += answers
        while self.outgoing:
            try:
                sent = self.socket.send(self.outgoing)
            except BlockingIOError:
                return
            self.outgoing = self.outgoing[sent:]
