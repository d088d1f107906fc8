import numpy as np
import pytest

from edgekit.data import Affine, Mirror, Shift

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 1)


def marked(size=16, at=(4, 9)):
    """A picture and a mask with one marked pixel at row and column ``at``; its centre as a point."""
    pixels = np.zeros((1, size, size, 3), np.uint8)
    pixels[0, at[0], at[1]] = 255
    points = np.array([[[at[1] + 0.5, at[0] + 0.5]]], np.float32)
    return pixels, (pixels[..., 0] > 0).astype(np.uint8), points


def test_a_shift_of_nothing_changes_nothing():
    assert (Shift.draw(2, 0, np.random.default_rng(0)).pixels(PIXELS) == PIXELS).all()


def test_a_shift_repeats_the_edge_and_draws_as_ever():
    shifted = Shift.draw(2, 1, np.random.default_rng(0)).pixels(PIXELS)
    padded = np.pad(PIXELS, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    top, left = np.random.default_rng(0).integers(0, 3, size=(2, 2))
    for n in range(2):
        assert (shifted[n] == padded[n, top[n] : top[n] + 3, left[n] : left[n] + 3]).all()


def test_shifts_reach_every_place():
    images = np.tile(np.arange(3, dtype=np.uint8).reshape(1, 1, 3, 1), (64, 1, 1, 1))
    shifted = Shift.draw(64, 1, np.random.default_rng(0)).pixels(images)
    assert {tuple(image.ravel().tolist()) for image in shifted} == {(0, 0, 1), (0, 1, 2), (1, 2, 2)}


def test_a_shift_by_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="shift is -1"):
        Shift.draw(2, -1, np.random.default_rng(0))


def test_a_mirror_turns_about_half_of_the_images_and_no_other():
    images = np.tile(np.array([1, 2, 3], dtype=np.uint8).reshape(1, 1, 3, 1), (200, 1, 1, 1))
    flipped = Mirror.draw(200, 3, np.random.default_rng(0)).pixels(images).reshape(200, 3).tolist()
    mirrored = flipped.count([3, 2, 1])
    assert mirrored + flipped.count([1, 2, 3]) == 200
    assert 70 < mirrored < 130


MOVES = {
    "shift": Shift(np.array([3]), np.array([-2])),
    "mirror": Mirror(np.array([True]), 16),
    "turn": Affine.draw(1, 16, 90.0, 0.0, np.random.default_rng(1)),
    "quarter": Affine(np.array([[[0.0, -1.0, 16.0], [1.0, 0.0, 0.0]]])),
    "zoom": Affine(np.array([[[2.0, 0.0, -8.0], [0.0, 2.0, 0.0]]])),
}


@pytest.mark.parametrize("name", MOVES)
def test_pixels_masks_and_points_of_a_thing_stay_together(name):
    move = MOVES[name]
    pixels, masks, points = marked()
    x, y = move.points(points)[0, 0]
    rows, columns = np.nonzero(move.classes(masks)[0])
    assert len(rows)
    assert abs(columns.mean() + 0.5 - x) <= 0.75
    assert abs(rows.mean() + 0.5 - y) <= 0.75
    light = move.pixels(pixels)[0, ..., 0].astype(float)
    ys, xs = np.mgrid[0:16, 0:16] + 0.5
    assert abs((light * xs).sum() / light.sum() - x) <= 0.5
    assert abs((light * ys).sum() / light.sum() - y) <= 0.5


@pytest.mark.parametrize("name", MOVES)
def test_all_frames_of_a_clip_move_as_a_picture_does(name):
    move = MOVES[name]
    pixels, masks, points = marked()
    clip = move.pixels(np.stack([pixels] * 3, axis=1))
    assert clip.shape == (1, 3, 16, 16, 3)
    assert (clip == move.pixels(pixels)[:, None]).all()
    assert (move.classes(np.stack([masks] * 3, axis=1)) == move.classes(masks)[:, None]).all()
    assert np.allclose(move.points(np.stack([points] * 3, axis=1)), move.points(points)[:, None])


def test_a_quarter_turn_gives_the_very_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    assert (MOVES["quarter"].pixels(pixels)[0] == np.rot90(pixels[0], -1)).all()


def test_turns_and_zooms_keep_to_their_limits():
    drawn = Affine.draw(500, 32, 20.0, 0.5, np.random.default_rng(0)).matrix
    zoom = np.sqrt(np.linalg.det(drawn[:, :, :2]))
    turn = np.degrees(np.arctan2(drawn[:, 1, 0], drawn[:, 0, 0]))
    assert 1 / 1.5 <= zoom.min() < 0.7
    assert 1.4 < zoom.max() <= 1.5
    assert -20 <= turn.min() < -18
    assert 18 < turn.max() <= 20
    assert np.allclose(drawn @ np.array([16.0, 16.0, 1.0]), 16.0)
