"""Tunes of one voice from ABC notation (https://abcnotation.com/wiki/abc:standard:v2.1).

Read by ourselves: a melody needs few of ABC's rules, and importing music21 brings matplotlib. What is no
note (chord names, decorations, grace notes, words) is passed over; a tune with anything unknown, with several
voices or with a change of metre is refused. Repeats are played once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from edgekit.data.tunes.keys import LETTERS, Key, parse_key

_LENGTH = r"\d*/*\d*"
_TOKEN = re.compile(
    rf"""(?P<skip>"[^"]*"|![^!]*!|\{{[^}}]*\}}|[\s.~H-Wh-wy`)$\\])
    |(?P<field>\[[A-Za-z]:[^\]]*\])
    |(?P<tuplet>\((?P<tuplet_of>[2-9])(?::(?P<tuplet_in>\d*))?(?::(?P<tuplet_notes>\d*))?)
    |(?P<slur>\()
    |(?P<bar>:*\[?\|[|\]]*:*|::)(?:\[?[0-9][0-9,-]*)?|(?P<ending>\[[0-9][0-9,-]*)
    |(?P<note>(?P<accidental>\^\^|__|[\^_=])?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>{_LENGTH}))
    |(?P<rest>[zx])(?P<rest_length>{_LENGTH})
    |(?P<chord>\[(?P<inside>[^\]|]+)\])(?P<chord_length>{_LENGTH})
    |(?P<broken>>+|<+)
    |(?P<tie>-)""",
    re.VERBOSE,
)
_ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_TUPLET_IN = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}  # of two-beat metres
_METRES = {"C": "4/4", "C|": "2/2"}
_PASSED_OVER = "ABCDFGHINOPQRSTWZmrsw"  # fields of a body or head that change no note


@dataclass
class Note:
    """A note or a rest.

    Attributes:
        pitch: MIDI number, 60 is middle C; ``None`` for a rest.
        length: in whole notes.
        is_tied: sounds on into the next note.
    """

    pitch: int | None
    length: Fraction
    is_tied: bool = False


@dataclass
class Bar:
    """Notes up to a bar line; ``is_part_end``: it repeats or ends a part, where a bar may be cut in two."""

    notes: list[Note] = field(default_factory=list)
    is_part_end: bool = False

    @property
    def length(self) -> Fraction:
        """In whole notes."""
        return sum((note.length for note in self.notes), Fraction(0))


@dataclass(frozen=True)
class AbcTune:
    """A tune as it is written.

    Attributes:
        title: may be empty.
        metre: such as ``4/4``; ``C`` is that, ``C|`` is ``2/2``.
    """

    title: str
    metre: str
    key: Key
    bars: list[Bar]


def split_tunes(text: str) -> Iterator[str]:
    """Yield the text of each tune of a file: from its field ``X:`` to the next one's."""
    yield from re.findall(r"^X:.*?(?=^X:|\Z)", text, re.MULTILINE | re.DOTALL)


def parse_tune(text: str) -> AbcTune:
    """Return the tune that ``text`` writes.

    Raises:
        ValueError: it has no key or metre, or something that is not known here; says what.

    Example:
        >>> parse_tune("X:1\\nM:4/4\\nL:1/4\\nK:C\\nC D E2 |").bars[0].notes[0].pitch
        60
    """
    fields, body = _head(text)
    metre = _metre(fields.get("M", ""))
    bar = _fraction(metre)
    unit = _fraction(fields["L"]) if "L" in fields else Fraction(1, 8 if bar >= Fraction(3, 4) else 16)
    key = parse_key(fields.get("K", ""))
    bars = _Reader(key, metre, unit).read(body)
    return AbcTune(fields.get("T", ""), metre, key, bars)


def _head(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the first of each field up to ``K:``, and the lines after it."""
    fields: dict[str, str] = {}
    lines = [line.split("%", 1)[0].rstrip() for line in text.splitlines()]
    for number, line in enumerate(lines):
        name, colon, value = line.partition(":")
        if colon and len(name) == 1:
            fields.setdefault(name, value.strip())
            if name == "K":
                return fields, lines[number + 1 :]
    raise ValueError("the tune has no field K:, with which its notes begin; add one")


class _Reader:
    def __init__(self, key: Key, metre: str, unit: Fraction):
        self.key, self.metre, self.unit = key, metre, unit
        self.bars = [Bar()]
        self.accidentals: dict[tuple[str, str], int] = {}  # since the last bar line
        self.tuplet, self.n_tuplet = Fraction(1), 0
        self.broken = Fraction(1)  # of the next note

    def read(self, lines: list[str]) -> list[Bar]:
        for line in lines:
            if re.match(r"[A-Za-z]:(?![|:])", line):
                self._change(line[0], line[2:])
                continue
            place = 0
            while place < len(line):
                match = _TOKEN.match(line, place)
                if match is None:
                    raise ValueError(f"{line[place : place + 8]!r} is not known here; leave the tune out")
                self._take(match)
                place = match.end()
            if self.bars[-1].notes and self.bars[-1].length % _fraction(self.metre) == 0:
                self._close(is_part_end=False)  # Essen's lines end with a bar, without its line
        return [bar for bar in self.bars if bar.notes]

    def _take(self, match: re.Match[str]) -> None:
        if match["note"]:
            pitch = self._pitch(match["accidental"], match["letter"], match["octave"])
            self._add(pitch, match["length"])
        elif match["rest"]:
            self._add(None, match["rest_length"])
        elif match["chord"]:
            self._chord(match["inside"], match["chord_length"])
        elif match["bar"]:
            self._close(is_part_end=match["bar"] != "|")
        elif match["tuplet"]:
            n_notes = int(match["tuplet_of"])
            self.tuplet = Fraction(int(match["tuplet_in"] or _TUPLET_IN[n_notes]), n_notes)
            self.n_tuplet = int(match["tuplet_notes"] or n_notes)
        elif match["broken"]:
            self._break(match["broken"])
        elif match["tie"] and (last := self._last()) is not None:
            last.is_tied = True
        elif match["field"]:
            self._change(match["field"][1], match["field"][3:-1])

    def _close(self, *, is_part_end: bool) -> None:
        """End the bar; a second line right after the first says more about the same end."""
        if self.bars[-1].notes:
            self.bars.append(Bar())
        if len(self.bars) > 1:
            self.bars[-2].is_part_end |= is_part_end
        self.accidentals = {}

    def _change(self, name: str, value: str) -> None:
        if name == "K":
            self.key = parse_key(value)
        elif name == "L":
            self.unit = _fraction(value)
        elif (name == "M" and _metre(value) != self.metre) or name not in _PASSED_OVER + "M":
            raise ValueError(f"the tune changes {name}: to {value.strip()!r} on its way; leave the tune out")

    def _pitch(self, accidental: str | None, letter: str, octave: str) -> int:
        place = (letter, octave)
        if accidental:
            self.accidentals[place] = _ACCIDENTALS[accidental]
        upper = letter.upper()
        change = self.accidentals.get(place, self.key.accidentals.get(upper, 0))
        octaves = octave.count("'") - octave.count(",") + (letter != upper)
        return 60 + LETTERS[upper] + 12 * octaves + change

    def _chord(self, inside: str, length: str) -> None:
        """Take the highest note, which carries the melody."""
        notes = [match for match in _TOKEN.finditer(inside) if match["note"]]
        if not notes:
            raise ValueError(f"[{inside}] holds no note; leave the tune out")
        pitches = [self._pitch(note["accidental"], note["letter"], note["octave"]) for note in notes]
        self._add(max(pitches), length or notes[0]["length"])

    def _add(self, pitch: int | None, length: str) -> None:
        whole = self.unit * _multiple(length) * self.broken
        self.broken = Fraction(1)
        if self.n_tuplet:
            whole *= self.tuplet
            self.n_tuplet -= 1
        self.bars[-1].notes.append(Note(pitch, whole))

    def _break(self, signs: str) -> None:
        """``a>b``: a dotted, b of half the length; ``<`` the other way round."""
        last = self._last()
        if last is None or len(signs) > 2:
            raise ValueError(f"{signs!r} stands after no note or is too long; leave the tune out")
        short = Fraction(1, 2 ** len(signs))
        first, self.broken = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        last.length *= first

    def _last(self) -> Note | None:
        return self.bars[-1].notes[-1] if self.bars[-1].notes else None


def _multiple(text: str) -> Fraction:
    """Return what ``3/2``, ``/`` or ``//`` multiplies the unit by."""
    above, _, below = text.partition("/")
    halves = below.count("/")
    digits = below.strip("/")
    divisor = int(digits) if digits else 2 ** (halves + 1) if "/" in text else 1
    return Fraction(int(above or 1), max(divisor, 1))


def _fraction(text: str) -> Fraction:
    match = re.match(r"\s*(\d+)\s*/\s*([1-9]\d*)", text)
    if match is None:
        raise ValueError(f"{text.strip()!r} is no length; write one as 1/8")
    return Fraction(int(match[1]), int(match[2]))


def _metre(text: str) -> str:
    metre = _METRES.get(text.strip(), text.strip())
    _fraction(metre)  # or it is none
    return metre
