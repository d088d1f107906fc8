"""Which layers of a phone's compositor show what a browser draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Android 15 shows layers as RequestedLayerState{NAME parentId=7 z=1}; those before, by their names.
_REQUESTED = re.compile(r"RequestedLayerState\{(?P<name>.*?)(?: parentId=.*| relativeParentId=.*| z=.*)?\}$")
_NUMBERED = re.compile(r"\d+:(?=\S)")  # some makers number the lines
_NAME = re.compile(r"[ -~]{1,200}")  # what is put into a line of sh again
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.\w+)+")
# Layers of a window that hold no picture of the page: colours, input, what moves windows about.
_NO_PICTURE = re.compile(
    r"Background for|Bounds for|ActivityRecord|InputSink|Input Consumer|Dim |Splash|Snapshot|leash|Task="
    r"|bbq-wrapper"
)
_CHROME_OWN = re.compile(r"Chrome(Child|NativeWindow)Surface")  # gl_surface_egl_surface_control.cc
_SURFACE = re.compile(r"SurfaceView")
MOST_LAYERS = 8


@dataclass(frozen=True)
class Layers:
    """Names of a browser's layers.

    Attributes:
        surfaces: that it draws pages into itself, as Chrome does.
        windows: that Android draws for the app, with the page of a web view in it.
    """

    surfaces: tuple[str, ...]
    windows: tuple[str, ...]


def parse_package(cmdline: str) -> str | None:
    """Return the app that a process belongs to, from its /proc/PID/cmdline; ``None`` where it names none.

    Example:
        >>> parse_package("com.android.chrome\\0"), parse_package("com.x.y:sandboxed_process0")
        ('com.android.chrome', 'com.x.y')
    """
    word = cmdline.partition("\0")[0].strip().partition(":")[0]
    return word if _PACKAGE.fullmatch(word) else None


def parse_layers(text: str) -> list[str]:
    """Return the names of layers that ``dumpsys SurfaceFlinger --list`` prints, as ``--latency`` takes them.

    Example:
        >>> parse_layers("RequestedLayerState{a.b/.Main#29 parentId=28 z=0}\\nStatusBar#7\\n")
        ['a.b/.Main#29', 'StatusBar#7']
    """
    found = []
    for line in text.splitlines():
        name = _NUMBERED.sub("", line.strip(), count=1)
        requested = _REQUESTED.fullmatch(name)
        name = name if requested is None else requested["name"]
        if _NAME.fullmatch(name):
            found.append(name)
    return found


def layers_of(names: Iterable[str], package: str) -> Layers:
    """Return which layers are a browser's.

    From Android 12 on a SurfaceView has a layer of its own for pictures, marked BLAST; Chrome hangs
    surfaces of its own below it, whose names say nothing of the app.
    """
    is_its = re.compile(rf"(?<![\w.]){re.escape(package)}(?![\w.])")
    of_app = [name for name in names if not _NO_PICTURE.search(name)]
    surfaces = [name for name in of_app if _SURFACE.search(name) and is_its.search(name)]
    blast = [name for name in surfaces if "(BLAST)" in name]
    own = [name for name in of_app if _CHROME_OWN.search(name)]
    windows = [name for name in of_app if is_its.search(name) and not _SURFACE.search(name)]
    return Layers(_first((*(blast or surfaces), *own)), _first(windows))


def _first(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_LAYERS]
