"""``edgekit data``: what a dataset holds, in numbers and drawn."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from edgekit.cli import cli
from edgekit.data import DATASETS
from edgekit.data.show import draw_sheet
from edgekit.data.tunes import draw_tunes, tune_dataset
from edgekit.data.tunes.collection import Tunes
from runtime.processing.results.colours import colour_of
from tests.edgekit.data.own.pictures import square, write_coco, write_masks


def invoke(*arguments):
    return CliRunner().invoke(cli, ["data", *map(str, arguments)])


def test_datasets_are_listed():
    shown = invoke()
    assert shown.exit_code == 0, shown.output
    assert all(name in shown.output for name in DATASETS)
    known = json.loads(invoke("--json").stdout)
    assert known["folder"].startswith("the images below ``root``")


def test_digits_are_counted_by_class():
    shown = json.loads(invoke("digits", "--json").stdout)
    assert (shown["train"], shown["test"], shown["size"], shown["channels"]) == (1438, 359, 32, 1)
    assert shown["fields"] == [{"name": "label", "kind": "label", "shape": [], "told": ""}]
    assert sum(one["train"] for one in shown["counts"]) == 1438
    assert [one["label"] for one in shown["counts"]] == list("0123456789")


def test_fields_of_a_coco_file_are_told_and_drawn(tmp_path):
    root = write_coco(tmp_path / "data")
    sheet = tmp_path / "sheet.png"
    shown = invoke("coco", "--data-root", root, "--image-size", 24, "--show", 3, "-o", sheet, "--check")
    assert shown.exit_code == 0, shown.output
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    assert "coco: 8 examples to train on, 2 to test on, 24x24 pixels in 3 channels" in lines
    assert "boxes boxes 1x4 10 boxes, up to 1 each" in lines
    assert "keypoints keypoints 1x2x3 2 points; 20 known" in lines
    assert "captions caption 1x3 10 sentences, 4 words" in lines
    assert "square boxes 8 2" in lines
    with Image.open(sheet) as opened:
        drawn = np.asarray(opened.convert("RGB"))
    assert (drawn == colour_of(2)).all(axis=-1).any()  # a box's line


def test_a_mask_and_a_box_are_drawn_where_they_are(tmp_path):
    from edgekit.data import load_dataset

    data = load_dataset("mask-folder", root=write_masks(tmp_path), image_size=24)
    tile = np.asarray(draw_sheet(data, 1))[8 : 8 + 192, 8 : 8 + 192].astype(int)
    left, top, right, bottom = square(0)
    inside = tile[
        (top + 2) * 192 // 30 : (bottom - 2) * 192 // 30, (left + 2) * 192 // 40 : (right - 2) * 192 // 40
    ]
    wanted = 0.55 * np.array(colour_of(1)) + 0.45 * 200
    assert np.abs(inside - wanted).max() <= 3
    assert tile[0, 0].tolist() == [0, 0, 0]


def test_faces_clips_and_tunes_are_drawn(tmp_path):
    shown = invoke("toy-faces", "--image-size", 32, "--show", 2, "--test", "-o", tmp_path / "faces.jpg")
    assert shown.exit_code == 0, shown.output
    assert "pixels" in shown.output
    assert Image.open(tmp_path / "faces.jpg").size == (3 * 8 + 2 * 192, 2 * 8 + 192)
    for name in ("a", "b"):
        for clip in range(3):
            (tmp_path / "clips" / name / str(clip)).mkdir(parents=True)
            for number in range(8):
                picture = Image.new("RGB", (10, 10), (30 * number, 0, 0))
                picture.save(tmp_path / "clips" / name / str(clip) / f"{number}.png")
    root = tmp_path / "clips"
    shown = invoke(
        "clip-folder", "--data-root", root, "--image-size", 8, "--show", 1, "-o", tmp_path / "c.png"
    )
    assert "4 examples to train on, 2 to test on, 8x8 pixels in 3 channels, 8 frames each" in shown.output
    reds = np.asarray(Image.open(tmp_path / "c.png"))[20, 8:776:96, 0]
    assert reds.tolist() == [30 * number for number in range(8)]
    tunes = tune_dataset("drawn", Tunes(tuple(draw_tunes(3)), tuple(draw_tunes(2, 1)), "drawn"))
    assert draw_sheet(tunes, 2).width > 500


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("digit",), 2, "did you mean digits"),
        (("coco",), 2, "'coco' got no root; pass --data-root FOLDER"),
        (("digits", "--show", "3", "-o", "sheet.bmp"), 1, "'sheet.bmp' is no file of this result"),
        (("digits", "--show", "0"), 2, "0 is not in the range x>=1"),
    ],
)
def test_what_cannot_be_shown_is_told(arguments, status, message):
    shown = invoke(*arguments)
    assert shown.exit_code == status
    assert message in shown.output


def test_a_damaged_file_is_found_before_training(tmp_path):
    root = write_masks(tmp_path)
    (root / "images" / "04.png").write_bytes(b"no")
    shown = invoke("mask-folder", "--data-root", root, "--image-size", 16, "--check")
    assert shown.exit_code == 1
    assert "04.png is not a readable image" in shown.output
