import numpy as np
import pytest
from PIL import Image

from edgekit.data import load_dataset
from edgekit.export import find_origin
from edgekit.models import ModelSpec, build_model
from edgekit.training import save_checkpoint
from runtime.errors import CheckpointError, DataError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    digits = load_dataset("digits", image_size=8)
    spec = ModelSpec("resnet20", num_classes=10, width=0.5, image_size=8, in_channels=digits.image.channels)
    return save_checkpoint(
        tmp_path_factory.mktemp("origin") / "net",
        build_model(spec),
        spec=spec,
        dataset="digits",
        image=digits.image,
        labels=tuple(digits.labels),
        recipe={"epochs": 1},
        metrics={"test_top1": 0.5},
    )


def test_checkpoint_brings_test_images_and_provenance(checkpoint):
    origin = find_origin(str(checkpoint.path))
    assert origin.name == "net"
    graph = origin.graphs["forward"]
    assert [frame[0].shape for frame in graph.frames] == [(1, checkpoint.image.channels, 8, 8)] * 16
    assert graph.described == "test images of digits"
    assert origin.labels == tuple("0123456789")
    assert origin.facts["checkpoint"]["sha256"] == checkpoint.sha256
    assert origin.facts["metrics"] == {"test_top1": 0.5}
    assert origin.facts["macs"] > origin.facts["params"] > 0


def test_own_images_replace_the_dataset(checkpoint, tmp_path):
    for name, grey in (("a.png", 0), ("b.png", 255)):
        Image.fromarray(np.full((20, 12), grey, np.uint8)).save(tmp_path / name)
    origin = find_origin(str(checkpoint.path), inputs=tmp_path)
    (dark,), (bright,) = origin.graphs["forward"].frames
    assert dark.max() < bright.min()
    single = find_origin(str(checkpoint.path), inputs=tmp_path / "a.png")
    assert len(single.graphs["forward"].frames) == 1


def test_folder_without_an_image_is_refused(checkpoint, tmp_path):
    with pytest.raises(DataError, match="holds no image"):
        find_origin(str(checkpoint.path), inputs=tmp_path)


def test_unknown_model_names_near_matches():
    with pytest.raises(ValueError, match="did you mean mobilenet_v2"):
        find_origin("mobilenet_v22")


def test_missing_checkpoint_says_how_to_make_one():
    with pytest.raises(CheckpointError, match=r"runs/nothing.*edgekit train"):
        find_origin("runs/nothing")


def test_folder_that_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        find_origin(str(tmp_path))


def test_model_without_weights_says_which_have_them():
    with pytest.raises(ValueError, match=r"resnet18.*efficientnet_lite0"):
        find_origin("resnet18")


def test_random_weights_are_named_so_and_repeat():
    first, second = (find_origin("resnet20", weights="none") for _ in range(2))
    assert first.facts["weights"] == "random"
    assert first.labels == ()
    first, second = first.graphs["forward"], second.graphs["forward"]
    assert [frame[0].shape for frame in first.frames] == [(1, 3, 32, 32)] * 2
    for name, values in first.model.state_dict().items():
        assert values.equal(second.model.state_dict()[name]), name


def test_weights_do_not_go_with_a_checkpoint(checkpoint, tmp_path):
    with pytest.raises(ValueError, match="--weights"):
        find_origin(str(checkpoint.path), weights=tmp_path)
