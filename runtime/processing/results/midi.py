"""A melody as a standard MIDI file: one track, as of the MIDI 1.0 specification, format 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.bundle.result import Notes

_TICKS_PER_STEP = 120  # 480 a beat of sixteenths, what most sequencers count in
_VELOCITY = 90


@dataclass(frozen=True)
class Note:
    """One note: the step of its beginning, its length in steps, its MIDI number."""

    begin: int
    steps: int
    pitch: int


def midi_file(notes: Sequence[Note], steps: int, form: Notes) -> bytes:
    """Return the file's bytes.

    Args:
        notes: of one voice, in order.
        steps: the whole length, with the silence at the end.
        form: tempo, beats and instrument.
    """
    beat_us = round(60e6 / form.tempo_bpm)
    events: list[tuple[int, int, bytes]] = []  # tick, order within the tick, message
    for note in notes:
        events.append((note.begin * _TICKS_PER_STEP, 1, bytes((0x90, note.pitch, _VELOCITY))))
        events.append(((note.begin + note.steps) * _TICKS_PER_STEP, 0, bytes((0x80, note.pitch, 0))))
    track = bytearray(_after(0, b"\xff\x51\x03" + beat_us.to_bytes(3, "big")))
    track += _after(0, bytes((0xFF, 0x58, 4, form.beats_per_bar, 2, 24, 8)))  # 2: a quarter is the beat
    track += _after(0, bytes((0xC0, form.program)))
    now = 0
    for tick, _, message in sorted(events):
        track += _after(tick - now, message)
        now = tick
    track += _after(max(0, steps * _TICKS_PER_STEP - now), b"\xff\x2f\x00")
    division = _TICKS_PER_STEP * form.steps_per_beat
    header = b"MThd" + (6).to_bytes(4, "big") + bytes((0, 0, 0, 1)) + division.to_bytes(2, "big")
    return header + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)


def _after(ticks: int, message: bytes) -> bytes:
    """Return ``message`` with its delay, which MIDI writes as digits of 7 bits, all but the last marked."""
    digits = [ticks & 0x7F]
    while ticks := ticks >> 7:
        digits.append(0x80 | (ticks & 0x7F))
    return bytes(reversed(digits)) + message
