"""A task of a third party goes the whole way: training, pruning, a scan, int8, a bundle that names it."""

import json

import numpy as np
import pytest
import torch

from edgekit.data import DATASETS
from edgekit.export import QuantizeOptions, export_bundle, find_origin
from edgekit.export.quantize import find_calibration, find_validation
from edgekit.models import ModelSpec
from edgekit.pruning import Budget, Pruning, prune, scan
from edgekit.tasks import TASKS
from edgekit.training import Recipe, evaluate, fit_spec, load_checkpoint, train
from edgekit.training.loader import TrainingLoader
from runtime.errors import CheckpointError
from tests.edgekit.tasks.ink import Ink, masked

RECIPE = Recipe(epochs=5, batch_size=8, device="cpu", temperature_epochs=0, lr=0.05, warmup_epochs=0)


@pytest.fixture
def ink(toy_data):
    """The task and its data, registered as plug-ins are."""
    data = masked(toy_data)
    TASKS.register("ink")(Ink)
    DATASETS.register("ink-toy")(lambda root, size: data)
    yield data
    for registry, name in ((TASKS, "ink"), (DATASETS, "ink-toy")):
        del registry._entries[name]


def trained(data, folder):
    spec = fit_spec(ModelSpec("resnet20", width=0.25), data)
    return train(spec, data, RECIPE, folder, task=Ink(), progress=False)


def test_it_is_trained_scored_and_opened_again(ink, tmp_path):
    checkpoint = trained(ink, tmp_path / "run")
    assert set(checkpoint.metrics) == {"test_miou", "train_loss"}
    assert checkpoint.metrics["test_miou"] > 0.5
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"test_miou", "train_loss_pixels", "train_loss_small"} <= set(lines[-1])
    again = load_checkpoint(tmp_path / "run")
    assert again.make_task() == Ink()
    assert evaluate(again.build(), ink.test, task=Ink()) == checkpoint.metrics["test_miou"]
    del TASKS._entries["ink"]
    with pytest.raises(CheckpointError, match=r"unknown task 'ink'.*install the package"):
        again.build()
    TASKS.register("ink")(Ink)


def test_it_is_pruned_and_scanned_by_its_own_score(ink, tmp_path):
    checkpoint = trained(ink, tmp_path / "run")
    how = Pruning("psfp", Budget(rate=0.3, round_to=1), epochs=1, finetune_epochs=1)
    pruned = prune(checkpoint, ink, tmp_path / "pruned", how, progress=False)
    assert pruned.pruning["before"]["test_miou"] == checkpoint.metrics["test_miou"]
    assert {"removed_miou", "reestimated_miou"} <= set(pruned.pruning)
    assert pruned.pruning["after"]["macs"] < pruned.pruning["before"]["macs"]
    assert evaluate(load_checkpoint(pruned.path).build(), ink.test, task=Ink()) == pruned.metrics["test_miou"]
    found = scan(checkpoint, ink, tmp_path / "scan", ratios=(0.5,))
    stored = json.loads((tmp_path / "scan" / "scan.json").read_text())
    assert stored["miou"] == found.score == checkpoint.metrics["test_miou"]
    assert scan(checkpoint, ink, tmp_path / "scan", ratios=(0.5,)) == found


@pytest.mark.slow
def test_its_files_are_scored_and_say_what_they_are_for(ink, tmp_path):
    origin = find_origin(str(trained(ink, tmp_path / "run").path))
    quantize = QuantizeOptions(find_calibration(origin), find_validation(origin), max_drop=0.2)
    bundle = export_bundle(
        origin, tmp_path / "ink.edgekit", engines=["litert"], precisions=["static_wi8_ai8"], quantize=quantize
    )
    record, model = bundle.manifest.variants[0].quantization, origin.graphs["forward"].model
    assert record.accuracy_fp32 == pytest.approx(evaluate(model, ink.test, task=Ink()))
    assert (record.metric, record.accuracy > record.accuracy_fp32 - 0.2) == ("miou", True)
    assert (bundle.manifest.task.name, bundle.manifest.task.metric) == ("ink", "miou")
    assert bundle.manifest.task.result.classes == ("dark", "bright")


def test_masks_move_with_their_pixels(ink):
    loader = TrainingLoader(ink, RECIPE)
    inputs, masks = next(iter(loader.epoch(0)))
    assert (masks.shape, masks.dtype) == ((8, 8, 8), torch.int64)
    bright = inputs[:, 0] > np.quantile(inputs.numpy(), 0.5)
    assert (bright == masks.bool()).float().mean() > 0.85
    still = ink.train.labels[:8]
    assert not np.array_equal(masks.numpy(), still)


def test_what_changes_pixels_alone_is_refused(ink, tmp_path):
    spec = fit_spec(ModelSpec("mobilenet_v2", width=0.1), ink)
    recipe = Recipe(epochs=1, batch_size=8, device="cpu", use={"random-erasing": {}})
    with pytest.raises(ValueError, match="changes pixels alone, and 'ink-toy'"):
        train(spec, ink, recipe, tmp_path / "run", task=Ink(), progress=False)
