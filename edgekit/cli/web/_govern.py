"""What ``edgekit web govern`` takes apart and prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edgekit.cli._output import note, say

if TYPE_CHECKING:
    from runtime.web.governing.gesture_run import GovernedGesture

_KINDS = ("scroll", "fling", "pinch")


def govern_here(
    *,
    url: str | None,
    cdp: str | None,
    fps: float,
    by_kind: Sequence[str],
    accept: bool,
    margin: float,
    refresh_hz: float,
    learnt: Path | None,
    learnt_on: str | None,
    log: Path | None,
    seconds: float | None,
    browser: Path | None,
    window: bool,
    as_json: bool,
) -> None:
    """Govern a page on this machine, and print each gesture."""
    from runtime.web.governing.goal import FrameGoal
    from runtime.web.governing.run import WebGovernOptions, govern_page

    goal = FrameGoal(fps, dict(map(_rate, by_kind)), accept)
    asked = WebGovernOptions(url, cdp, browser, not window, goal, margin, refresh_hz, learnt, learnt_on, log)
    end_s = None if seconds is None else time.monotonic() + seconds
    govern_page(
        asked,
        on_message=note,
        on_gesture=_print_json if as_json else _print,
        until=lambda: end_s is not None and time.monotonic() >= end_s,
    )


def govern_inside(soc: str, given: Mapping[str, Any]) -> int:
    """Run the same inside an emulated machine, and return its status."""
    from runtime.device.child import module_command
    from runtime.device.emulation.launcher import emulate

    words = ["web", "govern"]
    names = {"by_kind": "of", "as_json": "json"}
    for name, value in given.items():
        flag = f"--{names.get(name, name).replace('_', '-')}"
        for each in value if isinstance(value, tuple) else (value,):
            if each is True:
                words.append(flag)
            elif each not in (None, False) and name != "url":
                words.append(f"{flag}={each}")
    words += [] if given["url"] is None else ["--", given["url"]]
    return emulate(soc, module_command("edgekit", *words))


def _rate(text: str) -> tuple[str, float]:
    kind, _, fps = text.partition("=")
    try:
        if kind in _KINDS:
            return kind, float(fps)
    except ValueError:
        pass
    raise click.BadParameter(
        f"{text!r} is no KIND=FPS, such as pinch=45; kinds: {', '.join(_KINDS)}", param_hint="--of"
    )


def _print(done: GovernedGesture) -> None:
    shown = "frames not counted" if done.fps is None else f"{done.fps:.0f} FPS of {done.fps_target:.0f}"
    work = "" if done.work_ms is None else f", {done.work_ms:.1f} ms of work a frame"
    way = " -> ".join(str(setting) for _, setting in done.settings)
    say(f"{done.kind} {done.speed:.0f} px/s: {way}: {shown}{work}")


def _print_json(done: GovernedGesture) -> None:
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
    sys.stdout.flush()
