"""Tunes in 4/4 as one event per sixteenth, in one key."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from edgekit.data.tunes.abc import AbcTune, Note

STEPS_PER_BAR = 16
STEPS_PER_BEAT = 4
HOLD, END, FIRST_PITCH = 0, 1, 2  # the note before sounds on (or the rest lasts); it ends; a pitch begins
LOWEST, HIGHEST = 53, 88  # MIDI; three octaves hold nearly every folk tune
N_EVENTS = FIRST_PITCH + HIGHEST - LOWEST + 1
_MIDDLE = (LOWEST + HIGHEST) / 2
_A_MINOR = 9


def events_of(tune: AbcTune) -> np.ndarray:
    """Return a tune's events on sixteenths, int16, whole bars; its tonic becomes C, or A in minor.

    A first bar that is incomplete is filled with silence before it, so that bars lie on bars.

    Raises:
        ValueError: it is not in 4/4, off the grid, has bars that are not full, or is too wide.

    Example:
        >>> events_of(parse_tune("X:1\\nM:4/4\\nL:1/4\\nK:C\\nC4 |"))[:2]     # doctest: +SKIP
        array([9, 0], dtype=int16)
    """
    if tune.metre != "4/4":
        raise ValueError(f"the tune is in {tune.metre}; tunes in 4/4 are wanted")
    notes = _whole_bars(tune)
    shift = _shift(tune, [note.pitch for note in notes if note.pitch is not None])
    events: list[int] = []
    sounding = is_tied = False
    for note in notes:
        steps = note.length * STEPS_PER_BAR
        if steps.denominator != 1:
            raise ValueError(f"a note of {note.length} does not lie on the grid of sixteenths")
        if note.pitch is None:
            event = END if sounding else HOLD
        else:
            event = HOLD if is_tied else FIRST_PITCH + note.pitch + shift - LOWEST
        sounding, is_tied = note.pitch is not None, note.is_tied
        events += [event] + [HOLD] * (int(steps) - 1) if steps else []
    return np.asarray(events, dtype=np.int16)


def onsets_of(events: np.ndarray) -> np.ndarray:
    """Return where notes begin, as booleans of the same shape."""
    return events >= FIRST_PITCH


def _whole_bars(tune: AbcTune) -> list[Note]:
    """Return the notes with silence added to the first and last bar; others must be full.

    A bar may be cut in two where a part ends: the line of a repeat.
    """
    notes: list[Note] = []
    open_length = Fraction(0)  # of a bar that was cut
    for number, bar in enumerate(tune.bars):
        if number == 0 and bar.length < 1:
            notes.append(Note(None, 1 - bar.length))
        elif number > 0:
            open_length += bar.length
            if open_length > 1 or (open_length < 1 and not _may_be_cut(tune, number)):
                raise ValueError(f"bar {number + 1} has {bar.length} of a whole note; it must be full")
            open_length %= 1
        elif bar.length > 1:
            raise ValueError(f"the first bar has {bar.length} of a whole note; at most 1 fits")
        notes += bar.notes
    if open_length:
        notes.append(Note(None, 1 - open_length))
    return notes


def _may_be_cut(tune: AbcTune, number: int) -> bool:
    bars = tune.bars
    return number == len(bars) - 1 or bars[number].is_part_end or bars[number - 1].is_part_end


def _shift(tune: AbcTune, pitches: list[int]) -> int:
    """Return semitones that bring the tonic to C or A, and the tune's middle nearest to that of the range."""
    if not pitches:
        raise ValueError("the tune has no note")
    tonic = (_A_MINOR if tune.key.is_minor else 0) - tune.key.tonic
    middle = (min(pitches) + max(pitches)) / 2
    shift = tonic + 12 * round((_MIDDLE - middle - tonic) / 12)
    if min(pitches) + shift < LOWEST or max(pitches) + shift > HIGHEST:
        raise ValueError(f"the tune spans {max(pitches) - min(pitches)} semitones, which do not fit")
    return shift
