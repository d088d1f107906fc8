"""Reach a browser that runs already, on this machine or on a phone."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

from runtime.bundle.decoding import decode_json
from runtime.errors import WebError
from runtime.targets.adb.shell import AdbShell
from runtime.visible import one_line

CHROME_SOCKET = (
    "chrome_devtools_remote"  # of Chrome on Android; an app's web view: webview_devtools_remote_PID
)
_PATIENCE_S = 10.0
_MOST_BYTES = 1 << 20
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
        WebError: no browser runs there.
    """
    shell = AdbShell(serial)
    port = shell.forward(f"localabstract:{socket}")
    try:
        yield endpoint_of(f"127.0.0.1:{port}")
    except WebError as err:
        raise WebError(f"adb:{serial}: {err}; open Chrome on the phone") from err
    finally:
        shell.stop_forwarding(port)
