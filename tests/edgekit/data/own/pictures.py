"""A user's pictures, written for tests: a bright square on the dark, and what is known of it."""

import json

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 40, 30


def square(index):
    """Return left, top, right, bottom of the square in picture ``index``."""
    left, top = 4 + 2 * index % 16, 3 + 3 * index % 12
    return left, top, left + 12, top + 9


def picture(index):
    left, top, right, bottom = square(index)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[top:bottom, left:right] = 200
    return Image.fromarray(pixels)


def mask(index, label=1):
    left, top, right, bottom = square(index)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[top:bottom, left:right] = label
    return Image.fromarray(labels)


def write_masks(root, count=10):
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    (root / "classes.txt").write_text("ground\nsquare\n")
    for index in range(count):
        picture(index).save(root / "images" / f"{index:02}.png")
        mask(index).save(root / "masks" / f"{index:02}.png")
    return root


def coco(count=10):
    """Return a document of COCO's form: a square each, outlined, with two points of it, and a sentence."""
    categories = [
        {"id": 7, "name": "square", "keypoints": ["left_top", "right_top"], "skeleton": [[1, 2]]},
        {"id": 3, "name": "circle"},
    ]
    images = [
        {"id": 100 + i, "file_name": f"{i:02}.png", "width": WIDTH, "height": HEIGHT} for i in range(count)
    ]
    annotations = []
    for index in range(count):
        left, top, right, bottom = square(index)
        annotations.append(
            {
                "id": index,
                "image_id": 100 + index,
                "category_id": 7,
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": [[left, top, right - 1, top, right - 1, bottom - 1, left, bottom - 1]],
                "keypoints": [left, top, 2, right, top, 1],
            }
        )
        annotations.append({"id": 500 + index, "image_id": 100 + index, "caption": "A bright square."})
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(root, document=None, count=10):
    (root / "images").mkdir(parents=True)
    for index in range(count):
        picture(index).save(root / "images" / f"{index:02}.png")
    (root / "annotations.json").write_text(json.dumps(document or coco(count)))
    return root
