"""What ``edgekit web calibrate`` asks, and what it says meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgekit.cli._output import note, say

if TYPE_CHECKING:
    from runtime.web.governing.accepted import AcceptedRate

_SHORT, _FEW = 0.9, 2.0  # share and frames: a count of a second is off by one or two
_UNSURE = 2.0  # between the highest and the lowest rate at which answers turned


def ask_user(number: int) -> bool | None:
    """Return whether a showing was smooth enough for who sits here; ``None``: he wants to see it again."""
    choices = click.Choice(["y", "n", "r"], case_sensitive=False)
    answer = click.prompt(f"{number}: smooth enough? y, n, or r to see it again", type=choices, err=True,
                          show_choices=False)  # fmt: skip
    return None if answer == "r" else bool(answer == "y")


def tell(asked_fps: float, shown_fps: float) -> None:
    """Say where this machine shows fewer frames than it was asked for."""
    if shown_fps < min(_SHORT * asked_fps, asked_fps - _FEW):
        note(f"this machine showed {shown_fps:.0f} of {asked_fps:.0f} frames a second; that counts")


def show_rate(rate: AcceptedRate) -> None:
    """Print what is accepted, and say where the answers do not tell."""
    spread = f"{rate.low_fps:.0f} to {rate.high_fps:.0f} in {len(rate.answers)} showings"
    say(f"{rate.kind} on {rate.page}: {rate.fps:.0f} FPS are smooth enough ({spread})")
    if rate.high_fps > _UNSURE * rate.low_fps:
        note("your answers turned at rates far apart: look again with more time (--duration-s 5)")
