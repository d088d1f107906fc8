import os
import shutil

import numpy as np
import pytest
from PIL import Image

from edgekit.data import load_dataset
from runtime.bundle.prestep import BoxCrop, ResizeCrop
from runtime.errors import DataError
from tests.edgekit.data.own.pictures import HEIGHT, WIDTH, mask, picture, write_masks


def load(root, **more):
    return load_dataset("mask-folder", root=root, image_size=20, **more)


def test_masks_lie_on_their_pictures(tmp_path):
    data = load(write_masks(tmp_path))
    assert (len(data.train), len(data.test), data.labels) == (8, 2, ["ground", "square"])
    inputs, known = data.train.batch(range(8))
    assert (inputs.shape, known["mask"].shape) == ((8, 3, 20, 20), (8, 20, 20))
    bright = inputs[:, 0] > (inputs[:, 0].min() + inputs[:, 0].max()) / 2
    assert (bright == (known["mask"] == 1)).mean() > 0.97


def test_seen_through_another_pre_step_masks_still_lie_on_them(tmp_path):
    data = load(write_masks(tmp_path))
    cropped = data.through(ResizeCrop())
    inputs, known = cropped.train.batch(range(8))
    bright = inputs[:, 0] > (inputs[:, 0].min() + inputs[:, 0].max()) / 2
    assert (bright == (known["mask"] == 1)).mean() > 0.97
    assert (
        known["mask"].mean() > data.train.labels["mask"].mean()
    )  # nothing is squeezed, and the sides are cut
    assert cropped.through(ResizeCrop()) is cropped
    with pytest.raises(DataError, match="no one box for each picture"):
        data.through(BoxCrop())


def test_parts_of_the_users_own_are_kept(tmp_path):
    write_masks(tmp_path / "train", 4)
    os.mkfifo(tmp_path / "train" / "images" / "pipe.png")  # is not waited for
    write_masks(tmp_path / "val", 3)
    shutil.move(tmp_path / "train" / "classes.txt", tmp_path / "classes.txt")
    data = load(tmp_path)
    assert (len(data.train), len(data.test)) == (4, 3)


def test_grey_transparent_and_turned_pictures_are_taken_as_they_look(tmp_path):
    write_masks(tmp_path)
    folder = tmp_path / "images"
    picture(0).convert("L").save(folder / "00.png")
    picture(1).convert("RGBA").save(folder / "01.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter to the right
    (folder / "02.png").unlink()
    picture(2).transpose(Image.Transpose.ROTATE_90).save(folder / "02.jpg", exif=turned, quality=100)
    data = load(tmp_path)
    train, test = data.train.batch(range(len(data.train))), data.test.batch(range(len(data.test)))
    for inputs, known in (train, test):
        bright = inputs[:, 0] > (inputs[:, 0].min() + inputs[:, 0].max()) / 2
        assert (bright == (known["mask"] == 1)).mean() > 0.96


def test_an_unknown_class_255_is_kept_apart(tmp_path):
    write_masks(tmp_path)
    for index in range(10):
        mask(index, 255).save(tmp_path / "masks" / f"{index:02}.png")
    assert set(np.unique(load(tmp_path).train.labels["mask"])) == {0, 255}


WRONG = {
    "a label that is no class": (
        lambda root: mask(3, 9).save(root / "masks" / "03.png"),
        r"03\.png has label 9 at row 12, column 10, which is no class; allowed: 0 to 1 \(ground to square\)",
    ),
    "colours": (
        lambda root: picture(3).save(root / "masks" / "03.png"),
        r"03\.png has pixels of mode 'RGB'; a mask is a grey or palette PNG",
    ),
    "another size": (
        lambda root: mask(3).resize((WIDTH, HEIGHT - 1)).save(root / "masks" / "03.png"),
        r"03\.png is 40x29 pixels, its picture is 40x30 upright",
    ),
    "no mask": (
        lambda root: (root / "masks" / "03.png").unlink(),
        r"1 of 10 pictures in .*images have no mask; the first to add is .*03\.png",
    ),
    "no picture": (
        lambda root: [path.unlink() for path in (root / "images").iterdir()],
        r"images holds no picture",
    ),
    "no classes": (lambda root: (root / "classes.txt").unlink(), "name the masks' classes there, one a line"),
    "one class": (lambda root: (root / "classes.txt").write_text("a\n"), "names 1 classes"),
    "one class twice": (
        lambda root: (root / "classes.txt").write_text("a\na\n"),
        "names 2 classes, 1 different",
    ),
    "damaged": (
        lambda root: (root / "masks" / "03.png").write_bytes(b"no"),
        r"03\.png is not a readable image",
    ),
    "two of a name": (
        lambda root: picture(3).save(root / "images" / "03.jpg"),
        r"images holds two pictures called '03'",
    ),
    "a strip": (
        lambda root: picture(3).resize((400, 1)).save(root / "images" / "03.png"),
        r"03\.png: an image of 400x1 pixels is too thin",
    ),
    "no folder": (lambda root: shutil.rmtree(root / "images"), "there is no folder .*images"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_learnt_from_is_told(tmp_path, name):
    spoil, message = WRONG[name]
    spoil(write_masks(tmp_path))
    with pytest.raises(DataError, match=message):
        [part.batch(range(len(part))) for data in [load(tmp_path)] for part in (data.train, data.test)]


def test_too_few_pictures_are_told(tmp_path):
    with pytest.raises(DataError, match="2 are too few to train and to test on"):
        load(write_masks(tmp_path, 2))
    with pytest.raises(ValueError, match="'mask-folder' got no root; pass --data-root FOLDER"):
        load(None)
