"""``edgekit web``: a command per file, as in ``edgekit.cli``."""

from __future__ import annotations

import click

from edgekit.cli import LazyGroup

SECTIONS: dict[str, dict[str, str]] = {
    "For authors of pages": {
        "compare": "Say whether a page's gestures got dearer; fail if so.",
    },
}


@click.group(cls=LazyGroup, package=__name__, sections=SECTIONS)
def web() -> None:
    """Measure, predict and govern gestures (scroll, fling, pinch) in a real browser."""
