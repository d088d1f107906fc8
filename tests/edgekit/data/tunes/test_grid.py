import pytest

from edgekit.data.tunes.abc import parse_tune
from edgekit.data.tunes.grid import END, FIRST_PITCH, HOLD, LOWEST, events_of


def _events(body: str, key: str = "C", metre: str = "4/4") -> list[int]:
    return events_of(parse_tune(f"X:1\nM:{metre}\nL:1/8\nK:{key}\n{body}")).tolist()


def _pitches(events: list[int]) -> list[int]:
    return [event - FIRST_PITCH + LOWEST for event in events if event >= FIRST_PITCH]


def test_a_note_begins_once_and_a_rest_ends_it():
    events = _events("C4 z2 D2 |")
    kinds = [min(event, FIRST_PITCH) for event in events]
    assert kinds == [FIRST_PITCH] + [HOLD] * 7 + [END] + [HOLD] * 3 + [FIRST_PITCH] + [HOLD] * 3


def test_tied_notes_are_one():
    assert len(_pitches(_events("C8- | C8 |"))) == 1


def test_a_pickup_stands_at_the_end_of_a_bar_of_silence():
    events = _events("G2 | C8 | D6 |")
    assert len(events) == 48
    assert events.index(events[12]) == 12
    assert events[:12] == [HOLD] * 12


def test_a_bar_that_a_repeat_cuts_in_two_is_one():
    assert len(_events("C8 | D6 :| E2 | F8 |")) == 48


@pytest.mark.parametrize(("body", "key"), [("G8 | A8 |", "G"), ("D8 | E8 |", "D"), ("_B,8 | C8 |", "Bb")])
def test_the_tonic_becomes_c(body, key):
    first, second = _pitches(_events(body, key))
    assert (first % 12, second - first) == (0, 2)


def test_the_tonic_of_a_minor_key_becomes_a():
    assert _pitches(_events("E8 | G8 |", "Em"))[0] % 12 == 9


@pytest.mark.parametrize(
    ("body", "metre"),
    [
        ("C6 |", "3/4"),
        ("C8 |", "C|"),
        ("(3CDE C6 |", "4/4"),
        ("C8 | D6 | E8 |", "4/4"),
        ("C,,8 | c''8 |", "4/4"),
        ("z8 |", "4/4"),
    ],
)
def test_tunes_off_the_grid_are_refused(body, metre):
    with pytest.raises(ValueError, match=r"\w"):
        _events(body, metre=metre)
