import json

import numpy as np
import pytest
from PIL import Image

from edgekit.data import Mirror, load_dataset
from edgekit.data.own.coco.segments import draw_segment
from runtime.bundle.prestep import ResizeCrop
from runtime.errors import DataError
from tests.edgekit.data.own.pictures import HEIGHT, WIDTH, coco, square, write_coco

SIZE = 20


def load(root):
    return load_dataset("coco", root=root, image_size=SIZE)


def test_fields_lie_on_their_pictures(tmp_path):
    data = load(write_coco(tmp_path))
    assert (len(data.train), len(data.test)) == (8, 2)
    assert data.labels == ["background", "circle", "square"]
    assert not data.flips  # a sentence may say left or right
    inputs, known = data.train.batch(range(8))
    middle = (inputs[:, 0].min() + inputs[:, 0].max()) / 2
    for picture, one in zip(inputs[:, 0], known, strict=True):
        rows, columns = np.nonzero(picture > middle)
        assert ((picture > middle) == (one["mask"] == 2)).mean() > 0.93
        assert np.allclose(
            one["boxes"][0], [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], atol=1
        )
        (left, top, _, _), points = one["boxes"][0], one["keypoints"][0]
        assert points[0].tolist() == [left, top, 2]
        assert points[1].tolist() == [one["boxes"][0][2], top, 1]
        assert one["classes"].tolist() == [2]
    words = data.train.labels.kinds["captions"].words
    assert [words[number] for number in known["captions"][0, 0]] == ["a", "bright", "square"]


def test_boxes_are_where_the_pre_step_shows_them(tmp_path):
    data = load(write_coco(tmp_path)).through(ResizeCrop())
    inputs, known = data.train.batch(range(8))
    middle = (inputs[:, 0].min() + inputs[:, 0].max()) / 2
    for picture, one in zip(inputs[:, 0], known, strict=True):
        rows, columns = np.nonzero(picture > middle)
        if one["boxes"].any():
            assert abs(one["boxes"][0, 1] - rows.min()) <= 1
            assert abs(one["boxes"][0, 2] - columns.max() - 1) <= 1


def test_a_mirror_makes_a_left_point_a_right_one(tmp_path):
    data = load(write_coco(tmp_path))
    _, plain = data.train.batch([0])
    _, mirrored = data.train.batch([0], moves=[Mirror(np.array([True]), SIZE)])
    (left, top, right, _), (x, y, seen) = plain["boxes"][0, 0], mirrored["keypoints"][0, 0, 0]
    assert (x, y, seen) == (SIZE - right, top, 1)  # what was the right one, which is hidden
    assert mirrored["boxes"][0, 0, 0] == SIZE - right
    assert mirrored["boxes"][0, 0, 2] == SIZE - left


