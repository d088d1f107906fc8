"""Photographs become tensors by hand-computable steps; anything else is refused in one line."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import load_image, normalise, preprocess

GREY = ImageSpec(size=2, resize=2, mean=(0.0,), std=(1.0,), channels=1)
RGB = ImageSpec(size=2, resize=2, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))


def grey(rows, dtype=np.uint8):
    return Image.fromarray(np.array(rows, dtype=dtype))


def test_pixels_are_scaled_and_normalised_per_channel():
    image = Image.new("RGB", (2, 2), (255, 51, 102))
    tensor = preprocess(image, RGB)
    assert tensor.shape == (1, 3, 2, 2)
    assert tensor.dtype == np.float32
    assert np.allclose(tensor[0, :, 0, 0], [(1 - 0.5) / 0.5, (0.2 - 0.25) / 0.25, 0.4])


def test_normalise_moves_channels_first():
    pixels = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    plain = ImageSpec(2, 2, (0.0,) * 3, (1.0,) * 3)
    assert normalise(pixels, plain)[0, 1].tolist() == [[1, 4], [7, 10]]
    assert normalise(pixels, plain).flags.c_contiguous


def test_the_centre_is_cropped():
    tensor = preprocess(grey([[0, 51, 102, 255], [0, 51, 102, 255]]), GREY)
    assert np.allclose(tensor, [[[[0.2, 0.4], [0.2, 0.4]]]])


def test_the_shorter_side_is_resized_before_the_crop():
    wide = Image.new("L", (40, 20), 255)
    assert preprocess(wide, ImageSpec(8, 10, (0.0,), (1.0,), channels=1)).shape == (1, 1, 8, 8)


def test_a_single_pixel_is_an_image():
    assert np.allclose(preprocess(grey([[255]]), GREY), 1.0)


def test_sixteen_bits_keep_their_grades():
    tensor = preprocess(grey([[0, 0x3300], [0x6600, 0xFFFF]], np.uint16), GREY)
    assert np.allclose(tensor, [[[[0, 0.2], [0.4, 1.0]]]])


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_pixels_without_a_range_are_refused(dtype):
    with pytest.raises(DataError, match="have no fixed range; save it with 8 or 16 bits"):
        preprocess(grey([[0, 1], [2, 3]], dtype), GREY)


def test_a_strip_is_refused_before_it_fills_the_memory():
    with pytest.raises(DataError, match="20000x1 pixels is too thin; crop it"):
        preprocess(Image.new("L", (20000, 1)), GREY)


def test_a_photo_is_turned_upright(tmp_path):
    sideways = grey([[0, 255], [0, 255]])
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is on the right: turn by 90 degrees clockwise
    sideways.save(tmp_path / "photo.png", exif=exif)
    assert load_image(tmp_path / "photo.png", GREY)[0, 0].tolist() == [[0, 0], [1, 1]]


def test_transparency_and_palettes_are_dropped(tmp_path):
    for mode in ("RGBA", "P", "LA", "1", "CMYK"):
        Image.new(mode, (3, 3)).save(tmp_path / "i.tiff")
        assert load_image(tmp_path / "i.tiff", RGB).shape == (1, 3, 2, 2)


def test_missing_image_says_where(tmp_path):
    with pytest.raises(DataError, match=r"there is no image at .*none\.png; give the path"):
        load_image(tmp_path / "none.png", RGB)


def encoded(kind):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        encoded("PNG")[:100],
        encoded("JPEG")[:200],
        encoded("PPM").replace(b"255", b"2x5"),  # Pillow: ValueError
        encoded("PNG").replace(b"IDAT", b"IDA\x10"),  # Pillow: SyntaxError or OSError
        encoded("SGI")[:10] + b"\x09\x09" + encoded("SGI")[12:],  # Pillow: ValueError
    ],
)
def test_unreadable_image_is_refused_in_one_line(tmp_path, data):
    path = tmp_path / "broken"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"broken is not a readable image .*; give a PNG, JPEG"):
        load_image(path, RGB)


def test_a_folder_is_no_image_and_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(DataError, match="is no regular file"):
            load_image(path, RGB)
