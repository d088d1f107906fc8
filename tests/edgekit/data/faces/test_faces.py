"""Faces on photographs: what a pixel is called is what is seen there, and a seed gives the same again."""

import importlib.util
import sys

import numpy as np
import pytest

from edgekit.data.faces import FACE_CLASSES, PICTURE_SIDE, Face, KeptFaces, compose, draw_face, toy_portraits
from edgekit.data.faces.portrait import SIZES
from runtime.errors import MissingExtra

needs_artists = pytest.mark.skipif(
    importlib.util.find_spec("python_avatars") is None, reason="python-avatars is not installed"
)


def flat_face(colour, label):
    """A face that is one square, whose head is its middle."""
    pixels = np.full((80, 80, 4), (*colour, 255), np.uint8)
    return Face(pixels, np.full((80, 80), label, np.uint8), (20.0, 20.0, 60.0, 60.0))


def test_portraits_are_the_same_again_and_each_is_another():
    first, again = toy_portraits(3, training=True), toy_portraits(3, training=True)
    assert np.array_equal(first[2].picture, again[2].picture)
    assert first[2].box == again[2].box
    assert first[1].box != first[2].box


def test_training_and_test_share_no_portrait():
    assert toy_portraits(1, training=True)[0].box != toy_portraits(1, training=False)[0].box


def test_labels_lie_where_the_face_is_seen():
    ground = [np.zeros((300, 300, 3), np.uint8)]
    for seed in range(5):
        portrait = compose(flat_face((0, 250, 0), 2), ground, np.random.default_rng(seed))
        is_green = portrait.picture[..., 1].astype(int) > 60
        assert (is_green == (portrait.labels == 2)).mean() > 0.98
        assert set(np.unique(portrait.labels)) <= {0, 2}


def test_boxes_are_as_large_as_promised_and_surround_the_head():
    centres_off, sides = [], []
    for index, portrait in enumerate(toy_portraits(40, training=True)):
        left, top, right, bottom = portrait.box
        sides.append((bottom - top) / PICTURE_SIDE)
        nose = np.argwhere(portrait.labels == FACE_CLASSES.index("nose"))
        if len(nose):
            y, x = nose.mean(axis=0)
            centres_off.append(abs((left + right) / 2 - x) / (right - left))
            assert left < x < right, index
            assert top < y < bottom, index
    least, most = SIZES
    assert least * 0.8 < min(sides) < 0.2
    assert 0.35 < max(sides) < most * 1.2
    assert max(centres_off) < 0.25


def test_a_toy_face_has_all_parts():
    labels = toy_portraits(1, training=False).faces[0].labels
    assert set(np.unique(labels)) == set(range(len(FACE_CLASSES)))


@needs_artists
def test_parts_of_an_artists_face_are_where_parts_of_faces_are():
    face = draw_face(np.random.default_rng(3))
    left, top, right, bottom = face.box
    middle = {}
    for name in ("hair", "eyes", "nose", "mouth", "skin"):
        ys, xs = np.nonzero(face.labels == FACE_CLASSES.index(name))
        middle[name] = ys.mean()
        if name in ("eyes", "nose", "mouth"):
            assert left < xs.min()
            assert xs.max() < right
            assert top < ys.min()
            assert ys.max() < bottom
    assert middle["eyes"] < middle["nose"] < middle["mouth"]


@needs_artists
def test_a_face_is_drawn_once_and_again_where_its_file_is_spoiled(tmp_path):
    faces = KeptFaces(seed=5, count=1, folder=tmp_path)
    drawn = faces[0]
    (path,) = tmp_path.rglob("*.npz")
    when = path.stat().st_mtime_ns
    assert np.array_equal(KeptFaces(5, 1, tmp_path)[0].pixels, drawn.pixels)
    assert path.stat().st_mtime_ns == when
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(KeptFaces(5, 1, tmp_path)[0].labels, drawn.labels)


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "python_avatars", None)
    with pytest.raises(MissingExtra, match="faces"):
        KeptFaces(0, 1, tmp_path)[0]
