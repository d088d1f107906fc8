from fractions import Fraction

import pytest

from edgekit.data.tunes.abc import parse_tune, split_tunes

_HEAD = "X:1\nT:Test\nM:4/4\nL:1/8\nK:{key}\n"


def _notes(body: str, key: str = "C") -> list[tuple[int | None, Fraction]]:
    bars = parse_tune(_HEAD.format(key=key) + body).bars
    return [(note.pitch, note.length * 8) for bar in bars for note in bar.notes]


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ("C c c' C,", "C", [(60, 1), (72, 1), (84, 1), (48, 1)]),
        (
            "C2 D/ E// F3/2 z4",
            "C",
            [(60, 2), (62, Fraction(1, 2)), (64, Fraction(1, 4)), (65, 1.5), (None, 4)],
        ),
        ("F C =F F", "D", [(66, 1), (61, 1), (65, 1), (65, 1)]),  # a natural lasts to the bar's end
        ("^F F | F", "C", [(66, 1), (66, 1), (65, 1)]),
        ("B E", "Cm", [(70, 1), (63, 1)]),
        ("B F", "Ddor", [(71, 1), (65, 1)]),
        ("C>D E<F", "C", [(60, 1.5), (62, 0.5), (64, 0.5), (65, 1.5)]),
        ("(3CDE F", "C", [(60, Fraction(2, 3)), (62, Fraction(2, 3)), (64, Fraction(2, 3)), (65, 1)]),
        ('"Am"{g}C !f! ~D (EF) [CEG]2', "C", [(60, 1), (62, 1), (64, 1), (65, 1), (67, 2)]),
        ("C [K:D] C % the rest is said aloud", "C", [(60, 1), (61, 1)]),
    ],
)
def test_notes_have_the_pitch_and_length_that_is_written(body, key, expected):
    assert _notes(body, key) == expected


def test_a_line_of_a_repeat_ends_a_part_and_a_plain_one_does_not():
    bars = parse_tune(_HEAD.format(key="C") + "|: C8 | D6 :|\n E2 |1 F8 |]").bars
    assert [bar.is_part_end for bar in bars] == [False, True, False, True]


def test_a_bar_ends_with_the_line_that_fills_it():
    assert len(parse_tune(_HEAD.format(key="C") + "C8 | D8\nE8").bars) == 3


def test_a_file_is_split_at_each_number():
    texts = list(
        split_tunes("% a book\n" + _HEAD.format(key="C") + "C8|\n\n" + _HEAD.format(key="G") + "D8|")
    )
    assert [parse_tune(text).key.tonic for text in texts] == [0, 7]


@pytest.mark.parametrize(
    "text",
    [
        "X:1\nM:4/4\nL:1/8\nC8",
        "X:1\nM:none\nK:C\nC8",
        "X:1\nM:4/4\nL:one\nK:C\nC8",
        "X:1\nM:4/4\nK:H\nC8",
        "X:1\nM:4/4\nK:Cfoo\nC8",
        "X:1\nM:4/4\nK:C\nC8 & E8",
        "X:1\nM:4/4\nK:C\nC8 [M:3/4] D6",
        "X:1\nM:4/4\nK:C\n>C",
    ],
)
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_tune(text)
