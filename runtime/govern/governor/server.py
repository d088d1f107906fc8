"""The socket of a governor: connections in, sessions out. One thread, and nothing a client sends ends it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from runtime.errors import DeviceStableError, EdgekitError
from runtime.govern.governor import messages as m
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.listening import listen
from runtime.govern.governor.peer import Peer, check_threads, read_peer
from runtime.govern.governor.rate import RateLimit
from runtime.govern.governor.session import Session

TICK_S = 0.1
_MOST_CONNECTIONS = 64
_RATE_PER_S, _BURST = 1000.0, 2000.0  # more frames than a screen has; a flood gets told, then closed
_MOST_REFUSED = 1000
_MOST_UNREAD_BYTES = 1 << 18


@dataclass
class _Client:
    connection: socket.socket
    peer: Peer
    limit: RateLimit = field(default_factory=lambda: RateLimit(_RATE_PER_S, _BURST))
    incoming: bytes = b""
    outgoing: bytes = b""
    session: int | None = None
    refused: int = 0
    is_closing: bool = False


class Server:
    """Serves a governor on a Unix socket; enter it, and the socket is gone after.

    Args:
        path: of the socket; a stale one is replaced. Make sure first that no other governor lives: see
            ``lock``.
        now: monotonic seconds.
        tell: called with each remark.

    Raises:
        DeviceStableError: the path cannot be a socket.

    Example:
        >>> with Server(governor, Path("/run/edgekit.sock")) as server:      # doctest: +SKIP
        ...     server.serve()
    """

    def __init__(
        self,
        governor: Governor,
        path: Path,
        *,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = lambda remark: None,
    ):
        self.governor, self.path = governor, path
        self._now, self._tell = now, tell
        self._selector = selectors.DefaultSelector()
        self._listener = listen(path)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._clients: dict[int, _Client] = {}
        self.served = 0  # sessions

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._listener.close()
        self._selector.close()
        self.path.unlink(missing_ok=True)

    def serve(self, until: Callable[[], bool] = lambda: False) -> None:
        """Serve until ``until`` says so; it is asked at least every ``TICK_S``."""
        tick_s = self._now()
        while not until():
            self.step(min(TICK_S, max(0.0, self.governor.change_s - self._now())))
            self.governor.change()
            if self._now() - tick_s >= TICK_S:
                tick_s = self._now()
                self.governor.tick()

    def step(self, patience_s: float) -> None:
        """Answer what has come, or wait for it a while."""
        for key, events in self._selector.select(patience_s):
            if key.fileobj is self._listener:
                self._accept()
                continue
            client = self._clients.get(key.fd)
            if client is None:
                continue  # dropped by an event before it
            try:
                if events & selectors.EVENT_WRITE:
                    self._flush(client)
                if events & selectors.EVENT_READ and client.connection.fileno() != -1:
                    self._read(client)
            except OSError:
                self._drop(client)  # it died in the middle of a word

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as err:  # it is gone again, or there are too many open files
            self._tell(f"a connection could not be accepted ({err.strerror})")
            return
        connection.setblocking(False)
        try:
            if len(self._clients) >= _MOST_CONNECTIONS:
                raise DeviceStableError(f"{_MOST_CONNECTIONS} programs are connected already; end one first")
            peer = read_peer(connection)
        except EdgekitError as err:
            self._tell(str(err))
            with contextlib.suppress(OSError):
                connection.send(m.encode_answer(m.Answer(False, error=str(err))))
            connection.close()
            return
        self._clients[connection.fileno()] = _Client(connection, peer)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, client: _Client) -> None:
        data = client.connection.recv(m.MOST_BYTES)
        if not data:
            self._drop(client)
            return
        client.incoming += data
        *lines, client.incoming = client.incoming.split(b"\n")
        answers = [answer for line in lines if (answer := self._answer(client, line)) is not None]
        if len(client.incoming) > m.MOST_BYTES:
            answers.append(self._dismiss(client, f"a line is longer than {m.MOST_BYTES} bytes"))
        client.outgoing += b"".join(m.encode_answer(answer) for answer in answers)
        self._flush(client)

    def _answer(self, client: _Client, line: bytes) -> m.Answer | None:
        if client.is_closing:
            return None
        if not client.limit.takes(self._now()):
            client.refused += 1
            problem = f"more than {_RATE_PER_S:g} requests a second; report each frame once"
            return self._dismiss(client, problem) if client.refused > _MOST_REFUSED else _refusal(problem)
        try:
            return self._carry_out(client, m.decode_request(line))
        except (EdgekitError, ValueError) as err:
            return _refusal(str(err))

    def _carry_out(self, client: _Client, request: m.Request) -> m.Answer:
        governor = self.governor
        if isinstance(request, m.Open):
            if client.session is not None:
                raise ValueError("this connection has a session already; open another connection")
            check_threads(client.peer, request.tids)
            session = governor.open(
                client.peer.pid, request.tids, request.target_ms, request.name, request.period_ms
            )
            client.session = session.number
            self.served += 1
            return msgspec.structs.replace(_state(session), begins=session.is_told_of_begins)
        if client.session is None:
            raise ValueError("this connection has no session yet; open one first")
        if isinstance(request, m.Begin):
            return _state(governor.begin(client.session, request.left_ms))
        if isinstance(request, m.Report):
            return _state(governor.report(client.session, request.actual_ms, request.late))
        if isinstance(request, m.UpdateTarget):
            return _state(governor.retarget(client.session, request.target_ms))
        session = governor.session(client.session)
        return m.Answer(True, headroom=session.controller.headroom())

    def _dismiss(self, client: _Client, problem: str) -> m.Answer:
        self._tell(f"process {client.peer.pid}: {problem}: its connection is closed")
        client.is_closing = True
        return _refusal(f"{problem}: the connection is closed")

    def _flush(self, client: _Client) -> None:
        while client.outgoing:
            try:
                sent = client.connection.send(client.outgoing)
            except BlockingIOError:
                break
            client.outgoing = client.outgoing[sent:]
        if client.is_closing or len(client.outgoing) > _MOST_UNREAD_BYTES:
            if not client.is_closing:
                self._tell(f"process {client.peer.pid} reads no answers: its connection is closed")
            self._drop(client)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outgoing else 0)
        self._selector.modify(client.connection, events)

    def _drop(self, client: _Client) -> None:
        if client.connection.fileno() == -1:
            return
        self._selector.unregister(client.connection)
        del self._clients[client.connection.fileno()]
        client.connection.close()
        if client.session is not None:
            self.governor.close(client.session)


def _refusal(problem: str) -> m.Answer:
    return m.Answer(False, error=problem)


def _state(session: Session) -> m.Answer:
    row = session.row
    return m.Answer(
        True,
        cluster=session.cluster,
        freq_khz=None if row is None else row.freq_khz,
        meets_target=session.decision.meets_deadline,
        trusted=session.is_trusted,
        reason=session.decision.reason or None,
    )
