"""Fields move with their images, and reach the trainer as tensors."""

import numpy as np
import pytest

from edgekit.data import (
    Affine,
    Boxes,
    Caption,
    Dataset,
    Fields,
    Fixed,
    Keypoints,
    Label,
    Mask,
    Mirror,
    Shift,
    Split,
    limit_training,
)
from edgekit.training import Recipe, make_techniques
from edgekit.training.loader import TrainingLoader
from runtime.bundle import ImageSpec
from runtime.errors import DataError

SIZE = 16
IMAGE = ImageSpec(SIZE, SIZE, (0.5,) * 3, (0.25,) * 3)
KINDS = {
    "mask": Mask(),
    "boxes": Boxes(SIZE, classes="classes"),
    "classes": Label(),
    "points": Keypoints(SIZE, ("nose", "left_eye", "right_eye")),
    "caption": Caption(("a", "square")),
}


def split(count=8):
    """Pictures with a bright square each: its mask, box, three of its points, and a box that is none."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    mask = np.zeros((count, SIZE, SIZE), np.uint8)
    boxes, points = np.zeros((count, 2, 4), np.float32), np.zeros((count, 3, 3), np.float32)
    for index, (top, left) in enumerate(rng.integers(4, 8, (count, 2))):
        pixels[index, top : top + 4, left : left + 4] = 200
        mask[index, top : top + 4, left : left + 4] = 1
        boxes[index, 0] = left, top, left + 4, top + 4
        points[index] = (left + 2, top + 2, 2), (left + 1, top + 1, 2), (left + 3, top + 1, 1)
    columns = {
        "mask": mask,
        "boxes": boxes,
        "classes": np.array([[1, -1]] * count),
        "points": points,
        "caption": np.array([[0, 1, -1]] * count),
    }
    return Split(pixels, Fields(KINDS, columns), IMAGE)


def dataset(**changes):
    return Dataset("squares", split(32), split(8), ["ground", "square"], IMAGE, **changes)


def check_together(inputs, known):
    """Mask, box and points are those of the bright square in each picture."""
    for picture, found in zip(inputs, known, strict=True):
        bright = picture[0] > 0
        assert (found["mask"] == bright).all()
        rows, columns = np.nonzero(bright)
        assert found["boxes"].tolist() == [
            [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1],
            [0] * 4,
        ]
        middle = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
        assert tuple(found["points"][0, :2]) == middle
        assert found["points"][1, 0] < middle[0] < found["points"][2, 0]  # the left eye stays on the left


def test_fields_are_read_with_their_images():
    inputs, known = split().batch([3, 1])
    assert inputs.shape == (2, 3, SIZE, SIZE)
    check_together(inputs, known)
    part = split().part(np.array([5, 1]))
    assert (part.labels[1]["boxes"] == known["boxes"][1]).all()
    assert len(part.labels["points"]) == 2
    assert [row["classes"].tolist() for row in part.labels] == [[1, -1], [1, -1]]


@pytest.mark.parametrize(
    "moves",
    [
        [Shift(np.full(8, 2), np.full(8, -3))],
        [Mirror(np.arange(8) % 2 == 0, SIZE)],
        [Shift(np.full(8, -1), np.full(8, 3)), Mirror(np.full(8, True), SIZE)],
        [Affine(np.tile(np.array([[0.0, -1.0, SIZE], [1.0, 0.0, 0.0]]), (8, 1, 1)))] * 4,
    ],
)
def test_fields_move_with_their_images(moves):
    whole = split()
    inputs, known = whole.batch(range(8), moves=moves)
    check_together(inputs, known)
    assert (known["caption"] == whole.labels["caption"]).all()


def test_what_leaves_the_image_is_left_out():
    _, known = split().batch(range(8), moves=[Shift(np.zeros(8, int), np.full(8, 14))])
    assert (known["boxes"] == 0).all()
    assert (known["points"] == 0).all()
    _, known = split().batch(
        [0], moves=[Shift(np.zeros(1, int), split().labels["boxes"][:1, 0, 0].astype(int) + 2)]
    )
    assert known["boxes"][0, 0, [0, 2]].tolist() == [0, 2]  # half of it, cut at the edge


def test_training_moves_fields_of_every_batch():
    loader = TrainingLoader(dataset(flips=True), Recipe(batch_size=16))
    seen = set()
    for inputs, targets in loader.epoch(0):
        check_together(inputs.numpy(), [{n: t[i].numpy() for n, t in targets.items()} for i in range(16)])
        seen |= {tuple(box) for box in targets["boxes"][:, 0].tolist()}
    assert len(seen) > 20


def test_a_technique_turns_and_another_colours_fields_training():
    recipe = Recipe(batch_size=16, use={"affine": {"degrees": 30, "zoom": 0.3}, "jitter": {}})
    loader = TrainingLoader(dataset(), recipe, techniques=make_techniques(recipe, dataset()))
    inputs, targets = next(iter(loader.epoch(0)))
    overlaps = []
    for picture, mask in zip(inputs[:, 0], targets["mask"], strict=True):
        bright = picture > picture.mean()
        overlaps.append(((bright & (mask == 1)).sum() / (bright | (mask == 1)).sum()).item())
    assert np.mean(overlaps) > 0.7
    assert len(inputs[:, 0].amax((1, 2)).unique()) > 8  # each in its own light


@pytest.mark.parametrize(
    ("use", "message"),
    [({"random-erasing": {}}, "RandomErasing changes pixels alone"), ({"affine": {}}, "RandomAffine moves")],
)
def test_techniques_that_would_make_fields_untrue_are_refused(use, message):
    data = dataset()
    if "affine" in use:
        fixed = Fields({"warp": Fixed()}, {"warp": np.zeros((32, 4))})
        data = Dataset("warped", Split(data.train.images, fixed, IMAGE), data.test, data.labels, IMAGE)
    recipe = Recipe(use=use)
    with pytest.raises(ValueError, match=message):
        TrainingLoader(data, recipe, techniques=make_techniques(recipe, data))


def test_what_is_fixed_to_the_image_keeps_it_where_it_is():
    train = Split(split(32).images, Fields({"warp": Fixed()}, {"warp": np.zeros((32, 4))}), IMAGE)
    loader = TrainingLoader(Dataset("warped", train, train, ["a"], IMAGE), Recipe(batch_size=32))
    (inputs, _), *_ = loader.epoch(0)
    as_read = {picture.tobytes() for picture in train.batch(range(32))[0]}
    assert {picture.numpy().tobytes() for picture in inputs} == as_read


def test_clips_become_inputs_frame_by_frame():
    frames = np.stack([split().images] * 3, axis=1)
    clips = Split(frames, np.zeros(8, np.int64), IMAGE)
    inputs, _ = clips.batch([0, 1])
    assert inputs.shape == (2, 3, 3, SIZE, SIZE)
    assert (inputs[:, 1] == split().batch([0, 1])[0]).all()


def test_a_limit_and_a_part_to_validate_on_take_fields():
    limited = limit_training(dataset(), 10)
    assert len(limited.train) == len(limited.train.labels) == 10
    check_together(*limited.train.batch(range(10)))
    (best,) = make_techniques(Recipe(use={"best": {"share": 0.25}}), dataset())
    assert len(best.training_data(dataset().train)) == 24


def test_fields_of_another_length_are_refused():
    with pytest.raises(DataError, match=r"mask \(2\), classes \(3\)"):
        Fields({"mask": Mask(), "classes": Label()}, {"mask": np.zeros((2, 4, 4)), "classes": np.zeros(3)})
