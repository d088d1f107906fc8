"""Reach a browser that runs already, on this machine or on a phone."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from runtime.bundle.decoding import decode_json
from runtime.errors import WebError
from runtime.targets.adb.shell import AdbShell
from runtime.visible import one_line

CHROME_SOCKET = "chrome_devtools_remote"  # of Chrome on Android
APP_SOCKETS = "webview_devtools_remote_"  # of apps' web views, and the process
# Of /proc/net/unix, in which an abstract socket begins with @; that of a second Chrome ends with its process.
_SOCKET = re.compile(r"@((?:chrome|[A-Za-z0-9._]{1,64})_devtools_remote(?:_\d{1,10})?)\s*$", re.MULTILINE)
_PATIENCE_S = 10.0
_MOST_BYTES = 1 << 20
_OPEN = "open Chrome on the phone and look at a page with it"
_ADVICE = "start the browser with --remote-debugging-port=9222 and give --cdp http://127.0.0.1:9222"


def endpoint_of(address: str) -> str:
    """Return where ``Connection`` reaches the browser at ``address``.

    Args:
        address: ``http://HOST:PORT``, ``HOST:PORT``, or a ``ws://`` endpoint, which is returned as it is.

    Raises:
        WebError: no browser answers there.

    Example:
        >>> endpoint_of("http://127.0.0.1:9222")                            # doctest: +SKIP
        'ws://127.0.0.1:9222/devtools/browser/137eef33-db54-4695-ba4f-9a317fe27e18'
    """
    if address.startswith(("ws://", "wss://")):
        return address
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        host, port = parts.hostname or "", parts.port or 9222
    except ValueError as err:
        raise WebError(f"{one_line(address)} is no address of a browser ({err}); {_ADVICE}") from err
    if parts.scheme not in ("", "http") or not host:
        raise WebError(f"{one_line(address)} is no address of a browser; {_ADVICE}")
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        # Chrome answers to an IP address or localhost only, lest a web site rebinds a name of its own.
        connection.request("GET", "/json/version", headers={"Host": f"127.0.0.1:{port}"})
        text = connection.getresponse().read(_MOST_BYTES)
    except (OSError, http.client.HTTPException) as err:
        raise WebError(f"no browser answers at {one_line(address)} ({one_line(err)}); {_ADVICE}") from err
    finally:
        connection.close()
    where = f"what {one_line(address)} answers"
    answer: dict[str, object] = decode_json(
        text, dict[str, object], where=where, advice=_ADVICE, error=WebError
    )
    path = urlsplit(str(answer.get("webSocketDebuggerUrl", ""))).path
    if not path:
        raise WebError(f"{one_line(address)} names no endpoint; {_ADVICE}")
    return f"ws://{host}:{port}{path}"


@contextlib.contextmanager
def forwarded(serial: str, socket: str = CHROME_SOCKET) -> Iterator[str]:
    """Yield the endpoint of a phone's browser, forwarded to a port of this machine until the block ends.

    Args:
        serial: of the phone.
        socket: its abstract socket.

    Raises:
        ValueError: no phone has such a serial.
        DeviceError: the phone is not there.
        WebError: no browser runs there, or it does not let itself be driven.
    """
    shell = AdbShell(serial)
    listed = list_sockets(shell)
    if listed is not None and socket not in listed:
        raise WebError(f"adb:{serial} has no socket {socket}: {_why_none(listed, socket)}")
    port = shell.forward(f"localabstract:{socket}")
    try:
        try:
            endpoint = endpoint_of(f"127.0.0.1:{port}")
        except WebError as err:
            raise WebError(
                f"adb:{serial}: nobody answers at {socket}; {_OPEN}, and close what else drives it "
                "(chrome://inspect)"
            ) from err
        yield endpoint
    finally:
        shell.stop_forwarding(port)


def list_sockets(shell: AdbShell) -> list[str] | None:
    """Return the sockets of a phone at which browsers are driven; ``None``: it does not show its sockets.

    Raises:
        DeviceTransientError: the phone is gone.
    """
    text = shell.run("cat /proc/net/unix 2>/dev/null || true")
    return parse_sockets(text) if text.strip() else None


def parse_sockets(text: str) -> list[str]:
    """Return the sockets of browsers that /proc/net/unix lists.

    Example:
        >>> parse_sockets("0: 00000002 0 10000 1 1 7 @webview_devtools_remote_512\\n0: 2 0 1 1 1 8 /dev/x\\n")
        ['webview_devtools_remote_512']
    """
    return sorted(set(_SOCKET.findall(text)))


def _why_none(listed: list[str], socket: str) -> str:
    if not listed:
        return f"no browser runs on it, or none lets itself be driven; {_OPEN}"
    others = ", ".join(listed)
    if socket.startswith(APP_SOCKETS):
        return f"it has {others}; an app must call WebView.setWebContentsDebuggingEnabled(true), and run"
    return f"it has {others}; {_OPEN}, or choose one of these with --devtools"
