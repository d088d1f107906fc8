"""Face parsing: what is trained on is what the device sees, and scores are of the original picture."""

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from edgekit.data.faces import FACE_CLASSES, faces_dataset, toy_portraits
from edgekit.models import ModelSpec, build_model
from edgekit.tasks import TASKS, Batch, Examples, FaceParsing, make_named, total
from edgekit.tasks.face_parsing import class_ious
from edgekit.training import Recipe, evaluate, fit_spec, train
from edgekit.training.weights import start_from
from runtime.bundle import MAIN_GRAPH
from runtime.errors import CheckpointError, DataError
from runtime.processing.prepare import prepare

SIDE = 32
PORTRAITS = toy_portraits(6, training=True)
BACKBONE = ModelSpec("resnet18", width=0.25)


def dataset_for(task, size=SIDE):
    return faces_dataset("toy", PORTRAITS, PORTRAITS, task.pre, size)


def perfect_scores(split):
    labels = split.labels["labels"].astype(np.int64)
    return F.one_hot(torch.from_numpy(labels), len(FACE_CLASSES)).permute(0, 3, 1, 2).float().numpy()


@pytest.mark.parametrize("roi", ["tanh", "crop", "whole"])
def test_the_trainer_sees_what_the_device_sees(roi):
    task = FaceParsing(roi=roi)
    data = dataset_for(task)
    inputs, _ = data.train.batch([2])
    on_device, _ = prepare(Image.fromarray(PORTRAITS[2].picture), task.pre, data.image, PORTRAITS[2].box)
    assert np.abs(inputs - on_device).max() <= 1e-5


def test_right_scores_are_right_on_the_picture_and_best_through_the_warp():
    reached = {}
    for roi in ("tanh", "crop", "whole"):
        task = FaceParsing(roi=roi)
        split = dataset_for(task).test
        reached[roi] = task.score(task.decode([perfect_scores(split)], split.labels), list(split.labels))
    assert reached["tanh"] > 0.7
    assert reached["whole"] < reached["tanh"] - 0.1


def test_a_class_that_is_not_found_is_no_intersection():
    truth = [np.array([[0, 1], [2, 2]], np.uint8)]
    assert class_ious(truth, truth).tolist() == [1.0] * len(FACE_CLASSES)
    found = [np.array([[0, 0], [2, 2]], np.uint8)]
    assert class_ious(found, truth)[:3].tolist() == [0.5, 0.0, 1.0]


def losses_of(scores, labels, heights=None, widths=None):
    rows, columns = labels.shape[1:]
    targets = {
        "labels": labels,
        "heights": torch.ones(len(labels), rows) if heights is None else torch.tensor([heights]),
        "widths": torch.ones(len(labels), columns) if widths is None else torch.tensor([widths]),
    }
    return FaceParsing().losses(lambda inputs: inputs, Batch(scores, targets))


def test_losses_over_the_same_pixels_are_the_cross_entropy_of_all_classes():
    scores = torch.randn(2, len(FACE_CLASSES), 8, 8)
    labels = torch.randint(0, len(FACE_CLASSES), (2, 8, 8), dtype=torch.uint8)
    losses = losses_of(scores, labels)
    in_face = ((labels == 1) | (labels > 2)).float().mean()
    together = losses["regions"] + losses["components"] * in_face
    assert torch.allclose(together, F.cross_entropy(scores, labels.long()), atol=1e-5)


def test_a_picture_without_a_face_has_a_loss():
    losses = losses_of(torch.zeros(1, 7, 4, 4), torch.zeros(1, 4, 4).byte())
    assert torch.isfinite(total(losses))
    assert losses["components"] == 0


def test_a_pixel_weighs_by_what_it_covers_and_outside_of_the_picture_nothing():
    scores = torch.zeros(1, 7, 2, 2)
    scores[0, 0, 0, 0] = 9.0  # sure of the background in one corner, at a loss elsewhere
    labels = torch.zeros(1, 2, 2).byte()
    sure, lost = np.log1p(6 * np.exp(-9)), np.log(7)
    weights = [2**0.3, 3**0.3, 10**0.3, 15**0.3]
    loss = losses_of(scores, labels, heights=[1.0, 5.0], widths=[2.0, 3.0])["regions"]
    assert float(loss) == pytest.approx(
        (weights[0] * sure + sum(weights[1:]) * lost) / sum(weights), rel=1e-5
    )
    inside = losses_of(scores, labels, heights=[1.0, 0.0], widths=[2.0, 0.0])["regions"]
    assert float(inside) == pytest.approx(sure, rel=1e-3)


