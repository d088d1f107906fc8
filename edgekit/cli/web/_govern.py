"""What ``edgekit web govern`` takes apart and prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edgekit.cli._output import WIDE, note, print_json, print_table, say
from edgekit.cli.web._gestures import GESTURE

if TYPE_CHECKING:
    from runtime.web.governing.gesture_run import GovernedGesture
    from runtime.web.governing.run import WebGovernOptions
    from runtime.web.governing.trials import Trial

_KINDS = ("scroll", "fling", "pinch")
_USERS = "users"
_TRIED = ("gesture", "governor", "FPS", "of", "mW", "mJ", "MHz")
_MOST_CLOCKS = 4


def govern_here(
    *,
    page: str | None,
    cdp: str | None,
    fps: float | None,
    by_kind: Sequence[str],
    accept: str | None,
    margin: float,
    refresh_hz: float,
    learnt: Path | None,
    learnt_on: str | None,
    log: Path | None,
    seconds: float | None,
    browser: Path | None,
    window: bool,
    tried: Sequence[str],
    out: Path,
    as_json: bool,
) -> None:
    """Govern a page on this machine, and print each gesture; or those that are to be tried."""
    from runtime.web.governing.accepted import AcceptedRates, read_accepted
    from runtime.web.governing.goal import FrameGoal
    from runtime.web.governing.run import WebGovernOptions, govern_page

    accepted = None
    if accept is not None:
        accepted = AcceptedRates() if accept == _USERS else read_accepted(Path(accept))
    goal = FrameGoal(refresh_hz if fps is None else fps, dict(map(_rate, by_kind)), accepted)
    asked = WebGovernOptions(page, cdp, browser, not window, goal, margin, refresh_hz, learnt, learnt_on, log)
    if tried:
        try_here(asked, tried, out, as_json=as_json)
        return
    end_s = None if seconds is None else time.monotonic() + seconds
    govern_page(
        asked,
        on_message=note,
        on_gesture=_print_json if as_json else _print,
        until=lambda: end_s is not None and time.monotonic() >= end_s,
    )


def try_here(asked: WebGovernOptions, gestures: Sequence[str], folder: Path, *, as_json: bool) -> None:
    """Do gestures governed and not, keep them in ``folder``, and print what they showed and took."""
    from runtime.web.governing.trials import keep_trial
    from runtime.web.governing.trying import try_gestures

    parsed = [GESTURE.convert(text, None, None) for text in gestures]
    trials = []
    for trial in try_gestures(asked, parsed, on_message=note):
        keep_trial(folder, trial)
        trials.append(trial)
    if as_json:
        print_json([{"fps": t.fps, "mean_mw": t.mean_mw, "misses": t.misses, **asdict(t)} for t in trials])
    else:
        print_table(_TRIED, [_cells(trial) for trial in trials])
    note(f"kept in {folder}; see them over time: edgekit web report {folder}")


def govern_inside(soc: str, given: Mapping[str, Any]) -> int:
    """Run the same inside an emulated machine, and return its status."""
    from runtime.device.child import module_command
    from runtime.device.emulation.launcher import emulate

    words = ["web", "govern", *(["--wide"] if click.get_current_context().meta.get(WIDE) else [])]
    names = {"by_kind": "of", "as_json": "json", "tried": "try"}
    for name, value in given.items():
        flag = f"--{names.get(name, name).replace('_', '-')}"
        for each in value if isinstance(value, tuple) else (value,):
            if each is True:
                words.append(flag)
            elif each not in (None, False) and name != "page":
                words.append(f"{flag}={each}")
    words += [] if given["page"] is None else ["--", given["page"]]
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


def _cells(trial: Trial) -> list[object]:
    way = " -> ".join(f"{cluster} {khz / 1000:.0f}" for _, cluster, khz in trial.clocks[:_MOST_CLOCKS])
    more = " ..." if len(trial.clocks) > _MOST_CLOCKS else ""
    figures = [None if value is None else f"{value:.0f}" for value in (trial.mean_mw, trial.energy_mj)]
    target = f"{trial.fps_target:.0f}" + (" missed" if trial.misses else "")
    return [trial.gesture, trial.governor, f"{trial.fps:.1f}", target, *figures, way + more]


def _print(done: GovernedGesture) -> None:
    shown = "frames not counted" if done.fps is None else f"{done.fps:.0f} FPS of {done.fps_target:.0f}"
    work = "" if done.work_ms is None else f", {done.work_ms:.1f} ms of work a frame"
    way = " -> ".join(str(setting) for _, setting in done.settings)
    say(f"{done.kind} {done.speed:.0f} px/s: {way}: {shown}{work}")


def _print_json(done: GovernedGesture) -> None:
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
    sys.stdout.flush()
