"""Tunes of one voice from standard MIDI files (MIDI 1.0, formats 0 and 1).

Read by ourselves, as ABC is. Notes begin and end on the nearest sixteenth. A file with several voices, more
metres than one, or notes far off the grid is refused. A file without a key signature is in the key that its
notes are most like: Krumhansl and Kessler 1982, whose profiles of the major and the minor key are correlated
with the notes' durations.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from edgekit.data.tunes.abc import AbcTune, Bar, Note
from edgekit.data.tunes.keys import Key

_PER_WHOLE = 16  # steps of a whole note
_FARTHEST = 0.25  # of a sixteenth, that a note may begin off the grid: played by a person, not written
_MOST_STEPS = 1 << 16  # over an hour; what is longer is no tune
_META, _TEXT_KINDS = 0xFF, (0xF0, 0xF7)
_METRE, _KEY, _END = 0x58, 0x59, 0x2F
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


@dataclass(frozen=True)
class _Event:
    """A message of a track: ticks since its begin, status and data; of a meta event the kind comes first."""

    tick: int
    status: int
    data: bytes


def parse_midi(data: bytes) -> AbcTune:
    """Return the tune that a MIDI file holds.

    Raises:
        ValueError: it is no such file, or not a tune of one voice in one metre; says why.
    """
    try:
        per_quarter, tracks = _read(data)
    except IndexError as err:
        raise ValueError("the MIDI file ends early") from err
    metres = {event.data[1:3] for track in tracks for event in track if _is_meta(event, _METRE)}
    if len(metres) > 1:
        raise ValueError("the MIDI file changes its metre")
    beats, power = metres.pop() if metres else (4, 2)
    if not 1 <= beats <= 32 or power > 5:
        raise ValueError(f"the MIDI file is in {beats} beats of the power {power} of a half; no tune is")
    notes = _notes(tracks, per_quarter * 4)
    key = _key(tracks, notes)
    return AbcTune("", f"{beats}/{1 << power}", key, _bars(notes, Fraction(beats, 1 << power)))


def _read(data: bytes) -> tuple[int, list[list[_Event]]]:
    """Return ticks of a quarter and the events of each track."""
    division = int.from_bytes(data[12:14], "big")
    if data[:4] != b"MThd" or data[9] > 1 or not 0 < division < 0x8000:
        raise ValueError("it is no MIDI file of format 0 or 1 that counts in beats")
    tracks, place = [], 8 + int.from_bytes(data[4:8], "big")
    while place + 8 <= len(data):
        end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "big")
        if end > len(data):
            raise ValueError("the MIDI file ends early")
        if data[place : place + 4] == b"MTrk":
            tracks.append(list(_events(data[place + 8 : end])))
        place = end
    return division, tracks


def _events(track: bytes) -> Iterator[_Event]:
    place = tick = status = 0
    while place < len(track):
        delay, place = _number(track, place)
        tick += delay
        if track[place] & 0x80:
            status = track[place]
            place += 1
        if status == _META:
            kind, (size, begin) = track[place], _number(track, place + 1)
            yield _Event(tick, status, bytes((kind,)) + track[begin : begin + size])
            if kind == _END:
                return
            place = begin + size
        elif status in _TEXT_KINDS:
            size, begin = _number(track, place)
            place = begin + size
        elif 0x80 <= status < 0xF0:
            size = 1 if status & 0xE0 == 0xC0 else 2  # program and pressure have one byte
            yield _Event(tick, status, bytes((track[place], track[place + size - 1])))
            place += size
        else:
            raise ValueError(f"byte {place} of a MIDI track begins no message")


def _number(track: bytes, place: int) -> tuple[int, int]:
    """Return a number of digits of 7 bits, all but the last marked, and where it ends."""
    value = 0
    for _ in range(4):
        digit = track[place]
        place += 1
        value = value << 7 | digit & 0x7F
        if not digit & 0x80:
            return value, place
    raise ValueError("a MIDI number has more than four bytes")


def _is_meta(event: _Event, kind: int) -> bool:
    return event.status == _META and event.data[0] == kind and len(event.data) > 2


def _notes(tracks: list[list[_Event]], per_whole: int) -> list[tuple[int, int, int]]:
    """Return begin and end in sixteenths and the number of each note, in order."""
    sounding: dict[tuple[int, int], int] = {}
    found: list[tuple[float, float, int]] = []
    for track in tracks:
        for event in track:
            command, pitch = event.status & 0xF0, event.data[0]
            if command not in (0x80, 0x90) or event.status & 0x0F == 9:  # channel 10 is drums
                continue
            at = event.tick * _PER_WHOLE / per_whole
            begin = sounding.pop((event.status & 0x0F, pitch), None)
            if begin is not None:
                found.append((begin, at, pitch))
            if command == 0x90 and event.data[1]:  # loudness 0 ends a note, too
                sounding[event.status & 0x0F, pitch] = at
    if not found:
        raise ValueError("the tune has no note")
    found.sort()
    if any(abs(begin - round(begin)) > _FARTHEST for begin, _, _ in found):
        raise ValueError("a note begins off the grid of sixteenths")
    notes = [(round(begin), max(round(begin) + 1, round(end)), pitch) for begin, end, pitch in found]
    if notes[-1][1] > _MOST_STEPS:
        raise ValueError(f"the tune is longer than {_MOST_STEPS} sixteenths")
    for (_, end, _), (begin, _, _) in itertools.pairwise(notes):
        if begin < end:
            raise ValueError("two notes sound at once; tunes of one voice are wanted")
    return notes


def _bars(notes: list[tuple[int, int, int]], bar: Fraction) -> list[Bar]:
    """Return the notes in bars, the last one filled with silence; what crosses a bar's line is tied."""
    per_bar = bar * _PER_WHOLE
    bars: dict[int, Bar] = defaultdict(Bar)

    def add(pitch: int | None, begin: Fraction, end: Fraction) -> None:
        while begin < end:
            number = begin // per_bar
            part = min(end, (number + 1) * per_bar)
            is_tied = pitch is not None and part < end
            bars[number].notes.append(Note(pitch, (part - begin) / _PER_WHOLE, is_tied))
            begin = part

    now = Fraction(0)
    for begin, end, pitch in notes:
        add(None, now, Fraction(begin))
        add(pitch, Fraction(begin), Fraction(end))
        now = Fraction(end)
    add(None, now, -(-now // per_bar) * per_bar)
    return [bars[number] for number in sorted(bars)]


def _key(tracks: list[list[_Event]], notes: list[tuple[int, int, int]]) -> Key:
    told = [event.data for track in tracks for event in track if _is_meta(event, _KEY)]
    if told:
        sharps, is_minor = int.from_bytes(told[0][1:2], "big", signed=True), told[0][2] == 1
        return Key({}, (7 * sharps + (9 if is_minor else 0)) % 12, is_minor)
    durations = np.zeros(12)
    for begin, end, pitch in notes:
        durations[pitch % 12] += end - begin
    likeness = [
        (
            float(np.dot(np.roll(profile, tonic) - np.mean(profile), durations) / np.std(profile)),
            tonic,
            is_minor,
        )
        for profile, is_minor in ((_MAJOR, False), (_MINOR, True))
        for tonic in range(12)
    ]
    _, tonic, is_minor = max(likeness)
    return Key({}, tonic, is_minor)
