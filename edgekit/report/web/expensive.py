"""What is expensive on a page, in words, as far as its features and the work of its frames tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.web.learning.pages import KnownPage
from runtime.web.pages.features.page_features import Listener

SCREENS = 3  # of the page that painted things were looked for on, from its top
_LEAST_MS, _LEAST_SHARE = 0.3, 0.1  # of a frame's work: below both nobody would notice it gone
_LEAST_AREA = 0.1  # of a screen
_MOST_PAINTED, _MOST_OWNERS, _MOST_LISTENERS = 5, 3, 5

_THREADS = {
    "main": ("The page's main thread", "scripts, style, layout"),
    "raster": ("Painting into tiles", "shadows, gradients, curves, large pictures"),
    "viz": ("Putting layers together", "filters, blurs, blends, large layers, in every frame"),
    "compositor": ("Moving layers", "many layers, and areas that listeners watch"),
}
_TASKS = {
    "script_ms": ("scripts", "do less in listeners of scroll, wheel and touch events"),
    "layout_ms": ("layout", "do not read sizes after changing styles; use contain or content-visibility"),
    "style_ms": ("styles", "change classes low in the tree, and use simple selectors"),
}
_PAINTED = {
    "paint_filter": "filters",
    "paint_backdrop": "filters of what lies behind",
    "paint_shadow": "shadows",
    "paint_gradient": "gradients",
    "paint_blend": "blended layers",
    "paint_clip_path": "clip paths",
    "paint_mask": "masks",
    "paint_text_shadow": "shadows of text",
    "paint_attached": "backgrounds that stay while the page moves",
    "paint_background_image": "background pictures",
    "paint_rounded_clip": "rounded boxes that cut off what is in them",
}
_LATER = {"animation frame": "an animation frame", "timer": "a timer"}
_HOLDING = {"listeners_wheel_blocking": "wheel", "listeners_touch_blocking": "touch"}


@dataclass(frozen=True)
class Finding:
    """Something that costs, or may cost.

    Attributes:
        what: in words, with numbers.
        hint: what to look at.
        share: of a frame's work that it takes, 0 to 1; ``None``: it was counted, not timed.
    """

    what: str
    hint: str
    share: float | None = None


def findings(page: KnownPage, work_ms: Mapping[str, float]) -> tuple[Finding, ...]:
    """Return what is expensive, what was timed first and most first.

    Args:
        page: with its features, where somebody read them.
        work_ms: CPU time of a frame of a gesture by role of thread, at full speed; empty where none was
            measured.
    """
    timed = sorted(_timed(page, work_ms), key=lambda finding: -(finding.share or 0.0))
    return (*timed, *_counted(page), *_painted(page))


def _timed(page: KnownPage, work_ms: Mapping[str, float]) -> Iterator[Finding]:
    all_ms = sum(work_ms.values())
    for listener in page.listeners[:_MOST_LISTENERS] if all_ms > 0 else ():
        took_ms = listener.frame_ms
        if listener.main_share is not None:  # of the runs' main thread: the probe's frames may be few
            took_ms = listener.main_share * work_ms.get("main", 0.0)
        if took_ms >= _LEAST_MS:
            took = f"takes about {took_ms:.1f} ms of a frame"
            yield Finding(f"{_called(listener)} {took}.", _where(listener), min(took_ms / all_ms, 1.0))
    features = page.features
    for role, (name, hint) in _THREADS.items():
        role_ms = work_ms.get(role, 0.0)
        if role_ms >= max(_LEAST_MS, _LEAST_SHARE * all_ms):
            share = role_ms / all_ms
            yield Finding(f"{name} takes {role_ms:.1f} of {all_ms:.1f} ms of a frame.", hint, share)
    # Durations that Chrome counts go on while others have the core, so only their shares say something.
    tasks_ms, main_ms = features.get("probe_task_ms", 0.0), work_ms.get("main", 0.0)
    for feature, (name, hint) in _TASKS.items():
        share = min(features.get(f"probe_{feature}", 0.0) / tasks_ms, 1.0) if tasks_ms > 0 else 0.0
        if share >= _LEAST_SHARE and share * main_ms >= _LEAST_MS:
            yield Finding(
                f"{100 * share:.0f} % of the main thread's time while the page scrolls is {name}: "
                f"about {share * main_ms:.1f} ms of a frame.",
                hint,
                share * main_ms / all_ms,
            )


def _counted(page: KnownPage) -> Iterator[Finding]:
    features = page.features
    for feature, kind in _HOLDING.items():
        if (count := features.get(feature, 0.0)) >= 1:
            yield Finding(
                f"{count:.0f} {kind} {'listener' if count == 1 else 'listeners'} may stop a scroll, so every "
                "scroll waits for the main thread.",
                "add them with {passive: true}"
                + "".join(f"; {_where(each)}" for each in _holding(page, kind)[:_MOST_LISTENERS]),
            )
    if (layouts := features.get("probe_layouts", 0.0)) >= 1.5:
        yield Finding(
            f"The page is laid out {layouts:.1f} times for each frame.",
            "read all sizes before changing any style",
        )
    if (count := features.get("paint_animations_main", 0.0)) >= 1:
        yield Finding(
            f"{count:.0f} running {'animation changes' if count == 1 else 'animations change'} what the page "
            "must lay out or paint again for every frame.",
            "animate transform and opacity only",
        )
    if (mpx := features.get("images_shrunk_mpx", 0.0)) >= 1:
        yield Finding(
            f"Pictures on the first {SCREENS} screens hold {mpx:.1f} megapixels more than are shown.",
            "give pictures in the size they are shown in (srcset)",
        )
    if (mpx := features.get("images_canvas_mpx", 0.0)) >= 1:
        yield Finding(f"Canvases hold {mpx:.1f} megapixels.", "draw smaller, and only what changed")


def _holding(page: KnownPage, kind: str) -> list[Listener]:
    return [each for each in page.listeners if each.is_holding and kind in each.type]


def _called(listener: Listener) -> str:
    name = f" {listener.function}" if listener.function else ""
    if listener.count:
        return f"The {listener.type} listener{name}"
    return f"The function{name} of {_LATER.get(listener.type, 'a script')}"


def _where(listener: Listener) -> str:
    if not listener.count:
        return listener.script
    more = listener.count - len(listener.owners)
    owners = ", ".join(listener.owners) or "an element"
    return f"{listener.script}, on {owners}{f' and {more} more' if more > 0 else ''}"


def _painted(page: KnownPage) -> Iterator[Finding]:
    areas = {feature: page.features.get(f"{feature}_area", 0.0) for feature in _PAINTED}
    largest = sorted((f for f, area in areas.items() if area >= _LEAST_AREA), key=lambda f: -areas[f])
    for feature in largest[:_MOST_PAINTED]:
        owners = [f"{p.owner} ({p.count})" for p in page.painted if f"paint_{p.kind}" == feature]
        yield Finding(
            f"{_PAINTED[feature].capitalize()}: {_boxes(page.features.get(feature, 0.0))} on the first "
            f"{SCREENS} screens, {areas[feature]:.1f} screens large together.",
            f"most of it on {', '.join(owners[:_MOST_OWNERS])}" if owners else "",
        )


def _boxes(count: float) -> str:
    return f"{count:.0f} {'box' if count == 1 else 'boxes'}"
