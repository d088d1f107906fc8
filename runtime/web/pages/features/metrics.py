"""What Chromium counts for a page."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.web.browser.page import Page

_COUNTS = {
    "LayoutCount": "layouts",
    "RecalcStyleCount": "styles",
    "LayoutDuration": "layout_ms",
    "RecalcStyleDuration": "style_ms",
    "ScriptDuration": "script_ms",
    "TaskDuration": "task_ms",
}
_STATES = {"Documents": "documents", "Nodes": "nodes", "JSEventListeners": "listeners"}


@dataclass(frozen=True)
class Metrics:
    """A page's counters; they are those of its renderer, which pages of one site share.

    Attributes:
        state: what is there now: documents, nodes, listeners, memory.
        used: layouts, style recalculations, and the ms that these, scripts and all tasks took since the
            counters were first read.
    """

    state: dict[str, float]
    used: dict[str, float]


def read_metrics(page: Page, limit_ms: float) -> Metrics:
    """Return the page's counters.

    Args:
        page: loaded.
        limit_ms: to wait for the browser's answers.

    Raises:
        WebError: the browser does not answer.
    """
    page.call("Performance.enable", limit_ms / 1e3)
    found = page.call("Performance.getMetrics", limit_ms / 1e3)["metrics"]
    raw = {each["name"]: float(each["value"]) for each in found}
    state = {name: raw.get(key, 0.0) for key, name in _STATES.items()}
    state["heap_mb"] = raw.get("JSHeapUsedSize", 0.0) / 1e6
    used = {name: raw.get(key, 0.0) * (1000 if name.endswith("_ms") else 1) for key, name in _COUNTS.items()}
    return Metrics(state, used)
