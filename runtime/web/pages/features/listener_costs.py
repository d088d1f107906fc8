"""Which of a page's functions a gesture wakes, on what, written where, and the CPU time that each takes.

Chrome's timeline names each function that an event calls by the place where it begins, and so does its list
of listeners: the two are joined by that. Functions that a listener leaves for later (the next animation
frame, a timer) are told by themselves. It costs two short scrolls, by wheel and by touch, in which tracing
takes time of its own: no run that is measured has it.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from runtime.errors import WebError
from runtime.visible import one_line
from runtime.web.browser.connection import Event
from runtime.web.browser.isolated import IsolatedWorld
from runtime.web.browser.page import Page
from runtime.web.browser.processes import Drawing, find_processes, work_by_role_ms
from runtime.web.frames.displayed import FRAMES_ONLY, shown, traced
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import perform
from runtime.web.gestures.room import Room, look, to_top
from runtime.web.gestures.strokes import strokes_of
from runtime.web.pages.features.listeners import KINDS, all_listeners
from runtime.web.pages.features.page_features import Listener, PageFeatures

_HERE = Path(__file__).parent
_SCROLLS = (Gesture("scroll", 1800.0, "wheel"), Gesture("scroll", 1800.0, "touch"))
_SCROLL_S = 0.5
_ANSWER_S = 5.0
_LIMIT_MS = 1000.0
_MOST, _MOST_OWNERS, _MOST_NAME = 12, 3, 100
_WOKEN = {name for kind in ("wheel", "touch", "scroll", "pointer") for name in KINDS[kind]}
_HOLDS = {"wheel", "mousewheel", "touchstart", "touchmove"}  # that can stop a scroll, unless passive
# A main thread that ran for less than its calls took is another page's: a full machine hides which one it is.
_LEAST_OF_CALLS = 0.8
_CALL, _EVENT = "FunctionCall", "EventDispatch"
# Events of Chrome's timeline that call functions, and what they are to a reader.
_CALLERS = {"FireAnimationFrame": "animation frame", "TimerFire": "timer", _EVENT: ""}

Place = tuple[str, int, int]  # a script's number, line and column, from 0 on


@dataclass
class _Entry:
    """One function under one type of event."""

    name: str = ""
    window: bool = False
    nodes: list[int] = field(default_factory=list)
    is_holding: bool = False
    calls: int = 0
    frame_ms: float = 0.0
    main_share: float | None = None


def with_listeners(page: Page, features: PageFeatures) -> PageFeatures:
    """Return a page's features with what its listeners cost; that they cannot be read is a note there.

    Raises:
        PageError: the page is gone.
    """
    try:
        return replace(features, listeners=read_listener_costs(page))
    except WebError as err:
        page.check()
        return replace(features, notes=(*features.notes, f"costs of listeners failed: {one_line(err)}"))


def read_listener_costs(page: Page) -> tuple[Listener, ...]:
    """Return the functions that a scroll wakes on a loaded page, those that cost most first.

    The page is at its top afterwards.

    Raises:
        WebError: the page hangs, or the browser is gone.
        PageError: the page does not let itself be read.
    """
    world = IsolatedWorld(page, _script("reading"))
    elements = float(world.run("byTag('*').length", _LIMIT_MS))
    scripts: dict[str, str] = {}
    end = page.listen(
        "Debugger.scriptParsed", lambda event: scripts.update({event["scriptId"]: event["url"]})
    )
    try:
        page.call("Debugger.enable", _ANSWER_S)  # tells of scripts that are there already
        page.call("Debugger.setSkipAllPauses", _ANSWER_S, skip=True)  # of a page that says `debugger`
        found = _listed(page, elements)
        page.call("Debugger.disable", _ANSWER_S)
    finally:
        end()
    room, drawing = look(page), _processes(page)
    for gesture in _SCROLLS:
        for (kind, place), called in _called(page, room, gesture, drawing).items():
            entry = found[kind, place]
            entry.name = called.name or entry.name
            if called.frame_ms >= entry.frame_ms:
                entry.calls, entry.frame_ms = called.calls, called.frame_ms
                entry.main_share = called.main_share
    most = sorted(
        ((key, each) for key, each in found.items() if each.calls or each.is_holding),
        key=lambda item: (-item[1].frame_ms, not item[1].is_holding, item[0][0]),
    )[:_MOST]
    return tuple(
        Listener(
            type=kind,
            function=one_line(each.name)[:_MOST_NAME],
            script=_script_name(scripts.get(place[0], ""), place),
            owners=tuple(_owners(world, each)),
            count=len(each.nodes) + each.window,
            is_holding=each.is_holding,
            calls=each.calls,
            frame_ms=round(each.frame_ms, 3),
            main_share=each.main_share,
        )
        for (kind, place), each in most
    )


def _listed(page: Page, elements: float) -> defaultdict[tuple[str, Place], _Entry]:
    """Return the listeners that a gesture may wake, by type and function."""
    found: defaultdict[tuple[str, Place], _Entry] = defaultdict(_Entry)
    for owner, listener in all_listeners(page, _ANSWER_S, elements):
        kind = listener["type"]
        if kind not in _WOKEN:
            continue
        place = listener["scriptId"], listener["lineNumber"], listener["columnNumber"]
        entry = found[kind, place]
        entry.is_holding |= kind in _HOLDS and not listener["passive"]
        if owner == "window":
            entry.window = True
        elif (node := listener.get("backendNodeId")) is not None:
            entry.nodes.append(node)
    return found


def _called(
    page: Page, room: Room, gesture: Gesture, drawing: Drawing | None
) -> dict[tuple[str, Place], _Entry]:
    """Return the functions that a scroll calls, and what they took.

    Args:
        drawing: the page's processes; ``None``: they are not to be seen here.
    """
    try:
        strokes = strokes_of(gesture, room, _SCROLL_S)
    except ValueError:
        return {}  # there is nothing to scroll
    before_ms = _main_ms(drawing)
    with traced(page.connection, (*FRAMES_ONLY, "devtools.timeline")) as trace:
        performed = perform(page, strokes)
    main_ms = _main_ms(drawing) - before_ms
    to_top(page, room.scale)
    frames = max(len(shown(trace.times_s(), performed).times_s), 1)
    calls = list(calls_of(trace.events))
    is_known = main_ms >= _LEAST_OF_CALLS * sum(spent_ms for _, _, spent_ms in calls) > 0
    found: dict[tuple[str, Place], _Entry] = defaultdict(_Entry)
    for key, name, spent_ms in calls:
        entry = found[key]
        entry.name, entry.calls = name, entry.calls + 1
        entry.frame_ms += spent_ms / frames
        if is_known:
            entry.main_share = min((entry.main_share or 0.0) + spent_ms / main_ms, 1.0)
    return found


def _processes(page: Page) -> Drawing | None:
    try:
        return find_processes(page)
    except WebError:
        return None  # the browser runs on another machine


def _main_ms(drawing: Drawing | None) -> float:
    return 0.0 if drawing is None else work_by_role_ms(drawing)["main"]


def calls_of(events: Sequence[Event]) -> Iterator[tuple[tuple[str, Place], str, float]]:
    """Yield each outermost call in a trace: by what and of which function, its name, and its CPU time in ms.

    Args:
        events: of a trace with ``devtools.timeline``.
    """
    threads: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and (event.get("name") == _CALL or event.get("name") in _CALLERS):
            threads[event["pid"], event["tid"]].append(event)
    for mine in threads.values():
        around: list[Event] = []
        for event in sorted(mine, key=lambda event: (event["ts"], -event.get("dur", 0))):
            while around and event["ts"] >= around[-1]["ts"] + around[-1].get("dur", 0):
                around.pop()
            if event["name"] == _CALL and not any(each["name"] == _CALL for each in around):
                data = event.get("args", {}).get("data", {})
                # Here lines and columns are counted from 1 on, in lists of listeners from 0 on.
                place = (
                    str(data.get("scriptId", "")),
                    int(data.get("lineNumber", 1)) - 1,
                    int(data.get("columnNumber", 1)) - 1,
                )
                kind = _kind(around[-1]) if around else "script"
                yield (kind, place), str(data.get("functionName", "")), event.get("tdur", 0) / 1e3
            around.append(event)


def _kind(caller: Event) -> str:
    return _CALLERS[caller["name"]] or str(caller.get("args", {}).get("data", {}).get("type", "event"))


def _owners(world: IsolatedWorld, entry: _Entry) -> Iterator[str]:
    if entry.window:
        yield "window"
    for node in entry.nodes[: _MOST_OWNERS - entry.window]:
        try:
            yield one_line(world.run_on(node, _script("path"), _LIMIT_MS))
        except WebError:  # the scroll removed it
            continue


def _script_name(url: str, place: Place) -> str:
    """Return where a function begins: the path of its file, without the host."""
    path = urlsplit(url).path.strip("/") if not url.startswith("data:") else "the page"
    return f"{one_line(path)[-_MOST_NAME:] or 'a script'}:{place[1] + 1}:{place[2] + 1}"


@functools.cache
def _script(name: str) -> str:
    return (_HERE / f"{name}.js").read_text(encoding="utf-8").strip()
