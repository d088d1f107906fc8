"""Which processes draw a page, and which of their threads does what."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.errors import WebError
from runtime.web.browser.isolated import IsolatedWorld
from runtime.web.browser.page import Page
from runtime.web.browser.thread_times import ReadThreads, ThreadTime, read_threads

ROLES = ("main", "compositor", "raster", "viz", "io", "other")
_BURNS_MS = (40, 160, 640)  # the last one again and again
_PATIENCE_S = 15.0  # a full machine gives a page little for seconds, not for ever
_IN_VAIN = 5  # burns that nobody ran in, one after the other
_CLEARLY = 2.0  # so many times as long as any other renderer it ran
_RAN_MS = 4.0  # of the last, on the slowest core that is emulated
_BURN = "(() => {{ const end = performance.now() + {}; while (performance.now() < end); }})()"
_BURN_LIMIT_MS = 20_000.0  # on a slow core that others use
# Threads by the first letters of their names; the kernel keeps fifteen of a name.
_IN_RENDERER = (("Compositor", "compositor"), ("CompositorTileW", "raster"), ("ThreadPool", "raster"))
_IN_GPU_PROCESS = (("VizCompositor", "viz"), ("CrGpuMain", "viz"), ("ThreadPool", "raster"))
_IO = "Chrome_ChildIOT"


@dataclass(frozen=True)
class Drawing:
    """The processes that draw a page.

    Attributes:
        renderer: of the page itself; that of its frames from other sites may be others.
        gpu: where frames of all pages are put together; in an app's web view, the app's own.
        read_threads: reads them on the machine where they run.
    """

    renderer: int
    gpu: int
    read_threads: ReadThreads = field(default=read_threads, compare=False)


def find_processes(page: Page) -> Drawing:
    """Return the processes that draw ``page``.

    The protocol names the renderers of a browser, but not which is a page's: the page computes for a moment,
    and the one that ran is it.

    Raises:
        WebError: the browser runs elsewhere, so that its processes are not to be seen here; or others run as
            much as the page for so long that it cannot be told.
    """
    pids = process_ids(page)
    renderers, gpu = pids.get("renderer", []), pids.get("GPU") or pids.get("browser", [])
    read, world = page.connection.host.read_threads, IsolatedWorld(page)
    until_s, in_vain = time.monotonic() + _PATIENCE_S, 0
    for burn_ms in itertools.chain(_BURNS_MS, itertools.repeat(_BURNS_MS[-1])):
        before_ms = _main_ms(read, renderers)
        if gpu and any(before_ms.values()):
            world.run(_BURN.format(burn_ms), _BURN_LIMIT_MS)
        ran_ms = {pid: ms - before_ms.get(pid, 0.0) for pid, ms in _main_ms(read, renderers).items()}
        in_vain = in_vain + 1 if max(ran_ms.values(), default=0.0) < _RAN_MS else 0
        if in_vain == _IN_VAIN or not ran_ms:
            raise WebError(
                "the processes of this browser are not to be seen from here; it runs on another machine or "
                "in another container: measure it from there"
            )
        renderer, *others = sorted(ran_ms, key=lambda pid: -ran_ms[pid])
        # Another one that just starts may have run as long (Chromium's own pages behind its address bar take
        # half a second), and on a full machine this one gets little.
        is_clear = not others or ran_ms[renderer] >= _CLEARLY * ran_ms[others[0]]
        enough_ms = _RAN_MS if burn_ms == _BURNS_MS[-1] else burn_ms / 2
        if is_clear and ran_ms[renderer] >= enough_ms:
            return Drawing(renderer, gpu[0], read)
        if time.monotonic() > until_s:
            break
    raise WebError(
        f"which process draws the page was not to be told in {_PATIENCE_S:g} s, as others ran as much: try "
        "again when the browser's other pages rest and the machine is less busy"
    )


def process_ids(page: Page) -> dict[str, list[int]]:
    """Return the processes of a page's browser by what they are: ``browser``, ``renderer``, ``GPU``, ..."""
    found: dict[str, list[int]] = {}
    for each in page.connection.call("SystemInfo.getProcessInfo")["processInfo"]:
        found.setdefault(str(each["type"]), []).append(int(each["id"]))
    return found


def threads_by_role(drawing: Drawing) -> dict[int, tuple[int, str]]:
    """Return each thread that draws: its process and its role, one of ``ROLES``."""
    threads = drawing.read_threads((drawing.renderer, drawing.gpu))
    return {thread.tid: (thread.pid, _role(thread, drawing)) for thread in threads}


def work_by_role_ms(drawing: Drawing) -> dict[str, float]:
    """Return the CPU time that each role's threads have used so far, in ms."""
    total = dict.fromkeys(ROLES, 0.0)
    for thread in drawing.read_threads((drawing.renderer, drawing.gpu)):
        total[_role(thread, drawing)] += thread.cpu_ms
    return total


def spent_ms(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU time that roles used between two readings, without that of threads that ended."""
    return {role: max(0.0, after[role] - before[role]) for role in after}


def _main_ms(read: ReadThreads, pids: list[int]) -> dict[int, float]:
    """Return the CPU time of the first thread of each process."""
    return {thread.pid: thread.cpu_ms for thread in read(pids) if thread.tid == thread.pid}


def _role(thread: ThreadTime, drawing: Drawing) -> str:
    is_renderer = thread.pid == drawing.renderer
    if thread.tid == thread.pid:
        return "main" if is_renderer else "viz"
    if thread.name.startswith(_IO):
        return "io"
    names = _IN_RENDERER if is_renderer else _IN_GPU_PROCESS
    fitting = [(start, role) for start, role in names if thread.name.startswith(start)]
    return max(fitting, key=lambda each: len(each[0]))[1] if fitting else "other"
