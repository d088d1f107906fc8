"""Find Chromium or Chrome on this machine and start one that ends when its starter does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from runtime.errors import WebError
from runtime.visible import one_line

# The programs themselves, not the distributions' scripts around them: those add flags of their own.
PLACES = (
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium-browser/chromium-browser",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OLDEST = 120  # of Chromium, 2023: `--headless=new` and the events of displayed frames are there
INSTALL = "install one (Debian: apt install chromium), or name it with --browser"
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-quic",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    # A renderer kept in reserve wakes now and then, beside the one that is measured.
    "--disable-features=SpareRendererForSitePerProcess,Translate,OptimizationHints",
    "--remote-allow-origins=*",
)
# Software drawing, so that a machine without a GPU is measured alike wherever it stands.
_HEADLESS = ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--enable-viewport")
_LOOPBACK_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_PORT_FILE = "DevToolsActivePort"
_START_S = 60.0  # an emulated little core takes 20
_STOP_S = 5.0
_LOOK_EVERY_S = 0.02
_PIPES = (3, 4)  # where `--remote-debugging-pipe` expects its ends


@dataclass(frozen=True)
class Launch:
    """How a browser is started.

    Attributes:
        binary: of Chromium or Chrome; ``None``: the first that this machine has.
        is_headless: without a window, drawn in software.
        only_loopback: pages reach no other host than this one.
        flags: further ones.
    """

    binary: Path | None = None
    is_headless: bool = True
    only_loopback: bool = False
    flags: Sequence[str] = ()


class Browser:
    """A browser that runs until ``close``, or until this process ends in whatever way.

    Attributes:
        endpoint: where ``Connection`` reaches it.
        pid: of its first process.

    Raises:
        WebError: this machine has no browser, or it did not start.

    Example:
        >>> with Browser(Launch()) as browser:                      # doctest: +SKIP
        ...     browser.endpoint
        'ws://127.0.0.1:43307/devtools/browser/137eef33-db54-4695-ba4f-9a317fe27e18'
    """

    def __init__(self, launch: Launch = Launch()):
        binary = find_browser(launch.binary)
        if not (launch.is_headless or has_display()):
            raise WebError(
                "there is no display here for a window (neither DISPLAY nor WAYLAND_DISPLAY is set); run "
                "this on a desktop, or without a window"
            )
        self._folder = Path(tempfile.mkdtemp(prefix="edgekit-browser-"))
        self._log = self._folder / "stderr"
        try:
            self._process, self._leash = _start(binary, launch, self._folder, self._log)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.pid = self._process.pid
        try:
            self.endpoint = self._wait_for_port()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE

    def close(self) -> None:
        """End the browser and remove its profile."""
        for end in self._leash:
            os.close(end)
        self._leash = ()
        family = [self._process]
        with contextlib.suppress(psutil.NoSuchProcess):
            family += self._process.children(recursive=True)
            self._process.terminate()
        # Its helpers end a little later, and write into the profile until then.
        _, left = psutil.wait_procs(family, timeout=_STOP_S)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_STOP_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_for_port(self) -> str:
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            port, _, path = _read(self._folder / _PORT_FILE).partition("\n")
            if path:  # written in one go, but not atomically
                return f"ws://127.0.0.1:{port}{path.strip()}"
            if not self.is_running:
                raise WebError(
                    f"the browser ended at once with status {self._process.wait()}{_last_words(self._log)}"
                )
            time.sleep(_LOOK_EVERY_S)
        raise WebError(f"the browser did not start within {_START_S:g} s{_last_words(self._log)}")


def has_display() -> bool:
    """Return whether a window can be shown here, as far as the environment tells."""
    return sys.platform != "linux" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def find_browser(binary: Path | None = None) -> Path:
    """Return the browser to start: ``binary``, or the first that this machine has.

    Raises:
        WebError: there is none.
    """
    if binary is not None:
        if not (binary.is_file() and os.access(binary, os.X_OK)):
            raise WebError(f"{one_line(binary)} is no program; name a Chromium or Chrome with --browser")
        return binary
    for place in map(Path, PLACES):
        if place.is_file() and os.access(place, os.X_OK):
            return place
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            return Path(found)
    raise WebError(f"there is no Chromium or Chrome on this machine; {INSTALL}")


def _start(binary: Path, launch: Launch, folder: Path, log: Path) -> tuple[psutil.Process, tuple[int, ...]]:
    """Start the browser; return it and the pipe ends it lives by.

    The protocol's pipe is opened besides the port and never used: a browser ends when it breaks, and it
    breaks when this process ends, by ``kill -9`` too.
    """
    command = [str(binary), *_FLAGS, *(_HEADLESS if launch.is_headless else ())]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # refuses to run as root with one
    if launch.only_loopback:
        command.append(_LOOPBACK_ONLY)
    command += [
        "--remote-debugging-port=0",
        "--remote-debugging-pipe",
        f"--user-data-dir={folder}",
        *launch.flags,
    ]
    (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()
    ends = (our_out, our_in)
    with contextlib.ExitStack() as stack:
        for end in (its_in, its_out):
            stack.callback(os.close, end)
        # Above those that they become, so that neither takes the other's place.
        far = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (its_in, its_out)]
        for end in far:
            stack.callback(os.close, end)
        words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        stack.callback(os.close, words)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, nothing)
        places = ((nothing, 0), (words, 1), (words, 2), *zip(far, _PIPES, strict=True))
        try:
            pid = os.posix_spawn(
                str(binary),
                [*command, "about:blank"],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, end, place) for end, place in places],
                setpgroup=0,  # Ctrl-C in the terminal is ours to handle
            )
        except OSError as err:
            for end in ends:
                os.close(end)
            raise WebError(
                f"{one_line(binary)} does not start ({err.strerror}); name another with --browser"
            ) from err
    return psutil.Process(pid), ends


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _last_words(log: Path) -> str:
    lines = [line for line in _read(log).splitlines() if line.strip()]
    return f": {one_line(lines[-1])[:300]}" if lines else f"; {INSTALL}"
