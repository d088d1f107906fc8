import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from edgekit.data.weights import find_weights, is_here
from edgekit.models import WEIGHTS, ModelSpec, build_model, imagenet_labels, pretrained
from edgekit.models._layouts import load_foreign, lukemelas_efficientnet, torchvision_mobilenet_v2
from runtime.errors import CheckpointError, DataError
from runtime.processing.images import load_image

MISSING = {name for name in WEIGHTS if not is_here(name)}


def needs_weights(name: str):
    skip = pytest.mark.skipif(
        name in MISSING, reason=f"the weights of {name} are not here; edgekit weights get {name}"
    )
    return pytest.param(name, marks=skip)


def theirs(name: str, **choices) -> dict[str, torch.Tensor]:
    """Make up a file of weights in the layout that ``name`` is published in."""
    name_of = WEIGHTS[name].name_of
    state = build_model(ModelSpec(name, **choices)).state_dict()
    renamed = {}
    for key, value in state.items():
        module, _, leaf = key.rpartition(".")
        renamed[f"{name_of(module)}.{leaf}"] = value
    return renamed


def test_there_are_a_thousand_different_labels():
    labels = imagenet_labels()
    assert len(labels) == len(set(labels)) == 1000
    assert [labels[i] for i in (0, 285, 967, 999)] == ["tench", "Egyptian cat", "espresso", "toilet tissue"]


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        ("stem.conv", "features.0.0"),
        ("blocks.0.depthwise.bn", "features.1.conv.0.1"),
        ("blocks.0.project.conv", "features.1.conv.1"),
        ("blocks.16.expand.conv", "features.17.conv.0.0"),
        ("blocks.16.project.bn", "features.17.conv.3"),
        ("classifier.linear", "classifier.1"),
    ],
)
def test_names_in_torchvisions_layout(ours, name):
    assert torchvision_mobilenet_v2(ours) == name


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        ("head.bn", "_bn1"),
        ("blocks.0.depthwise.bn", "_blocks.0._bn1"),
        ("blocks.7.expand.bn", "_blocks.7._bn0"),
        ("classifier.linear", "_fc"),
    ],
)
def test_names_in_efficientnet_pytorchs_layout(ours, name):
    assert lukemelas_efficientnet(ours) == name


def test_weights_from_a_path(tmp_path):
    state = theirs("mobilenet_v2")
    torch.save(state, tmp_path / "mine.pth")
    spec, model, image, labels = pretrained("mobilenet_v2", weights=tmp_path / "mine.pth")
    assert spec == ModelSpec("mobilenet_v2")
    assert not model.training
    assert (image.size, image.resize, len(labels)) == (224, 256, 1000)
    assert torch.equal(model.blocks[3].expand.conv.weight, state["features.4.conv.0.0.weight"])


def test_a_model_without_weights_is_refused_with_those_that_have_some():
    with pytest.raises(ValueError, match="no ImageNet weights for 'resnet18'; choose one of effic"):
        pretrained("resnet18")
    with pytest.raises(ValueError, match="unknown model 'mobilenet_v9'; did you mean"):
        pretrained("mobilenet_v9")
    with pytest.raises(ValueError, match=r"no ImageNet weights for 'net\.py:make'; choose one of"):
        pretrained("net.py:make")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"absent\.pth cannot be read .*give a \.pth file"):
        pretrained("mobilenet_v2", weights=tmp_path / "absent.pth")


class Rude:
    def __reduce__(self):
        return (Path.touch, (Path("edgekit-was-here"),))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", pickle.dumps(Rude())])
def test_a_file_that_is_not_weights_is_refused_and_never_run(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(DataError, match="not a file of weights that can be read safely"):
        pretrained("mobilenet_v2", weights=tmp_path / "bad.pth")
    assert not (tmp_path / "edgekit-was-here").exists()


def test_a_list_of_tensors_is_not_a_state_dict(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(DataError, match="holds list, not tensors by name"):
        pretrained("mobilenet_v2", weights=tmp_path / "list.pth")


def test_weights_of_another_model_are_refused(tmp_path):
    torch.save(theirs("efficientnet_lite0", width=0.25), tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth does not fit the model: lacks 314 of its keys"):
        pretrained("mobilenet_v2", weights=tmp_path / "other.pth")


def test_every_key_must_find_its_partner():
    model = build_model(ModelSpec("mobilenet_v2", width=0.1, num_classes=4))
    state = theirs("mobilenet_v2", width=0.1, num_classes=4)
    with pytest.raises(CheckpointError, match=r"lacks 0 of its keys \(none\), has 1 others \(extra"):
        load_foreign(model, {**state, "extra.weight": torch.zeros(1)}, torchvision_mobilenet_v2, "file")
    del state["features.0.1.bias"]
    with pytest.raises(CheckpointError, match=r"lacks 1 of its keys \(features\.0\.1\.bias\), has 0 others"):
        load_foreign(model, state, torchvision_mobilenet_v2, "file")


def test_shapes_must_agree(tmp_path):
    torch.save(theirs("mobilenet_v2", num_classes=10), tmp_path / "ten.pth")
    with pytest.raises(CheckpointError, match=r"classifier\.1\.weight has shape \(10, 1280\), the model"):
        pretrained("mobilenet_v2", weights=tmp_path / "ten.pth")


@pytest.mark.slow
@pytest.mark.parametrize("name", [needs_weights(name) for name in WEIGHTS])
@pytest.mark.parametrize(("photo", "label"), [("chelsea", "Egyptian cat"), ("coffee", "espresso")])
def test_photographs_are_recognised(name, photo, label):
    data = Path(pytest.importorskip("skimage").__file__).parent / "data"
    _, model, image, labels = pretrained(name)
    with torch.no_grad():
        probabilities = model(torch.from_numpy(load_image(data / f"{photo}.png", image))).softmax(1)
    best = int(probabilities.argmax())
    assert labels[best] == label
    assert probabilities[0, best] > 0.35


# What the reference package, efficientnet_lite_pytorch 0.1.0, gives for this input with the same
# weights. The larger variants have maps of odd size, where "same" padding is even.
REFERENCE_LOGITS = {
    "efficientnet_lite0": [-1.4542, -0.2583, -1.7763, -2.6903],
    "efficientnet_lite1": [-0.8632, 0.7279, -0.8427, -1.1474],
    "efficientnet_lite2": [-0.7318, 0.5848, -0.8842, -1.7512],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [needs_weights(name) for name in REFERENCE_LOGITS])
def test_numbers_are_those_of_the_reference_implementation(name):
    spec, model, _, _ = pretrained(name)
    side = spec.image_size
    x = np.sin(np.arange(3 * side * side) * 0.01).astype(np.float32).reshape(1, 3, side, side)
    with torch.no_grad():
        logits = model(torch.from_numpy(x))[0, :4]
    torch.testing.assert_close(logits, torch.tensor(REFERENCE_LOGITS[name]), atol=1e-3, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [needs_weights(name) for name in WEIGHTS])
def test_the_file_that_was_fetched_is_the_published_one(name):
    assert find_weights(name).suffix == ".pth"
