"""``edgekit web``: a command per file, as in ``edgekit.cli``."""

from __future__ import annotations

import click

from edgekit.cli import LazyGroup

SECTIONS: dict[str, dict[str, str]] = {
    "Measure": {
        "bench": "Measure what gestures on a page show and cost.",
        "record": "Record what a user does on a page, to do it again.",
        "profile": "Run gestures on many pages, to learn from.",
        "report": "Show what gestures cost as one HTML file.",
        "compare": "Say whether a page's gestures got dearer; fail if so.",
    },
    "Govern": {
        "govern": "Run a live page's gestures at the cheapest setting that keeps their frames.",
        "calibrate": "Find the frame rate that is smooth enough for you on a page.",
    },
    "Pages": {
        "corpus": "Fetch and list real pages to measure.",
        "stress": "Write pages that are expensive in known ways.",
        "features": "Read what a page is made of.",
    },
}


@click.group(cls=LazyGroup, package=__name__, sections=SECTIONS)
def web() -> None:
    """Measure, predict and govern gestures (scroll, fling, pinch) in a real browser."""
