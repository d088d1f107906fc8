"""The socket of a governor: connections in, sessions out. One thread, and nothing a client sends ends it."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime.errors import DeviceStableError, EdgekitError
from runtime.govern.governor import messages as m
from runtime.govern.governor.connection import RATE_PER_S, ClientConnection
from runtime.govern.governor.governor import Governor
from runtime.govern.governor.peer import read_peer
from runtime.govern.governor.priority import ahead_of_programs
from runtime.govern.governor.requests import carry_out, refusal

# Between looks at the clocks where no frame is reported: three frames at 30 FPS in which another program may
# have had the clock, and ten wake-ups a second, which cost next to nothing.
TICK_S = 0.1
_MOST_CONNECTIONS = 64  # far more than a device has programs with frames; each costs a file and its buffers
_MOST_REFUSED = 1000
_MOST_PATH = 107  # sizeof(sun_path) - 1, unix(7)


class Server:
    """Serves a governor on a Unix socket; enter it, and the socket is gone after.

    Args:
        path: of the socket; a stale one is replaced, one that is served is not.
        now: monotonic seconds.
        on_message: called with each message.

    Attributes:
        opened: sessions so far.

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
        on_message: Callable[[str], None] = lambda message: None,
    ):
        self.governor, self.path = governor, path
        self._now, self._on_message = now, on_message
        self._selector = selectors.DefaultSelector()
        self._listener = listen(path)
        self._made = _identity(path)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._clients: dict[int, ClientConnection] = {}
        self.opened = 0

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._listener.close()
        self._selector.close()
        if self._made is not None and _identity(self.path) == self._made:  # not another one's
            self.path.unlink(missing_ok=True)

    def serve(self, until: Callable[[], bool] = lambda: False) -> None:
        """Serve until ``until`` says so; it is asked at least every ``TICK_S``."""
        tick_s = self._now()
        with ahead_of_programs():
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
                    self._send(client)
                if events & selectors.EVENT_READ and client.is_open:
                    self._read(client)
            except OSError:
                self._drop(client)  # it died in the middle of a word

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as err:  # it is gone again, or there are too many open files
            self._on_message(f"a connection could not be accepted ({err.strerror})")
            return
        connection.setblocking(False)
        try:
            if len(self._clients) >= _MOST_CONNECTIONS:
                raise DeviceStableError(f"{_MOST_CONNECTIONS} programs are connected already; end one first")
            peer = read_peer(connection)
        except EdgekitError as err:
            self._on_message(str(err))
            with contextlib.suppress(OSError):
                connection.send(m.encode_answer(refusal(str(err))))
            connection.close()
            return
        self._clients[connection.fileno()] = ClientConnection(connection, peer)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, client: ClientConnection) -> None:
        lines = client.receive()
        if lines is None:
            self._drop(client)
            return
        answers = [answer for line in lines if (answer := self._answer(client, line)) is not None]
        if len(client.incoming) > m.MOST_BYTES:
            answers.append(self._dismiss(client, f"a line is longer than {m.MOST_BYTES} bytes"))
        self._send(client, b"".join(m.encode_answer(answer) for answer in answers))

    def _answer(self, client: ClientConnection, line: bytes) -> m.Answer | None:
        if client.is_closing:
            return None
        if not client.limit.takes(self._now()):
            client.refused += 1
            problem = f"more than {RATE_PER_S:g} requests a second; report each frame once"
            return self._dismiss(client, problem) if client.refused > _MOST_REFUSED else refusal(problem)
        try:
            before, answer = client.session, carry_out(self.governor, client, m.decode_request(line))
        except (EdgekitError, ValueError) as err:
            return refusal(str(err))
        self.opened += client.session != before
        return answer

    def _dismiss(self, client: ClientConnection, problem: str) -> m.Answer:
        self._on_message(f"process {client.peer.pid}: {problem}: its connection is closed")
        client.is_closing = True
        return refusal(f"{problem}: the connection is closed")

    def _send(self, client: ClientConnection, answers: bytes = b"") -> None:
        client.send(answers)
        if client.reads_nothing and not client.is_closing:
            self._on_message(f"process {client.peer.pid} reads no answers: its connection is closed")
        if client.is_closing or client.reads_nothing:
            self._drop(client)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outgoing else 0)
        self._selector.modify(client.socket, events)

    def _drop(self, client: ClientConnection) -> None:
        if not client.is_open:
            return
        self._selector.unregister(client.socket)
        del self._clients[client.socket.fileno()]
        client.socket.close()
        if client.session is not None:
            self.governor.close(client.session)


def listen(path: Path) -> socket.socket:
    """Return a socket at ``path`` that only this user may connect to; a stale one is replaced.

    Raises:
        DeviceStableError: there cannot be one.
    """
    if len(str(path).encode()) > _MOST_PATH:
        raise DeviceStableError(
            f"{path} is longer than {_MOST_PATH} bytes, which no socket may be; choose another"
        )
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _masked():
            _clear_place(path)
            listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
    except DeviceStableError:
        listener.close()
        raise
    except OSError as err:
        listener.close()
        raise DeviceStableError(
            f"cannot listen at {path} ({err.strerror}); choose another with --socket"
        ) from err
    return listener


def _clear_place(path: Path) -> None:
    """Remove the socket of a governor that was killed; whatever else is there stays."""
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_socket():
        raise DeviceStableError(f"{path} is there and is no socket; choose another path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one that accepts nobody is alive too
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:  # it is of another type, or its queue is full: somebody serves it
            pass
    raise DeviceStableError(f"{path} is served by another process; stop it, or choose another path")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file is at ``path``, ``None`` where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _masked() -> Iterator[None]:
    """Let nobody else connect, not even between ``bind`` and ``chmod``."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
