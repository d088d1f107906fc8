"""Tensors decoded to what a user sees: over the picture, in files, in tables."""

import io
import json
import time

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import ImageSpec
from runtime.bundle.prestep import BoxCrop, TanhWarp
from runtime.bundle.result import Boxes, Embedding, Keypoints, Labels, Mask, Notes, Picture, Text
from runtime.errors import DataError
from runtime.processing.placement import place
from runtime.processing.results.decode import decode
from runtime.processing.results.decoded import Frame
from runtime.processing.results.saving import check_ending, save_result

SPEC = ImageSpec(size=32, resize=32, mean=(0.0,) * 3, std=(1.0,) * 3)
PICTURE = Image.new("RGB", (100, 80), (100, 100, 100))
CROP = place(BoxCrop(), SPEC, 100, 80, (20, 10, 84, 74))  # two pixels of the picture in one of the input


def mask_scores(layout="nchw"):
    """Class 1 in the middle of a map of 8 x 8: pixels 36 to 68 of the picture, 26 to 58 down."""
    scores = np.zeros((1, 2, 8, 8), np.float32)
    scores[0, 1, 2:6, 2:6] = 1
    return scores if layout == "nchw" else scores.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_a_mask_is_drawn_where_it_belongs(tmp_path, layout):
    result = Mask("g.y", ("rest", "face"), palette=((0, 0, 0), (255, 0, 0)), layout=layout)
    decoded = decode(result, Frame({"g.y": mask_scores(layout)}, placement=CROP))
    expected = np.zeros((80, 100), np.uint8)
    expected[26:58, 36:68] = 1
    np.testing.assert_array_equal(decoded.labels, expected)
    drawn = np.asarray(decoded.draw(PICTURE))
    assert (drawn[30, 40] > (150, 0, 0)).all()
    assert tuple(drawn[0, 0]) == (100, 100, 100)
    assert decoded.plain()["classes"][1] == {"class": "face", "share": 0.128, "box": (36, 26, 68, 58)}
    save_result(decoded, tmp_path / "m.mask.png", PICTURE)
    saved = Image.open(tmp_path / "m.mask.png")
    assert saved.mode == "P"
    np.testing.assert_array_equal(np.asarray(saved), expected)
    assert saved.getpalette()[3:6] == [255, 0, 0]


def test_a_mask_without_a_picture_keeps_its_own_size():
    decoded = decode(Mask("g.y", ("rest", "face")), Frame({"g.y": mask_scores()}))
    assert decoded.draw(None).size == (8, 8)


@pytest.mark.parametrize("classes", [2, 11, 256])
def test_a_mask_has_the_likeliest_class_and_of_equals_the_first(classes):
    scores = np.random.default_rng(0).integers(0, 9, (1, classes, 16, 16)).astype(np.float32)
    named = Mask("g.y", tuple(map(str, range(classes))))
    np.testing.assert_array_equal(decode(named, Frame({"g.y": scores})).labels, scores[0].argmax(0))


def test_boxes_are_carried_back_and_thinned_out():
    boxes = np.array(
        [[[0, 0, 16, 16], [1, 0, 16, 16], [0, 0, 16, 16], [16, 16, 40, 32], [3, 3, 3, 9]]], np.float32
    )
    scores = np.array([[[0.9, 0], [0.8, 0], [0, 0.7], [0.6, 0], [0.95, 0]]], np.float32)
    decoded = decode(
        Boxes("g.b", "g.s", ("cat", "dog")), Frame({"g.b": boxes, "g.s": scores}, placement=CROP)
    )
    assert [(one.label, one.box) for one in decoded.found] == [
        ("cat", (20, 10, 52, 42)),
        ("dog", (20, 10, 52, 42)),  # of another class: it stays
        ("cat", (52, 42, 100, 74)),
    ]
    assert decoded.draw(PICTURE).size == PICTURE.size


@pytest.mark.parametrize("far", [1e9, 3e38])
def test_boxes_far_outside_are_drawn_or_refused_at_once(far):
    boxes = np.array([[[-far, -far, 8, 8], [2, 2, 6, 6]]], np.float32)
    frame = Frame({"g.b": boxes, "g.s": np.array([[[0.9], [0.8]]], np.float32)})
    decoded = decode(Boxes("g.b", "g.s", ("cat",)), frame)
    assert decoded.found[0].box == (0, 0, 8, 8)
    assert decoded.draw(None).size == (8, 8)
    frame = Frame({"g.b": -boxes[..., ::-1], "g.s": frame.outputs["g.s"]})
    with pytest.raises(DataError, match=r"save it as \.json"):
        decode(Boxes("g.b", "g.s", ("cat",)), frame).draw(None)


def test_keypoints_are_carried_back():
    maps = np.zeros((1, 2, 16, 16), np.float32)
    maps[0, 0, 3, 5] = 1
    decoded = decode(
        Keypoints("g.h", ("nose", "ear"), ((0, 1),), threshold=0.5), Frame({"g.h": maps}, placement=CROP)
    )
    (nose, ear) = decoded.points
    assert (nose.x, nose.y) == (20 + 5.5 * 4, 10 + 3.5 * 4)
    assert ear is None
    assert decoded.draw(PICTURE).size == PICTURE.size


def test_an_embedding_names_the_nearest_reference():
    frame = Frame(
        {"g.v": np.array([[3.0, 4.0]], np.float32)},
        references={"far": np.array([4.0, -3.0]), "near": np.array([0.3, 0.4])},
    )
    decoded = decode(Embedding("g.v"), frame)
    np.testing.assert_allclose(decoded.vector, (0.6, 0.8))
    assert [name for name, _ in decoded.matches] == ["near", "far"]
    assert decoded.matches[0][1] == pytest.approx(1)
    with pytest.raises(DataError, match="save it as"):
        decoded.draw(None)


