"""Files to input tensors."""

import numpy as np
import pytest
from PIL import Image

from runtime.bundle import ImageSpec, TensorSpec
from runtime.errors import DataError
from runtime.processing.inputs import load_frame, load_input

SPEC = TensorSpec("x", "float32", (1, 3, 4, 4), ImageSpec(4, 4, (0.5,) * 3, (0.25,) * 3))


def test_photo_enters_as_the_spec_says(tmp_path):
    Image.new("RGB", (9, 4), (255, 0, 128)).save(tmp_path / "photo.png")
    tensor = load_input(tmp_path / "photo.png", SPEC)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 4, 4), np.float32)
    np.testing.assert_allclose(tensor[0, :, 2, 2], [2.0, -2.0, (128 / 255 - 0.5) / 0.25], atol=1e-6)


def test_array_enters_as_it_is_in_the_type_of_the_network(tmp_path):
    array = np.arange(48.0).reshape(1, 3, 4, 4)
    np.save(tmp_path / "x.npy", array)
    tensor = load_input(tmp_path / "x.npy", SPEC)
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor, array)


def test_array_of_another_shape_is_refused_with_both_shapes(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 4, 4, 3)))
    with pytest.raises(ValueError, match=r"has shape \(1, 4, 4, 3\); input 'x' is \(1, 3, 4, 4\)"):
        load_input(tmp_path / "x.npy", SPEC)


def test_array_of_another_kind_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 4, 4), dtype=complex))
    with pytest.raises(ValueError, match="holds complex128; input 'x' is float32"):
        load_input(tmp_path / "x.npy", SPEC)


def test_photo_for_a_network_that_takes_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no image: give a \.npy file of shape \(1, 8\)"):
        load_input(tmp_path / "photo.png", TensorSpec("x", "float32", (1, 8)))


PAIR = (TensorSpec("sound", "float32", (1, 4)), TensorSpec("ids", "int64", (2,)))


def test_archive_has_an_array_per_input(tmp_path):
    np.savez(tmp_path / "x.npz", ids=np.array([3, 5]), sound=np.ones((1, 4)))
    sound, ids = load_frame(tmp_path / "x.npz", PAIR)
    assert (sound.dtype, ids.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(ids, [3, 5])


def test_one_input_needs_no_archive(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((1, 4)))
    (array,) = load_frame(tmp_path / "x.npy", PAIR[:1])
    assert array.shape == (1, 4)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"sound": np.ones((1, 4))}, "holds sound; the inputs are called sound, ids"),
        ({"sound": np.ones((1, 5)), "ids": np.array([3, 5])}, r"sound in .* has shape \(1, 5\)"),
    ],
)
def test_archive_that_does_not_fit_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_frame(tmp_path / "x.npz", PAIR)


def test_several_inputs_need_an_archive_that_can_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"has 2 inputs: give a \.npz file with arrays called sound, ids"):
        load_frame(tmp_path / "photo.png", PAIR)
    for content in (b"", b"junk", b"PK\x03\x04 no archive"):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"x\.npz is not a \.npz archive"):
            load_frame(tmp_path / "x.npz", PAIR)
    with pytest.raises(DataError, match="there is no file at"):
        load_frame(tmp_path / "missing.npz", PAIR)


@pytest.mark.parametrize("name", ["missing.npy", "missing.png"])
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises(DataError, match=f"there is no .* at .*{name}"):
        load_input(tmp_path / name, SPEC)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x93NUMPY\x01\x00"])
def test_damaged_array_is_refused(tmp_path, content):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy is not a \.npy array"):
        load_input(tmp_path / "x.npy", SPEC)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match=r"not a \.npy array"):
        load_input(tmp_path / "x.npy", SPEC)


def test_archive_under_a_wrong_name_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(1))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(DataError, match="archive of arrays"):
        load_input(tmp_path / "x.npy", SPEC)


def test_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "photo.png").write_text("hello")
    with pytest.raises(DataError, match="not a readable image"):
        load_input(tmp_path / "photo.png", SPEC)


@pytest.mark.parametrize("dtype", ["object", "nonsense", "str", "(9,)f4"])
def test_a_network_whose_input_is_no_number_is_refused(tmp_path, dtype):
    np.save(tmp_path / "x.npy", np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="which is no type of numbers"):
        load_input(tmp_path / "x.npy", TensorSpec("x", dtype, (1, 4)))
