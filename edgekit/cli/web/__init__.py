"""``edgekit web``: a command per file, as in ``edgekit.cli``."""

from __future__ import annotations

import click

from edgekit.cli import LazyGroup

SECTIONS: dict[str, dict[str, str]] = {
    "Live": {"govern": "Run a live page's gestures at the cheapest setting that keeps their frames."},
}


@click.group(cls=LazyGroup, package=__name__, sections=SECTIONS)
def web() -> None:
    """Measure, predict and govern gestures (scroll, fling, pinch) in a real browser."""
