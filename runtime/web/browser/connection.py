"""The Chrome DevTools Protocol over one websocket (https://chromedevtools.github.io/devtools-protocol)."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import msgspec

from runtime.bundle.decoding import decode_json
from runtime.errors import WebError
from runtime.extras import require
from runtime.visible import one_line
from runtime.web.browser.thread_times import ReadThreads, read_threads

CALL_S = 30.0  # a page that computes answers late; one that hangs, never
_CONNECT_S = 10.0
_MOST_BYTES = 256 << 20  # of a message: a page's screenshot or trace, not what a hostile one invents

Event = dict[str, Any]
Listener = Callable[[Event], None]


class _Message(msgspec.Struct):
    """What a browser sends: the answer to a call, or an event."""

    id: int | None = None
    method: str | None = None
    params: Event = {}
    result: Event = {}
    error: Event | None = None
    sessionId: str | None = None


class Connection:
    """Calls to a browser and its pages, and their events.

    Answers and events arrive in a thread of its own, which calls the listeners: they must not call back.

    Args:
        endpoint: ``ws://HOST:PORT/devtools/browser/ID``.
        read_threads: reads the browser's threads on the machine where it runs.

    Raises:
        WebError: nobody answers there.
        MissingExtra: the extra ``web`` is not installed.

    Example:
        >>> with launch() as browser, Connection(browser.endpoint) as cdp:    # doctest: +SKIP
        ...     cdp.call("Browser.getVersion")["product"]
        'Chrome/156.0.8078.108'
    """

    def __init__(self, endpoint: str, read_threads: ReadThreads = read_threads):
        self.read_threads = read_threads
        client = require("websockets.sync.client", "web")
        self._stack = contextlib.ExitStack()
        try:
            # Deflating costs the browser CPU time, which is what is measured here.
            opened = client.connect(
                endpoint, open_timeout=_CONNECT_S, max_size=_MOST_BYTES, compression=None, ping_interval=None
            )
            self._socket = self._stack.enter_context(opened)
        except Exception as err:  # websockets, ssl and socket each have errors of their own
            raise WebError(
                f"no browser answers at {one_line(endpoint)} ({one_line(err) or type(err).__name__}); "
                "start one with --remote-debugging-port=9222 and give --cdp http://127.0.0.1:9222"
            ) from err
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Event]] = {}
        self._listeners: dict[tuple[str | None, str], list[Listener]] = {}
        self._end: str | None = None
        self._thread = threading.Thread(target=self._read, name="edgekit-cdp", daemon=True)
        self._thread.start()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the browser goes on."""
        self._stack.close()
        self._thread.join()

    def send(self, method: str, session: str | None = None, **params: Any) -> Future[Event]:
        """Send a call and return its result to come.

        Args:
            method: such as ``Page.navigate``; ``params`` are its parameters.
            session: of a page; ``None``: the browser itself.

        Raises:
            WebError: the browser is gone.
        """
        future: Future[Event] = Future()
        with self._lock:
            if self._end is not None:
                raise WebError(self._end)
            number = next(self._numbers)
            self._waiting[number] = future
        call: Event = {"id": number, "method": method, "params": params}
        if session is not None:
            call["sessionId"] = session
        try:
            self._socket.send(msgspec.json.encode(call), text=True)
        except Exception as err:  # as above
            self._stop(_gone(err))
            raise WebError(_gone(err)) from err
        return future

    def call(
        self, method: str, session: str | None = None, timeout_s: float = CALL_S, **params: Any
    ) -> Event:
        """Send a call and return its result.

        Raises:
            WebError: the browser refuses, does not answer in time, or is gone.
        """
        return result_of(self.send(method, session, **params), method, timeout_s)

    def listen(self, method: str, listener: Listener, session: str | None = None) -> Callable[[], None]:
        """Have ``listener`` called with the parameters of each event; return what ends that."""
        listeners = self._listeners.setdefault((session, method), [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def _read(self) -> None:
        reason = "the browser closed the connection; it ended, or another program took the page"
        try:
            for text in self._socket:
                self._take(text.encode() if isinstance(text, str) else text)
        except Exception as err:  # noqa: BLE001  websockets, ssl and socket each have errors of their own
            reason = _gone(err)
        self._stop(reason)

    def _take(self, data: bytes) -> None:
        message: _Message = decode_json(
            data,
            _Message,
            where="a message of the browser",
            advice="use a Chromium or Chrome",
            error=WebError,
            most_bytes=_MOST_BYTES,
        )
        if message.id is None:
            for listener in tuple(self._listeners.get((message.sessionId, message.method or ""), ())):
                listener(message.params)
            return
        with self._lock:
            future = self._waiting.pop(message.id, None)
        if future is None:
            return
        if message.error is None:
            future.set_result(message.result)
        else:
            future.set_exception(WebError(one_line(message.error.get("message", message.error))))

    def _stop(self, reason: str) -> None:
        with self._lock:
            self._end = self._end or reason
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(WebError(reason))


def result_of(future: Future[Event], method: str, timeout_s: float = CALL_S) -> Event:
    """Return the result of a call that was sent.

    Raises:
        WebError: the browser refused, did not answer within ``timeout_s``, or is gone.
    """
    try:
        return future.result(timeout_s)
    except FutureTimeoutError:
        raise WebError(
            f"the browser did not answer {method} within {timeout_s:g} s; the page hangs: "
            "load it again, or leave it out"
        ) from None
    except WebError as err:
        raise WebError(f"{method}: {err}") from err


def _gone(err: Exception) -> str:
    return f"the browser is gone ({one_line(err) or type(err).__name__}); start it again"
