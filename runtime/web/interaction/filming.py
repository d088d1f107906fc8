"""A run of a gesture that is filmed, and not measured."""

from __future__ import annotations

import time

from runtime.device.setting import Setting
from runtime.web.browser.display import lag_s
from runtime.web.frames.films import Film
from runtime.web.frames.filmstrip import filmed, filmstrip
from runtime.web.gestures.gesture import Gesture
from runtime.web.gestures.perform import perform
from runtime.web.interaction.machine import Machine
from runtime.web.interaction.run import ready
from runtime.web.interaction.subject import Subject


def film(machine: Machine, subject: Subject, gesture: Gesture, setting: Setting, duration_s: float) -> Film:
    """Do the gesture once on a page that is placed on ``setting``, and return pictures of it.

    Raises:
        PageError: the page cannot be scrolled, or does not stay as it was.
        WebError: the browser is gone.
    """
    refresh_hz = machine.display.refresh_hz
    strokes = ready(subject, gesture, duration_s, refresh_hz)
    with filmed(subject.page, is_remote=machine.is_remote) as frames:
        performed = perform(subject.page, strokes)
        time.sleep(2 * lag_s(refresh_hz))  # the last frames are on their way
    subject.page.check()
    strip = filmstrip(frames, performed, refresh_hz=refresh_hz)
    return Film(subject.name, subject.sha256, gesture.name, setting, strip)
