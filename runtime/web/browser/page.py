"""A page of a browser: loaded, laid out as on a phone, and kept from stopping whoever measures it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.errors import PageError, WebError
from runtime.visible import one_line
from runtime.web.browser.connection import CALL_S, Connection, Event, Listener

LOAD_S = 60.0
# A page's own questions would wait for somebody to answer them.
_NO_DIALOGS = "for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => false;"


@dataclass(frozen=True)
class Viewport:
    """The screen that a page is laid out for.

    Attributes:
        width_px, height_px: in CSS pixels.
        scale: device pixels per CSS pixel.
        is_mobile: with touch, overlay scroll bars and the page's own viewport meta.
    """

    width_px: int = 412
    height_px: int = 915
    scale: float = 2.625
    is_mobile: bool = True


PHONE = Viewport()


class Page:
    """One page, a DevTools session of its own.

    What goes wrong with it meanwhile (it crashes, is closed, navigates away, opens a dialog) is kept, and
    raised by ``check``.

    Args:
        connection: to its browser.
        target: the browser's name of it.
        viewport: to lay it out for; ``None``: as it is.
        is_ours: it is closed in the end.
        has_user: who answers its questions himself; default: where it is not laid out, or not ours.
    """

    def __init__(
        self,
        connection: Connection,
        target: str,
        viewport: Viewport | None,
        *,
        is_ours: bool,
        has_user: bool | None = None,
    ):
        self.connection, self.target, self.viewport = connection, target, viewport
        self._is_ours = is_ours
        self._fault: str | None = None
        self._loads = _Loads()
        self.session: str = connection.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self.listen("Inspector.targetCrashed", lambda _: self._fail("the page crashed"))
        self.listen(
            "Inspector.detached", lambda event: self._fail(f"the page is gone: {event.get('reason')}")
        )
        is_answered = (is_ours and viewport is not None) if has_user is None else not has_user
        if is_answered:
            self.listen("Page.javascriptDialogOpening", self._dismiss)
        self.listen("Page.frameNavigated", self._note_navigation)
        self.listen("Page.lifecycleEvent", self._loads.note)
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        if is_answered:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=_NO_DIALOGS)
        if viewport is not None:
            self.call(
                "Emulation.setDeviceMetricsOverride",
                width=viewport.width_px,
                height=viewport.height_px,
                deviceScaleFactor=viewport.scale,
                mobile=viewport.is_mobile,
            )
            self.call("Emulation.setTouchEmulationEnabled", enabled=viewport.is_mobile)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the page if it is ours, else leave it as it is."""
        try:
            if self._is_ours:
                self.connection.call("Target.closeTarget", targetId=self.target)
            else:
                self.connection.call("Target.detachFromTarget", sessionId=self.session)
        except WebError:
            return  # it is gone, or its browser

    def call(self, method: str, timeout_s: float = CALL_S, **params: Any) -> Event:
        """Send a call to the page and return its result; errors as ``Connection.call``."""
        return self.connection.call(method, self.session, timeout_s, **params)

    def listen(self, method: str, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called at each event; return what ends that."""
        return self.connection.listen(method, listener, self.session)

    def navigate(self, url: str, timeout_s: float = LOAD_S) -> None:
        """Load ``url`` and wait for its load event.

        Raises:
            PageError: it cannot be loaded, or not in time.
        """
        self._fault, self._loader = None, None
        self._loads.expect()
        answer = self.call("Page.navigate", timeout_s, url=url)
        if answer.get("errorText"):
            raise PageError(
                f"{one_line(url)} cannot be loaded ({one_line(answer['errorText'])}); check the address"
            )
        # Of this very document: the load of the one before it may still be under way.
        self._loader = answer.get("loaderId")
        if not self._loads.wait(self._loader, timeout_s):
            self.check()
            raise PageError(
                f"{one_line(url)} did not load within {timeout_s:g} s; leave it out, or wait longer"
            )
        self.check()

    def evaluate(self, expression: str, timeout_s: float = CALL_S) -> Any:
        """Return the JSON value of an expression in the page; a promise's is waited for.

        Raises:
            PageError: the expression throws, or takes longer.
        """
        answer = self.call(
            "Runtime.evaluate", timeout_s, expression=expression, returnByValue=True, awaitPromise=True
        )
        if (thrown := answer.get("exceptionDetails")) is not None:
            text = thrown.get("exception", {}).get("description") or thrown.get("text", "it threw")
            raise PageError(f"a script in the page failed: {one_line(text)[:300]}")
        return answer.get("result", {}).get("value")

    def check(self) -> None:
        """Raise what went wrong with the page since it was loaded.

        Raises:
            PageError: it crashed, is gone, navigated away or asked something.
        """
        if self._fault is not None:
            raise PageError(f"{self._fault}; leave the page out, or load it again")

    _loader: str | None = None

    def _fail(self, fault: str) -> None:
        self._fault = self._fault or one_line(fault)
        self._loads.give_up()

    def _dismiss(self, event: Event) -> None:
        self._fault = self._fault or one_line(f"the page opened a dialog ({event.get('type')})")
        self.connection.send("Page.handleJavaScriptDialog", self.session, accept=False)

    def _note_navigation(self, event: Event) -> None:
        frame = event.get("frame", {})
        if "parentId" not in frame and self._loader not in (None, frame.get("loaderId")):
            self._fail(f"the page went to {frame.get('url')} by itself")


class _Loads:
    """Documents whose load event has come."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._loaded: set[str] = set()
        self._is_over = False

    def expect(self) -> None:
        """Wait again, whatever became of the page before."""
        with self._changed:
            self._is_over = False

    def note(self, event: Event) -> None:
        if event.get("name") == "load":
            with self._changed:
                self._loaded.add(event.get("loaderId", ""))
                self._changed.notify_all()

    def give_up(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait(self, loader: str | None, timeout_s: float) -> bool:
        """Wait for the load of a document; ``None``: it was the same one, and is there."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_over or loader is None or loader in self._loaded, timeout_s
            )
            return not self._is_over and (loader is None or loader in self._loaded)


def open_page(
    connection: Connection, viewport: Viewport | None = PHONE, *, has_user: bool | None = None
) -> Page:
    """Open an empty page of its own: counters and caches of a renderer are shared by its pages.

    Args: see ``Page``.
    """
    target = connection.call("Target.createTarget", url="about:blank")["targetId"]
    return Page(connection, target, viewport, is_ours=True, has_user=has_user)


def pages_of(connection: Connection) -> list[Event]:
    """Return what pages a browser has open: ``targetId``, ``title`` and ``url`` of each."""
    found = connection.call("Target.getTargets")["targetInfos"]
    return [info for info in found if info.get("type") == "page"]
