import pytest
from PIL import Image

from edgekit.data import load_dataset
from runtime.errors import DataError


def people(root, counts):
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (10, 20), (number, 0, 0)).save(root / name / f"{number}.png")
    return root


def load(root):
    return load_dataset("identity-folder", root=root, image_size=8)


def test_whole_identities_are_kept_for_the_test(tmp_path):
    data = load(people(tmp_path, {f"p{number:02}": 2 for number in range(10)}))
    train, test = (set(part.labels["identity"].tolist()) for part in (data.train, data.test))
    assert (train, test) == (set(range(8)), {8, 9})
    assert len(data.labels) == 8
    names = data.test.labels.kinds["identity"].names
    assert {*data.labels, names[8], names[9]} == {f"p{number:02}" for number in range(10)}


def test_own_parts_keep_to_themselves(tmp_path):
    people(tmp_path / "train", {"a": 1, "b": 3})
    people(tmp_path / "test", {"c": 2, "d": 1})
    data = load(tmp_path)
    assert data.train.labels["identity"].tolist() == [0, 1, 1, 1]
    assert data.test.labels["identity"].tolist() == [2, 2, 3]
    assert data.train.images[[0]].shape == (1, 8, 8, 3)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ({"a": 1, "b": 1}, {"b": 1, "c": 1}, "'b' is in the train and in the test part"),
        ({"a": 1}, {"b": 1, "c": 1}, "1 identities in the train part"),
        ({"a": 1, "b": 0}, {"c": 1, "d": 1}, "b holds no picture"),
    ],
)
def test_parts_that_cannot_be_used_are_told(tmp_path, train, test, message):
    people(tmp_path / "train", train)
    people(tmp_path / "test", test)
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_too_few_people_are_told(tmp_path):
    with pytest.raises(DataError, match="0 are too few"):
        load(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        load(tmp_path / "nowhere")
