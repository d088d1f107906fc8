import numpy as np
import pytest

from edgekit.data.tunes import HIGHEST, LOWEST, draw_tunes, load_tunes
from edgekit.data.tunes.grid import events_of
from edgekit.data.tunes.midi import parse_midi
from runtime.bundle.result import Notes
from runtime.processing.results.decoded import Frame
from runtime.processing.results.midi import Note, midi_file
from runtime.processing.results.notes import decode_notes

FORM = Notes("tune.note", lowest=LOWEST, pitches=HIGHEST - LOWEST + 1)


def midi_of(events, higher=0):
    """Return the MIDI file that `edgekit run` would write of a tune, ``higher`` by semitones."""
    found = decode_notes(FORM, Frame({}, {FORM.token: events.tolist()}))
    notes = [Note(note.begin, note.steps, note.pitch + higher) for note in found.notes]
    return midi_file(notes, len(events), FORM)


def message(delay, *data):
    return bytes((delay, *data))


def file_of(*messages, division=96, kind=0):
    track = b"".join((*messages, b"\x00\xff\x2f\x00"))
    header = b"MThd" + (6).to_bytes(4, "big") + bytes((0, kind, 0, 1)) + division.to_bytes(2, "big")
    return header + b"MTrk" + len(track).to_bytes(4, "big") + track


METRE, MINOR = message(0, 0xFF, 0x58, 4, 4, 2, 24, 8), message(0, 0xFF, 0x59, 2, 0, 1)
CROTCHET = (message(0, 0x90, 69, 64), message(96, 69, 0))  # the second by running status, loudness 0


@pytest.mark.parametrize("higher", [3, -4])
def test_a_written_tune_is_read_again_and_whatever_its_key_is_the_same(higher):
    for events in draw_tunes(5):
        first, again = (events_of(parse_midi(midi_of(events, by))) for by in (0, higher))
        assert np.array_equal(first, again)
        assert len(set((first - events)[events >= 2].tolist())) == 1
        assert np.array_equal(first[events < 2], events[events < 2])


def test_a_key_that_is_not_written_is_heard():
    joy = (66, 66, 67, 69, 69, 67, 66, 64, 62, 62, 64, 66, 66, 64, 64, 62)  # in D, a crotchet each
    notes = [one for pitch in joy for one in (message(0, 0x90, pitch, 64), message(96, pitch, 0))]
    key = parse_midi(file_of(*notes)).key
    assert (key.tonic, key.is_minor) == (2, False)


def test_a_key_signature_decides():
    tune = parse_midi(file_of(METRE, MINOR, *CROTCHET * 4))
    assert (tune.metre, tune.key.tonic, tune.key.is_minor) == ("4/4", 9, True)
    assert [len(bar.notes) for bar in tune.bars] == [4]


def test_a_folder_of_midi_and_abc_is_one_collection(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, events in enumerate(draw_tunes(4)):
        (tmp_path / f"{number}.mid").write_bytes(midi_of(events))
    (tmp_path / "one.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nC D E F | G A B c | c B A G | F E D C |\n")
    tunes = load_tunes("folder", root=tmp_path)
    assert len(tunes.train) + len(tunes.test) == 5
    again = load_tunes("folder", root=tmp_path)
    assert all(np.array_equal(one, other) for one, other in zip(tunes.train, again.train, strict=True))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"RIFF", "no MIDI file of format 0 or 1"),
        (file_of(*CROTCHET)[:-6], "ends early"),
        (file_of(*CROTCHET, division=0xE728), "no MIDI file of format 0 or 1 that counts in beats"),
        (file_of(METRE), "has no note"),
        (file_of(METRE, message(0, 0xFF, 0x58, 4, 3, 2, 24, 8), *CROTCHET), "changes its metre"),
        (file_of(message(0, 0xFF, 0x58, 4, 0, 2, 24, 8), *CROTCHET), "in 0 beats"),
        (
            file_of(message(0, 0x90, 60, 9), message(0, 64, 9), message(96, 60, 0), message(0, 64, 0)),
            "at once",
        ),
        (file_of(message(12, 0x90, 60, 9), message(96, 60, 0)), "begins off the grid"),
        (file_of(message(0, 5)), "begins no message"),
        (file_of(b"\xff\xff\xff\xff\xff\xff"), "more than four bytes"),
        (file_of(message(0, 0xFF, 0x58, 4, 3, 2, 24, 8), *CROTCHET), "the tune is in 3/4"),
    ],
)
def test_what_cannot_be_used_says_why(data, message):
    with pytest.raises(ValueError, match=message):
        events_of(parse_midi(data))
