"""Pictures into inputs and back: where things are found again, for every pre-step."""

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import ImageSpec
from runtime.bundle.prestep import BoxCrop, ResizeCrop, TanhWarp, Whole
from runtime.errors import DataError
from runtime.processing.placement import place
from runtime.processing.prepare import prepare, warp
from runtime.processing.sampling import input_points, labels_on_input, labels_on_picture, sample_linear

SPEC = ImageSpec(size=64, resize=72, mean=(0.0,) * 3, std=(1.0,) * 3)
BOX = (60, 40, 120, 110)
STEPS = {"resize_crop": ResizeCrop(), "whole": Whole(), "crop": BoxCrop(1.3), "tanh": TanhWarp()}


def smooth(width, height):
    """A picture of slow waves, so that sampling it loses little."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [np.sin(x / 9 + y / 13), np.cos(x / 7), np.sin(y / 11 - x / 17)]
    return Image.fromarray(np.stack([(wave * 120 + 128) for wave in waves], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("name", STEPS)
def test_a_spot_lies_in_the_input_where_the_placement_says(name):
    picture = Image.new("RGB", (200, 150))
    picture.paste((255, 255, 255), (88, 68, 96, 76))  # its middle is at 92, 72
    array, placement = prepare(picture, STEPS[name], SPEC, BOX)
    heat = array[0].sum(axis=0)
    ys, xs = np.mgrid[: SPEC.size, : SPEC.size] + 0.5
    found = (xs * heat).sum() / heat.sum(), (ys * heat).sum() / heat.sum()
    expected = placement.x.to_input(np.float64(92)), placement.y.to_input(np.float64(72))
    np.testing.assert_allclose(found, expected, atol=0.6)
    there = placement.x.to_picture(np.float64(expected[0])), placement.y.to_picture(np.float64(expected[1]))
    np.testing.assert_allclose(there, (92, 72))


def test_tanh_warp_is_the_formula_of_the_paper():
    picture = smooth(200, 150)
    placement = place(TanhWarp(), SPEC, 200, 150, BOX)
    warped, pixels = warp(picture, placement), np.asarray(picture, np.float64)
    for i, j in ((32, 32), (20, 45), (50, 9)):  # row, column
        x = 90 + 30 * np.arctanh((j + 0.5) * 2 / 64 - 1) - 0.5
        y = 75 + 35 * np.arctanh((i + 0.5) * 2 / 64 - 1) - 0.5
        left, top, right, low = int(np.floor(x)), int(np.floor(y)), x - np.floor(x), y - np.floor(y)
        corners = pixels[top : top + 2, left : left + 2]
        blended = np.einsum("y,x,yxc->c", [1 - low, low], [1 - right, right], corners) / 255
        np.testing.assert_allclose(warped[i, j], blended, atol=1e-5)


def test_unwarping_what_was_warped_gives_the_box_back():
    picture = smooth(200, 150)
    placement = place(TanhWarp(), SPEC, 200, 150, BOX)
    warped = warp(picture, placement)
    back = sample_linear(warped, input_points(placement.y, 150), input_points(placement.x, 200))
    inside = np.s_[40:110, 60:120]
    error = back[inside] - np.asarray(picture, np.float32)[inside] / 255
    assert 10 * np.log10(1 / np.mean(error**2)) > 30  # dB


def test_a_box_over_the_edge_sees_black_outside():
    array, _ = prepare(Image.new("RGB", (40, 40), (255, 255, 255)), BoxCrop(), SPEC, (-40, 0, 40, 40))
    assert array[0, :, :, :30].max() == 0
    assert array[0, :, :, 34:].min() == 1


def test_a_large_picture_is_averaged_before_it_is_sampled():
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    array, _ = prepare(Image.fromarray(stripes), Whole(), SPEC)
    np.testing.assert_allclose(array, 0.5, atol=0.01)


def test_labels_go_to_the_input_and_come_back():
    labels = np.zeros((150, 200), np.uint8)
    labels[60:90, 75:105] = 2
    placement = place(TanhWarp(), SPEC, 200, 150, BOX)
    small = labels_on_input(labels, placement, 64, 0)
    back = labels_on_picture(small, placement, 0)
    assert small.shape == (64, 64)
    assert (back != labels).sum() < 4 * 30 * 1.2  # a pixel along the square's edge


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "1", "CMYK"])
def test_pictures_of_any_mode_enter(mode):
    picture = (
        Image.new("L", (50, 30), 255).convert(mode) if mode != "I;16" else Image.new("I;16", (50, 30), 65535)
    )
    array, _ = prepare(picture, TanhWarp(), SPEC, (5, 5, 20, 20))
    assert array.shape == SPEC.shape
    assert array.max() > 0.99


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (None, "give --box"),
        ((10, 10, 10, 50), "no area"),
        ((50, 10, 40, 50), "no area"),
        ((300, 10, 340, 50), "outside"),
        ((-30, 10, 0, 50), "outside"),
        ((10, 10, float("nan"), 50), "four numbers"),
        ((10, 10, 20), "four numbers"),
        ((-1e300, -1e300, 1e300, 1e300), "too far"),
    ],
)
def test_bad_boxes_are_refused(box, message):
    with pytest.raises(DataError, match=message):
        prepare(smooth(200, 150), TanhWarp(), SPEC, box)
