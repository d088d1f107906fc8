"""Whatever a program has at hand becomes the same input tensor; what cannot is refused in one line."""

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import ImageSpec, TensorSpec
from runtime.processing.given import as_frame, as_input

COLOUR = ImageSpec(size=2, resize=2, mean=(0.0,) * 3, std=(0.5,) * 3)
CAMERA = ImageSpec(size=2, resize=2, mean=(0.0,) * 3, std=(0.5,) * 3, layout="nhwc")
GREY = ImageSpec(size=2, resize=2, mean=(0.0,), std=(1.0,), channels=1)
PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20


def picture(image):
    return TensorSpec("image", "float32", image.shape, image)


def test_path_picture_pixels_and_tensor_are_the_same_input(tmp_path):
    path = tmp_path / "cat.png"
    Image.fromarray(PIXELS).save(path)
    expected = (PIXELS / 255 / 0.5).astype(np.float32).transpose(2, 0, 1)[None]
    for given in (path, str(path), Image.fromarray(PIXELS), PIXELS, PIXELS[None], expected):
        np.testing.assert_allclose(as_input(given, picture(COLOUR)), expected, rtol=1e-6)


def test_a_camera_layout_keeps_channels_last():
    given = as_input(PIXELS, picture(CAMERA))
    assert given.shape == (1, 2, 2, 3)
    np.testing.assert_allclose(given[0], PIXELS / 255 / 0.5, rtol=1e-6)


def test_grey_pixels_and_transparent_ones():
    assert as_input(PIXELS[..., 0], picture(GREY)).shape == (1, 1, 2, 2)
    assert as_input(PIXELS[..., :1], picture(GREY)).shape == (1, 1, 2, 2)
    assert as_input(np.zeros((4, 4, 4), np.uint8), picture(COLOUR)).shape == (1, 3, 2, 2)


def test_a_torch_tensor_is_taken():
    torch = pytest.importorskip("torch")
    given = as_input(torch.ones(1, 4, requires_grad=True), TensorSpec("x", "float32", (1, 4)))
    assert given.tolist() == [[1, 1, 1, 1]]


def test_several_inputs_come_in_order_or_by_name():
    specs = (TensorSpec("a", "float32", (1, 2)), TensorSpec("b", "int64", (1,)))
    a, b = np.ones((1, 2), np.float32), np.array([7])
    for given in ([a, b], (a, b), {"b": b, "a": a}):
        frame = as_frame(given, specs)
        assert [one.tolist() for one in frame] == [[[1, 1]], [7]]


@pytest.mark.parametrize(
    ("given", "spec", "error", "message"),
    [
        (3, picture(COLOUR), TypeError, "given as int; give a path"),
        (PIXELS, TensorSpec("x", "float32", (1, 3)), ValueError, "has shape .*reshape it"),
        (PIXELS.transpose(2, 0, 1), picture(COLOUR), ValueError, "uint8 pixels are .*transpose them"),
        (PIXELS / 255, picture(COLOUR), ValueError, "pixels are uint8, 0 to 255"),
        (Image.fromarray(PIXELS), TensorSpec("x", "float32", (1, 3)), ValueError, "export .* Preprocess"),
        ([PIXELS, PIXELS], picture(COLOUR), ValueError, "2 inputs are given; the model takes 1"),
        ({"y": PIXELS}, picture(COLOUR), ValueError, "given for y; the model takes image"),
    ],
)
def test_what_cannot_be_an_input_is_told(given, spec, error, message):
    with pytest.raises(error, match=message):
        as_frame(given, [spec])
