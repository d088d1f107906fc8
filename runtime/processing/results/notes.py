"""Draws of a token to a melody of one voice: bars to read, a piano roll to see, a MIDI file to hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.bundle.result import Notes
from runtime.extras import require
from runtime.processing.results.colours import PAPER, ground
from runtime.processing.results.decoded import Frame, Row
from runtime.processing.results.midi import Note, midi_file

if TYPE_CHECKING:
    from PIL import Image

_HOLD, _END, _FIRST_PITCH = 0, 1, 2
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_BLACK_KEYS = (1, 3, 6, 8, 10)
_BARS_PER_LINE = 4
_STEP_PX, _PITCH_PX, _GAP_PX = 12, 8, 16
_NOTE, _BLACK_KEY, _BAR, _BEAT = (36, 92, 190), (238, 240, 244), (120, 124, 132), (212, 215, 220)


@dataclass(frozen=True)
class NotesResult:
    """A melody.

    Attributes:
        notes: in the order of their beginnings; none overlap.
        steps: its whole length.
        form: steps of a beat, beats of a bar, tempo and instrument.
    """

    notes: tuple[Note, ...]
    steps: int
    form: Notes

    @property
    def steps_per_bar(self) -> int:
        return self.form.steps_per_beat * self.form.beats_per_bar

    def table(self) -> tuple[tuple[str, ...], list[Row]]:
        bars: list[list[str]] = [[] for _ in range(-(-self.steps // self.steps_per_bar))]
        for note in self.notes:
            bars[note.begin // self.steps_per_bar].append(_name(note.pitch))
        rows: list[Row] = [(number, " ".join(inside) or "-") for number, inside in enumerate(bars, 1)]
        return ("bar", "notes that begin in it"), rows

    def plain(self) -> dict[str, Any]:
        notes = [
            {"begin_step": note.begin, "steps": note.steps, "pitch": note.pitch, "name": _name(note.pitch)}
            for note in self.notes
        ]
        return {
            "result": "notes",
            "steps": self.steps,
            "steps_per_beat": self.form.steps_per_beat,
            "beats_per_bar": self.form.beats_per_bar,
            "tempo_bpm": self.form.tempo_bpm,
            "notes": notes,
        }

    def draw(self, picture: Image.Image | None) -> Image.Image:
        """Return a piano roll: time to the right, pitch upwards, four bars a line."""
        steps = _BARS_PER_LINE * self.steps_per_bar
        lines = max(1, -(-self.steps // steps))
        high = self.form.pitches * _PITCH_PX
        size = (min(steps, max(1, self.steps)) * _STEP_PX + 1, lines * (high + _GAP_PX) - _GAP_PX)
        roll = ground(None, *size, PAPER)
        pen = require("PIL.ImageDraw", extra="images").Draw(roll)
        for line in range(lines):
            top = line * (high + _GAP_PX)
            self._draw_paper(pen, top, size[0], min(steps, self.steps - line * steps))
        for note in self.notes:
            end = note.begin + note.steps
            for line in range(note.begin // steps, -(-end // steps)):
                left = max(0, note.begin - line * steps) * _STEP_PX + 1
                right = min(steps, end - line * steps) * _STEP_PX - 1
                y = line * (high + _GAP_PX) + self._row(note.pitch)
                pen.rectangle((left, y, right, y + _PITCH_PX - 2), fill=_NOTE)
        return roll

    def _draw_paper(self, pen: Any, top: int, width: int, steps: int) -> None:
        """Draw the keys of one line, and a line before each beat and bar."""
        for pitch in range(self.form.lowest, self.form.lowest + self.form.pitches):
            if pitch % 12 in _BLACK_KEYS:
                y = top + self._row(pitch)
                pen.rectangle((0, y, width, y + _PITCH_PX - 1), fill=_BLACK_KEY)
        bottom = top + self.form.pitches * _PITCH_PX - 1
        for step in range(0, steps + 1, self.form.steps_per_beat):
            fill = _BAR if step % self.steps_per_bar == 0 else _BEAT
            pen.line((step * _STEP_PX, top, step * _STEP_PX, bottom), fill=fill)

    def _row(self, pitch: int) -> int:
        return (self.form.lowest + self.form.pitches - 1 - pitch) * _PITCH_PX

    def forms(self) -> Mapping[str, Callable[[], bytes]]:
        return {".mid": self._midi, ".midi": self._midi}

    def _midi(self) -> bytes:
        return midi_file(self.notes, self.steps, self.form)


def decode_notes(result: Notes, frame: Frame) -> NotesResult:
    """Return the melody that the draws are."""
    draws = frame.draws[result.token]
    return NotesResult(tuple(_notes(draws, result.lowest)), len(draws), result)


def _notes(draws: Sequence[int], lowest: int) -> list[Note]:
    notes: list[Note] = []
    sounding: tuple[int, int] | None = None  # step of its beginning, pitch
    for step, draw in enumerate([*draws, _END]):
        if draw == _HOLD:
            continue
        if sounding is not None:
            notes.append(Note(sounding[0], step - sounding[0], sounding[1]))
        sounding = None if draw == _END else (step, lowest + draw - _FIRST_PITCH)
    return notes


def _name(pitch: int) -> str:
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"
