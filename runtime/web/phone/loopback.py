"""Pages that this machine serves, opened on a phone, and kept from reaching any other host."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from runtime.errors import DeviceError, DeviceTransientError
from runtime.targets.adb.shell import AdbShell
from runtime.web.browser.connection import Event
from runtime.web.browser.page import Page

_LOCAL = ("127.0.0.1", "localhost")
_WITHOUT_HOST = ("data", "blob", "about")


class Reversed:
    """Ports of this machine that a phone reaches as its own."""

    def __init__(self, shell: AdbShell):
        self._shell, self._ports = shell, set[int]()

    def reach(self, url: str) -> None:
        """Let the phone open ``url`` if it is of this machine.

        Raises:
            DeviceTransientError: the phone is gone, or has a program of its own at that port.
        """
        parts = urlsplit(url)
        if parts.hostname not in _LOCAL or parts.port in self._ports:
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            self._shell.reverse(port)
        except DeviceError as err:
            raise DeviceTransientError(
                f"{err}; the phone is to reach port {port} of this machine (adb reverse): run it again"
            ) from err
        self._ports.add(port)

    def end(self) -> None:
        """Take the ports back; of a phone that is gone they are."""
        for port in self._ports:
            self._shell.stop_reversing(port)
        self._ports.clear()


@contextlib.contextmanager
def reversed_ports(shell: AdbShell) -> Iterator[Reversed]:
    """Let a phone reach pages of this machine until the block ends."""
    ports = Reversed(shell)
    try:
        yield ports
    finally:
        ports.end()


def block_remote_hosts(page: Page) -> None:
    """Have requests of ``page`` fail that go elsewhere than to its own machine, as long as it is open.

    A browser that we start gets a flag for that; a phone's takes none.

    Raises:
        WebError: the browser refuses.
    """

    def decide(event: Event) -> None:
        request = str(event.get("requestId"))
        parts = urlsplit(str(event.get("request", {}).get("url", "")))
        # Called in the connection's thread: it must not wait for the answer.
        if parts.hostname in _LOCAL or parts.scheme in _WITHOUT_HOST:
            page.connection.send("Fetch.continueRequest", page.session, requestId=request)
        else:
            page.connection.send(
                "Fetch.failRequest", page.session, requestId=request, errorReason="NameNotResolved"
            )

    page.listen("Fetch.requestPaused", decide)
    page.call("Fetch.enable", patterns=[{"urlPattern": "*"}])
