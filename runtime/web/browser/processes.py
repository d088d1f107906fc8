"""Which processes draw a page, and which of their threads does what."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.device.sysfs import read_text
from runtime.errors import WebError
from runtime.web.browser.isolated import IsolatedWorld
from runtime.web.browser.page import Page

ROLES = ("main", "compositor", "raster", "viz", "io", "other")
_BURNS_MS = (40, 160, 640)
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
        gpu: where frames of all pages are put together.
    """

    renderer: int
    gpu: int


def find_processes(page: Page) -> Drawing:
    """Return the processes that draw ``page``.

    The protocol names the renderers of a browser, but not which is a page's: the page computes for a moment,
    and the one that ran is it.

    Raises:
        WebError: the browser runs elsewhere, so that its processes are not to be seen here.
    """
    found = page.connection.call("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [each["id"] for each in found if each["type"] == "renderer"]
    gpu = [each["id"] for each in found if each["type"] == "GPU"]
    world = IsolatedWorld(page)
    for burn_ms in _BURNS_MS if gpu and any(map(cpu_ms, renderers, renderers)) else ():
        before_ms = {pid: cpu_ms(pid, pid) for pid in renderers}
        world.run(_BURN.format(burn_ms), _BURN_LIMIT_MS)
        ran_ms = {pid: cpu_ms(pid, pid) - before_ms[pid] for pid in renderers}
        renderer = max(renderers, key=lambda pid: ran_ms[pid])
        # Another one that just starts uses some ms, too, and on a full machine this one gets little.
        if ran_ms[renderer] >= burn_ms / 2 or (burn_ms == _BURNS_MS[-1] and ran_ms[renderer] >= _RAN_MS):
            return Drawing(renderer, gpu[0])
    raise WebError(
        "the processes of this browser are not to be seen from here; it runs on another machine or in "
        "another container: measure it from there"
    )


def threads_by_role(drawing: Drawing) -> dict[int, tuple[int, str]]:
    """Return each thread that draws: its process and its role, one of ``ROLES``."""
    found = {}
    for pid, names in ((drawing.renderer, _IN_RENDERER), (drawing.gpu, _IN_GPU_PROCESS)):
        for tid in _threads(pid):
            name = (read_text(Path(f"/proc/{pid}/task/{tid}/comm")) or "").strip()
            found[tid] = (pid, _role(pid, tid, name, names, is_renderer=pid == drawing.renderer))
    return found


def work_by_role_ms(drawing: Drawing) -> dict[str, float]:
    """Return the CPU time that each role's threads have used so far, in ms."""
    total = dict.fromkeys(ROLES, 0.0)
    for tid, (pid, role) in threads_by_role(drawing).items():
        total[role] += cpu_ms(pid, tid)
    return total


def spent_ms(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU time that roles used between two readings, without that of threads that ended."""
    return {role: max(0.0, after[role] - before[role]) for role in after}


def cpu_ms(pid: int, tid: int) -> float:
    """Return the CPU time of a thread in ms (``schedstat`` of proc_pid(5) counts ns); 0 where it ended."""
    fields = (read_text(Path(f"/proc/{pid}/task/{tid}/schedstat")) or "").split()
    return int(fields[0]) / 1e6 if fields and fields[0].isdecimal() else 0.0


def _role(pid: int, tid: int, name: str, names: tuple[tuple[str, str], ...], *, is_renderer: bool) -> str:
    if tid == pid:
        return "main" if is_renderer else "viz"
    if name.startswith(_IO):
        return "io"
    fitting = [(start, role) for start, role in names if name.startswith(start)]
    return max(fitting, key=lambda each: len(each[0]))[1] if fitting else "other"


def _threads(pid: int) -> Iterator[int]:
    try:
        yield from map(int, os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return