def test_a_made_picture_lies_over_the_original():
    pixels = np.ones((1, 1, 16, 16), np.float32)
    decoded = decode(Picture("g.p", mean=(0.0,), std=(0.5,)), Frame({"g.p": pixels}, placement=CROP))
    drawn = np.asarray(decoded.draw(PICTURE))
    assert tuple(drawn[40, 50]) == (128, 128, 128)
    assert tuple(drawn[5, 5]) == (100, 100, 100)


def test_text_ends_where_its_end_is_drawn(tmp_path):
    decoded = decode(Text("w", ("<end>", "a", "cat"), end=0), Frame({}, {"w": (1, 2, 0, 2)}))
    save_result(decoded, tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_text() == "a cat\n"


def test_labels_are_named_by_the_bundle():
    frame = Frame({"g.y": np.array([[0.0, 2.0]], np.float32)}, labels=["cat", "dog"])
    assert decode(Labels("g.y", most=1), frame).plain()["classes"][0]["class"] == "dog"


NOTES = Notes("n", lowest=60, pitches=5, tempo_bpm=100)


def test_notes_are_heard_as_they_were_drawn(tmp_path):
    draws = (2, 0, 0, 4, 1, 0, 6, 6)  # C4 of three steps, D4, silence, E4 twice
    decoded = decode(NOTES, Frame({}, {"n": draws}))
    assert [(one.begin, one.steps, one.pitch) for one in decoded.notes] == [
        (0, 3, 60),
        (3, 1, 62),
        (6, 1, 64),
        (7, 1, 64),
    ]
    save_result(decoded, tmp_path / "tune.mid")
    assert read_midi((tmp_path / "tune.mid").read_bytes()) == [
        (0, 360, 60),
        (360, 480, 62),
        (720, 840, 64),
        (840, 960, 64),
    ]
    assert decoded.table()[1] == [(1, "C4 D4 E4 E4")]


def test_a_tune_of_very_many_bars_is_told_at_once_and_not_drawn():
    """Looking for the notes of each bar among all of them took minutes."""
    form = Notes("n", lowest=0, pitches=128, steps_per_beat=1, beats_per_bar=1)
    decoded = decode(form, Frame({}, {"n": (2, 3) * (1 << 15)}))
    begin = time.perf_counter()
    assert decoded.table()[1][-1] == (1 << 16, "C#-1")
    assert time.perf_counter() - begin < 10
    with pytest.raises(DataError, match=r"pixels; save it as \.json"):
        decoded.draw(None)


def read_midi(data):
    """Return (begin, end, pitch) in ticks of each note; written by the standard, not by our writer."""
    assert data[:4] == b"MThd"
    assert int.from_bytes(data[12:14], "big") == 480
    track = io.BytesIO(data[22:])
    assert int.from_bytes(data[18:22], "big") == len(data) - 22
    now, sounding, notes = 0, {}, []
    while True:
        delay = 0
        while (digit := track.read(1)[0]) & 0x80:
            delay = delay << 7 | digit & 0x7F
        now += delay << 7 | digit
        status = track.read(1)[0]
        if status == 0xFF:
            kind, length = track.read(2)
            value = track.read(length)
            if kind == 0x51:
                assert int.from_bytes(value, "big") == 600_000
            if kind == 0x2F:
                assert not track.read()
                return notes
        elif status == 0xC0:
            track.read(1)
        else:
            pitch, _ = track.read(2)
            if status == 0x90:
                sounding[pitch] = now
            else:
                notes.append((sounding.pop(pitch), now, pitch))


def test_a_silent_tune_has_a_roll_and_a_file(tmp_path):
    decoded = decode(NOTES, Frame({}, {"n": (0, 1, 0)}))
    assert decoded.notes == ()
    for name in ("t.mid", "t.png", "t.json", "t.txt"):
        save_result(decoded, tmp_path / name)
    assert json.loads((tmp_path / "t.json").read_text())["steps"] == 3
    assert read_midi((tmp_path / "t.mid").read_bytes()) == []


def test_numbers_that_are_none_are_refused():
    scores = mask_scores()
    scores[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"g\.y holds numbers that are infinite or none"):
        decode(Mask("g.y", ("rest", "face")), Frame({"g.y": scores}))


@pytest.mark.parametrize(
    ("result", "name", "message"),
    [
        (Mask("g.y", ("a", "b")), "out.mid", "end it in one of .mask.png"),
        (Embedding("g.v"), "out.png", "end it in one of .json"),
        (NOTES, "out", "end it in one of .mid"),
        (NOTES, "nowhere/out.mid", "no folder"),
    ],
)
def test_files_that_cannot_be_made_are_refused_before_anything_runs(tmp_path, result, name, message):
    with pytest.raises(DataError, match=message):
        check_ending(result, tmp_path / name)


def test_a_mask_of_a_warp_fills_the_picture():
    placement = place(TanhWarp(), SPEC, 100, 80, (30, 20, 60, 50))
    everywhere = np.zeros((1, 2, 8, 8), np.float32)
    everywhere[0, 1] = 1
    decoded = decode(Mask("g.y", ("rest", "face")), Frame({"g.y": everywhere}, placement=placement))
    assert decoded.labels.shape == (80, 100)
    assert decoded.labels.all()
