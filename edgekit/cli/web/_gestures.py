"""Gestures on the command line: how they are written, and which of them takes place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._progress import Steps

if TYPE_CHECKING:
    from runtime.measure.records import Record
    from runtime.web.gestures.gesture import Gesture


class _Gesture(click.ParamType):
    name = "gesture"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Gesture:
        from runtime.web.gestures.gesture import parse_gesture
        from runtime.web.gestures.recording import read_recording

        text = str(value)
        if text.endswith(".json"):
            return read_recording(Path(text))
        try:
            return parse_gesture(text)
        except ValueError as err:
            self.fail(str(err), param, ctx)


gestures_option = click.option(
    "--gesture",
    "gestures",
    type=_Gesture(),
    multiple=True,
    default=("scroll",),
    show_default=True,
    metavar="KIND[:SPEED][xFACTOR][@SOURCE]",
    help="scroll, fling or pinch, at px/s, by wheel or touch; or FILE.json of web record. Repeatable.",
)

one_gesture_option = click.option(
    "--gesture", type=_Gesture(), default="scroll", show_default=True, metavar="KIND[:SPEED][@SOURCE]",
    help="scroll, fling or pinch, at px/s, by wheel or touch.",
)  # fmt: skip


devtools_option = click.option(
    "--devtools",
    metavar="SOCKET",
    help="Of a phone's browser, if not Chrome's: webview_devtools_remote_PID of an app.",
)


class GestureSteps(Steps):
    """Says which run takes place and what it showed."""

    def measured(self, record: Record) -> None:
        """Keep the result of a run; give it as ``on_record``."""
        power = "" if record.power_mw is None else f", {record.power_mw:.0f} mW"
        self.done(f"{record.model} {record.variant} on {record.setting}: {record.fps:.1f} FPS{power}")