def test_crowds_are_in_the_mask_alone_and_small_things_on_large_ones(tmp_path):
    document = coco()
    whole = {"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT * WIDTH]}
    document["annotations"].insert(
        0,
        {
            "id": 900, "image_id": 100, "category_id": 3, "bbox": [0, 0, WIDTH, HEIGHT], "iscrowd": 1,
            "segmentation": whole,
        },
    )  # fmt: skip
    document["annotations"].append({**document["annotations"][0], "id": 901})
    data = load(write_coco(tmp_path, document))
    first = next(one for part in (data.train, data.test) for one in part.labels if (one["mask"] == 1).any())
    assert first["boxes"].shape == (1, 4)
    assert set(np.unique(first["mask"])) == {1, 2}


def test_own_parts_have_their_own_files(tmp_path):
    write_coco(tmp_path)
    document = coco()
    (tmp_path / "annotations.json").rename(tmp_path / "train.json")
    document["images"] = document["images"][:3]
    document["annotations"] = [one for one in document["annotations"] if one["image_id"] < 103]
    document["annotations"][-1]["caption"] = "An odd square"
    (tmp_path / "val.json").write_text(json.dumps(document))
    data = load(tmp_path)
    assert (len(data.train), len(data.test)) == (10, 3)
    words = data.test.labels.kinds["captions"].words
    assert [words[number] for number in data.test.labels[2]["captions"][0]] == ["?", "?", "square"]
    document["categories"] = document["categories"][:1]
    (tmp_path / "val.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="unlike categories"):
        load(tmp_path)


def test_runs_and_polygons_draw_the_same():
    wanted = np.zeros((4, 5), bool)
    wanted[1:3, 1:4] = True
    plain = {"size": [4, 5], "counts": [5, 2, 2, 2, 2, 2, 5]}
    assert (draw_segment(plain, 5, 4) == wanted).all()
    assert (draw_segment([[1, 1, 3, 1, 3, 2, 1, 2]], 5, 4) == wanted).all()
    # The compressed form of long runs, some falling: 3, 4, 2, 200, 5 by pycocotools' rule.
    compressed = {"size": [2, 107], "counts": "342T63"}
    assert (
        draw_segment(compressed, 107, 2).T.ravel().tolist()
        == [False] * 3 + [True] * 4 + [False] * 2 + [True] * 200 + [False] * 5
    )


def changed(**changes):
    def change(document):
        document["annotations"][0].update(changes)

    return change


WRONG = {
    "missing picture": (
        lambda document: document["images"][4].update(file_name="gone.png"),
        r"annotations\.json names the picture 'gone\.png', which is not in .*images; put it there",
    ),
    "picture elsewhere": (
        lambda document: document["images"][4].update(file_name="../images/04.png"),
        "which is not in",
    ),
    "box of no area": (
        changed(bbox=[5, 5, 0, 3]),
        r"annotation 0 has a box of no area, 5, 5, 0, 3 \(left, top, width, height\); correct it",
    ),
    "box outside": (
        changed(bbox=[50, 5, 4, 3]),
        "annotation 0 has a box outside its picture of 40x30 pixels",
    ),
    "no such image": (changed(image_id=7), "annotation 0 is of image 7, which the file does not have"),
    "no such category": (changed(category_id=9), "annotation 0 is of category 9"),
    "points": (
        changed(keypoints=[1, 2, 2]),
        "annotation 0 has 3 numbers of keypoints; its category has 2 points",
    ),
    "two corners": (changed(segmentation=[[1, 1, 2, 2]]), "annotation 0: a polygon of its segmentation"),
    "no outline": (changed(segmentation=5), "annotation 0: its segmentation is neither"),
    "short runs": (
        changed(segmentation={"size": [30, 40], "counts": [3]}),
        "annotation 0: the runs of its segmentation do not add up to 1200 pixels",
    ),
    "runs of another size": (changed(segmentation={"size": [3, 4], "counts": [12]}), r"has size \[3, 4\]"),
    "another size": (
        lambda document: document["images"][4].update(width=30, height=40),
        r"04\.png is 40x30 pixels as its EXIF turns it, annotations\.json says 30x40; save it upright",
    ),
    "bones": (
        lambda document: document["categories"][0].update(skeleton=[[1, 3]]),
        "a skeleton joins points outside 1 to 2",
    ),
    "two lists of points": (
        lambda document: document["categories"][1].update(keypoints=["middle"]),
        "circle, square have unlike keypoints",
    ),
    "nothing known": (
        lambda document: document["annotations"].clear(),
        "neither boxes nor outlines nor captions",
    ),
    "two of an id": (lambda document: document["images"][1].update(id=100), "has an image of id 100 2 times"),
    "two of a name": (
        lambda document: document["categories"][1].update(name="square"),
        "has a category called 'square' 2 times",
    ),
    "no size": (lambda document: document["images"][4].update(width=0), r"'04\.png' has 0x30 pixels"),
    "no images": (lambda document: document["images"].clear(), "names no image"),
    "a text for a number": (
        lambda document: document["images"][0].update(width="wide"),
        r"annotations\.json is no COCO file.*give a file of COCO's form",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_hold_is_told(tmp_path, name):
    change, message = WRONG[name]
    document = coco()
    change(document)
    with pytest.raises(DataError, match=message):
        [
            part.batch(range(len(part)))
            for data in [load(write_coco(tmp_path, document))]
            for part in (data.train, data.test)
        ]


def test_a_picture_on_its_side_is_told(tmp_path):
    write_coco(tmp_path)
    turned = Image.Exif()
    turned[0x0112] = 6
    for path in (tmp_path / "images").iterdir():
        with Image.open(path) as opened:
            opened.save(path, exif=turned)
    with pytest.raises(DataError, match="is 30x40 pixels as its EXIF turns it"):
        load(tmp_path).train.batch([0])


def test_a_file_that_is_not_there_is_told(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"there is no file .*annotations\.json"):
        load(tmp_path)
    assert square(0) == (4, 3, 16, 12)
