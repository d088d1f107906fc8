"""Keys of ABC: which letters are sharp or flat, and how far the tonic lies above C."""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARPS, _FLATS = "FCGDAEB", "BEADGCF"  # the order in which signatures add them
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}  # sharps of the letter's major key
# Fifths that a mode lies below the major key of the same tonic: C minor has three flats.
_MODES = {
    "": 0, "maj": 0, "ion": 0, "mix": 1, "dor": 2, "m": 3, "min": 3, "aeo": 3, "phr": 4, "loc": 5, "lyd": -1,
}  # fmt: skip
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")


@dataclass(frozen=True)
class Key:
    """A key.

    Attributes:
        accidentals: letter -> +1 for a sharp, -1 for a flat; letters without are left out.
        tonic: semitones above C, 0 to 11.
        is_minor: whether its third is minor, as in minor, dorian and phrygian.
    """

    accidentals: dict[str, int]
    tonic: int
    is_minor: bool


def parse_key(text: str) -> Key:
    """Return what a field ``K:`` says.

    Raises:
        ValueError: it names no key.

    Example:
        >>> parse_key("Ddor").accidentals
        {}
    """
    stripped = text.strip()
    match = _KEY.match(stripped)
    mode = match[3][:3].lower() if match else None
    if match is None or mode not in _MODES:
        raise ValueError(f"{stripped!r} is no key; write a letter, # or b, and a mode, such as F#m or Ddor")
    shift = {"#": 1, "b": -1, "": 0}[match[2]]
    fifths = _FIFTHS[match[1]] + 7 * shift - _MODES[mode]
    if abs(fifths) > 7:
        raise ValueError(f"{stripped!r} has {abs(fifths)} accidentals; a key signature has at most 7")
    changed = dict.fromkeys(_SHARPS[:fifths], 1) if fifths > 0 else dict.fromkeys(_FLATS[:-fifths], -1)
    return Key(changed, (LETTERS[match[1]] + shift) % 12, 2 <= _MODES[mode] <= 5 or mode in ("m", "min"))
