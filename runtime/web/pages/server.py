"""Serve a folder of pages to a browser on this machine, as the root of a web site."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from runtime.errors import WebError
from runtime.visible import one_line

# Not the machine's own list of types (/etc/mime.types): a page must be the same page everywhere.
_TYPES = {
    "": "application/octet-stream",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".php": "text/html",  # saved from sites that named their pages so
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
}
_LOOK_EVERY_S = 0.05  # whether to end: as long as closing takes


class Site:
    """A folder that is being served.

    Attributes:
        folder: what ``/`` stands for.
        port: on 127.0.0.1.
    """

    def __init__(self, folder: Path, port: int):
        self.folder, self.port = folder, port

    def url(self, path: str = "") -> str:
        """Return the address of a file of the folder.

        Args:
            path: relative to the folder; ``""``: its ``index.html``.
        """
        return f"http://127.0.0.1:{self.port}/{quote(path)}"


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serve what lies below ``folder`` on a free port of 127.0.0.1 until the block ends.

    A file outside of it is not served, whatever the path or a link says; a folder shows its ``index.html``,
    never a list of its files.

    Raises:
        WebError: there is no such folder.

    Example:
        >>> with serve(Path("my-site")) as site:                            # doctest: +SKIP
        ...     page.navigate(site.url("about.html"))
    """
    root = folder.resolve()
    if not root.is_dir():
        raise WebError(f"{one_line(folder)} is no folder; give the folder that holds the pages")
    server = _Server(("127.0.0.1", 0), _handler(root))
    thread = threading.Thread(
        target=server.serve_forever, args=(_LOOK_EVERY_S,), name="edgekit-pages", daemon=True
    )
    thread.start()
    try:
        yield Site(root, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser keeps connections open

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes elsewhere drops what it was reading."""


def _handler(root: Path) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as real servers do
        extensions_map = _TYPES

        def __init__(self, *args: Any):
            super().__init__(*args, directory=str(root))

        def translate_path(self, path: str) -> str:
            try:
                asked = unquote(urlsplit(path).path).lstrip("/")
                found = (root / asked).resolve()
                is_inside = found == root or root in found.parents
            except (ValueError, OSError, RuntimeError):  # a zero byte, a name too long, a circle of links
                is_inside = False
            # What is not there is answered with 404.
            return str(found) + "/" * path.endswith("/") if is_inside else str(root / "\x01")

        def list_directory(self, path: Any) -> None:
            self.send_error(404, "no index.html in this folder")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: every request would be a line."""

    return Handler