@pytest.mark.parametrize("roi", ["tanh", "crop", "whole"])
def test_the_input_covers_the_picture_as_far_as_it_sees_it(roi):
    task = FaceParsing(roi=roi)
    portrait, labels = PORTRAITS[2], dataset_for(task).train.labels[np.array([2])]
    left, top, right, bottom = portrait.box
    if roi == "crop":  # twice the box, as far as the picture reaches
        wide, high = (right - left) / 2, (bottom - top) / 2
        left, top, right, bottom = np.clip((left - wide, top - high, right + wide, bottom + high), 0, 256)
    else:
        left, top, right, bottom = 0, 0, 256, 256
    assert labels["widths"].sum() == pytest.approx(right - left, rel=1e-5)
    assert labels["heights"].sum() == pytest.approx(bottom - top, rel=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "mobilenet_v2", "mobilenet_v3_small"])
@pytest.mark.parametrize("size", [32, 80])
def test_scores_are_as_large_as_the_input_on_any_backbone(name, size):
    net = FaceParsing(channels=8).build(ModelSpec(name, width=0.25, image_size=size)).eval()
    assert net(torch.zeros(1, 3, size, size)).shape == (1, len(FACE_CLASSES), size, size)


def test_training_lowers_both_losses_and_the_checkpoint_knows_its_task(tmp_path):
    task = FaceParsing(channels=8)
    data = dataset_for(task)
    recipe = Recipe(epochs=6, batch_size=6, lr=5e-3, optimizer="adamw", device="cpu")
    checkpoint = train(fit_spec(BACKBONE, data), data, recipe, tmp_path / "run", task=task, progress=False)
    lines = [msgspec.json.decode(line) for line in (tmp_path / "run/metrics.jsonl").read_bytes().splitlines()]
    for name in ("train_loss_regions", "train_loss_components"):
        assert lines[-1][name] < lines[0][name]
    assert checkpoint.make_task() == task
    assert evaluate(checkpoint.build(), data.test, task=task) == checkpoint.metrics["test_miou"]


def test_a_backbone_starts_from_a_classifier_and_the_heads_at_random():
    task, spec = FaceParsing(channels=8), ModelSpec("resnet20", width=0.25, image_size=SIDE)
    net, classifier = task.build(spec), build_model(ModelSpec("resnet20", num_classes=1000, width=0.25))
    head = net.regions[1].weight.clone()
    start_from(net, classifier.state_dict(), "the classifier")
    given = classifier.state_dict()
    started = net.backbone.net.state_dict()
    assert started
    assert all(torch.equal(tensor, given[name]) for name, tensor in started.items())
    assert torch.equal(net.regions[1].weight, head)
    with pytest.raises(CheckpointError, match=r"backbone\.net\..* is missing"):
        start_from(net, build_model(ModelSpec("mobilenet_v2", width=0.25)).state_dict(), "another")


def test_a_classifier_of_faces_is_refused(tmp_path):
    data = dataset_for(FaceParsing())
    spec, recipe = fit_spec(BACKBONE, data), Recipe(epochs=1, device="cpu")
    with pytest.raises(DataError, match="one label per image"):
        train(spec, data, recipe, tmp_path / "run", progress=False)


def test_an_unknown_roi_is_told():
    with pytest.raises(ValueError, match="tanh, crop, whole"):
        make_named(TASKS, "face-parsing", {"roi": "circle"})


def test_the_bundle_is_told_the_warp_and_the_classes():
    spec = FaceParsing(roi="crop", margin=1.5).result()
    assert spec.flow.pre.margin == 1.5
    assert spec.result.classes == FACE_CLASSES
    net = FaceParsing(channels=8).build(ModelSpec("resnet18", width=0.25, image_size=SIDE))
    inputs, _ = dataset_for(FaceParsing()).test.batch([0])
    (graph,) = FaceParsing().graphs(net, Examples(inputs, "portraits")).values()
    assert f"{MAIN_GRAPH}.{graph.output_names[0]}" == spec.result.scores
    assert set(spec.flow.graphs[0].inputs) == {one.name for one in graph.inputs}
