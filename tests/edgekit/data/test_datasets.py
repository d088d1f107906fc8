import gzip
import io
import struct
import tarfile

import msgspec
import numpy as np
import pytest
from PIL import Image

from edgekit.data import DATASETS, Split, load_dataset
from edgekit.data.cifar10 import ARCHIVE, FOLDER, TEST, TRAIN
from edgekit.data.dataset import resize_images, stratified_split
from edgekit.data.fashion_mnist import read_idx
from runtime.bundle import ImageSpec
from runtime.errors import DataError
from runtime.processing.images import preprocess

GREY = ImageSpec(size=2, resize=2, mean=(0.5,), std=(0.25,), channels=1)


def test_the_datasets_are_registered():
    known = {"cifar10", "clip-folder", "coco", "digits", "faces", "fashion-mnist", "folder"}
    assert known | {"identity-folder", "mask-folder", "toy-faces"} <= set(DATASETS.names())


def test_unknown_dataset_names_the_near_one():
    with pytest.raises(ValueError, match="did you mean digits"):
        load_dataset("digit")


def test_image_size_below_eight_is_refused():
    with pytest.raises(ValueError, match="image_size is 4"):
        load_dataset("digits", image_size=4)


def test_batch_normalises_by_hand_computed_values():
    images = np.array([0, 255, 51, 102], dtype=np.uint8).reshape(1, 2, 2, 1)
    inputs, labels = Split(images, np.array([3]), GREY).batch([0])
    np.testing.assert_allclose(inputs, np.array([-2.0, 2.0, -1.2, -0.4]).reshape(1, 1, 2, 2), atol=1e-6)
    assert inputs.dtype == np.float32
    assert labels.tolist() == [3]


def test_batch_augments_the_pixels_before_normalising():
    images = np.zeros((1, 2, 2, 1), dtype=np.uint8)
    inputs, _ = Split(images, np.array([0]), GREY).batch([0], augment=lambda pixels: pixels + 255)
    assert (inputs == 2.0).all()


def test_a_split_with_a_label_missing_is_refused():
    with pytest.raises(DataError, match="2 images have 1 labels"):
        Split(np.zeros((2, 2, 2, 1), dtype=np.uint8), np.array([0]), GREY)


def test_stratified_split_takes_a_fifth_of_every_class_and_never_changes():
    labels = np.repeat([0, 1, 2], [10, 20, 5])
    train, test = stratified_split(labels)
    assert np.bincount(labels[test]).tolist() == [2, 4, 1]
    assert sorted([*train, *test]) == list(range(35))
    assert (stratified_split(labels)[1] == test).all()


def test_digits_hold_1797_images_whose_test_part_is_fixed():
    digits = load_dataset("digits")
    assert (len(digits.train), len(digits.test)) == (1438, 359)
    assert digits.test.images.shape == (359, 32, 32, 1)
    inputs, _ = digits.train.batch(np.arange(len(digits.train)))
    assert abs(inputs.mean()) < 0.02
    assert abs(inputs.std() - 1) < 0.02


def test_digits_are_scaled_as_the_device_scales_a_photograph():
    digits = load_dataset("digits", image_size=20)
    small = load_dataset("digits", image_size=8)
    picture = Image.fromarray(small.test.images[7].squeeze(2))
    np.testing.assert_array_equal(preprocess(picture, digits.image), digits.test.batch([7])[0])


def test_resizing_to_the_same_size_copies_nothing():
    images = np.zeros((2, 4, 4, 1), dtype=np.uint8)
    assert resize_images(images, 4) is images


def idx(array):
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.tobytes())


def fashion_folder(tmp_path):
    for prefix, count in (("train", 3), ("t10k", 2)):
        images = np.arange(count * 28 * 28, dtype=np.uint8).reshape(count, 28, 28)
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (tmp_path / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count, dtype=np.uint8)))
    return tmp_path


def test_fashion_mnist_reads_a_local_folder(tmp_path):
    data = load_dataset("fashion-mnist", root=fashion_folder(tmp_path))
    assert data.train.images[0, 0, :3, 0].tolist() == [0, 1, 2]
    assert data.test.labels.tolist() == [0, 1]
    assert (data.image.size, data.image.channels, len(data.labels)) == (28, 1, 10)


def test_fashion_mnist_says_which_file_a_folder_lacks(tmp_path):
    with pytest.raises(DataError, match=r"has no train-images-idx3-ubyte\.gz"):
        load_dataset("fashion-mnist", root=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "cannot be read as gzip"),
        (gzip.compress(b"\0\0\x0d\x01"), "not an IDX file of unsigned bytes"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abc"), "holds 3 bytes"),
        (gzip.compress(b"\0\0\x08\x03\0"), "its header says"),
    ],
    ids=["not gzip", "wrong type", "too short", "half a header"],
)
def test_damaged_idx_files_are_refused(tmp_path, content, message):
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "x.gz")


def cifar_rows(label, count=2):
    row = bytes([label]) + bytes([10]) * 1024 + bytes([20]) * 1024 + bytes([30]) * 1024
    return row * count


def cifar_archive(folder):
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        for label, name in enumerate((*TRAIN, *TEST)):
            info = tarfile.TarInfo(f"{FOLDER}/{name}.bin")
            info.size = len(cifar_rows(label))
            archive.addfile(info, io.BytesIO(cifar_rows(label)))


def cifar_bins(folder):
    (folder / FOLDER).mkdir()
    for label, name in enumerate((*TRAIN, *TEST)):
        (folder / FOLDER / f"{name}.bin").write_bytes(cifar_rows(label))


def cifar_pngs(folder):
    pixels = np.broadcast_to(np.array([10, 20, 30], dtype=np.uint8), (2, 1024, 3))
    for name in (*TRAIN, *TEST):
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{name}.png")
    (folder / "train_lables.json").write_bytes(msgspec.json.encode([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]))
    (folder / "test_lables.json").write_bytes(msgspec.json.encode([5, 5]))


@pytest.mark.parametrize("write", [cifar_archive, cifar_bins, cifar_pngs])
def test_cifar10_reads_its_three_forms_alike(tmp_path, write):
    write(tmp_path)
    data = load_dataset("cifar10", root=tmp_path)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert data.test.labels.tolist() == [5, 5]
    assert data.train.images.shape == (10, 32, 32, 3)
    assert data.train.images[9, 31, 31].tolist() == [10, 20, 30]


def test_cifar10_refuses_a_folder_without_the_binary_version(tmp_path):
    with pytest.raises(DataError, match=r"put cifar-10-binary\.tar\.gz"):
        load_dataset("cifar10", root=tmp_path)


def test_cifar10_refuses_an_archive_of_something_else(tmp_path):
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("readme"))
    with pytest.raises(DataError, match="not the CIFAR-10 binary archive"):
        load_dataset("cifar10", root=tmp_path)


def test_cifar10_refuses_rows_of_the_wrong_length(tmp_path):
    cifar_bins(tmp_path)
    (tmp_path / FOLDER / "test_batch.bin").write_bytes(b"short")
    with pytest.raises(DataError, match="5 bytes are no multiple"):
        load_dataset("cifar10", root=tmp_path)


def test_cifar10_refuses_a_label_it_does_not_have(tmp_path):
    cifar_bins(tmp_path)
    (tmp_path / FOLDER / "test_batch.bin").write_bytes(cifar_rows(label=10))
    with pytest.raises(DataError, match="labels up to 10"):
        load_dataset("cifar10", root=tmp_path)


def photos(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (40, 30), (number, 0, 0)).save(folder / name / f"{number:02}.png")


def test_folder_splits_each_class_when_there_is_no_test_part(tmp_path):
    photos(tmp_path, {"cat": 5, "dog": 10})
    data = load_dataset("folder", root=tmp_path, image_size=16)
    assert data.labels == ["cat", "dog"]
    assert np.bincount(data.test.labels).tolist() == [1, 2]
    inputs, _ = data.test.batch([0, 2])
    assert inputs.shape == (2, 3, 16, 16)


def test_folder_keeps_its_own_train_and_test_parts(tmp_path):
    photos(tmp_path / "train", {"cat": 2, "dog": 2})
    photos(tmp_path / "val", {"cat": 1, "dog": 3})
    data = load_dataset("folder", root=tmp_path, image_size=16)
    assert data.test.labels.tolist() == [0, 1, 1, 1]
    assert data.train.images[np.array([1])][0, 0, 0].tolist() == [1, 0, 0]


def test_folder_without_a_path_is_a_bad_argument():
    with pytest.raises(ValueError, match="--data-root"):
        load_dataset("folder")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"cat": 3}, "1 class folders"),
        ({"cat": 1, "dog": 1}, "no image for the test part"),
        (None, "there is no folder"),
    ],
)
def test_folders_that_cannot_be_used_are_refused(tmp_path, counts, message):
    if counts is not None:
        photos(tmp_path, counts)
    with pytest.raises(DataError, match=message):
        load_dataset("folder", root=tmp_path if counts else tmp_path / "nowhere")


def test_an_unreadable_photo_is_named_when_it_is_read(tmp_path):
    photos(tmp_path, {"cat": 5, "dog": 5})
    data = load_dataset("folder", root=tmp_path, image_size=16)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"cat.00\.png"):
        data.train.batch([0])
