from dataclasses import replace

import numpy as np
import torch

from edgekit.data.tunes.windows import TuneDataset, TuneSplit
from edgekit.training import Recipe
from edgekit.training.loader import TrainingLoader, batches_of

RECIPE = Recipe(batch_size=16, augment=False)


def labels_and_sums(loader, epoch):
    return [(y.tolist(), x.sum((1, 2, 3)).tolist()) for x, y in loader.epoch(epoch)]


def test_an_epoch_holds_every_image_once(toy_data):
    inputs = torch.cat([x for x, _ in TrainingLoader(toy_data, RECIPE).epoch(0)])
    assert len(inputs.flatten(1).unique(dim=0)) == 64


def test_order_follows_from_seed_and_epoch_alone(toy_data):
    loader = TrainingLoader(toy_data, RECIPE)
    first = labels_and_sums(loader, 0)
    assert labels_and_sums(loader, 1) != first
    assert labels_and_sums(TrainingLoader(toy_data, RECIPE), 0) == first
    assert labels_and_sums(TrainingLoader(toy_data, replace(RECIPE, seed=1)), 0) != first


def test_worker_processes_do_not_change_the_batches(toy_data):
    augmented = replace(RECIPE, augment=True)
    alone = labels_and_sums(TrainingLoader(toy_data, augmented), 3)
    assert labels_and_sums(TrainingLoader(toy_data, replace(augmented, workers=1)), 3) == alone


def test_augmentation_differs_from_epoch_to_epoch(toy_data):
    loader = TrainingLoader(toy_data, replace(RECIPE, augment=True, batch_size=64))
    first, second = (sorted(labels_and_sums(loader, epoch)[0][1]) for epoch in (0, 1))
    assert first != second


def test_processes_share_an_epoch(toy_data):
    shares = [TrainingLoader(toy_data, RECIPE, rank, 2) for rank in (0, 1)]
    images = [torch.cat([x for x, _ in share.epoch(0)]) for share in shares]
    assert [len(x) for x in images] == [32, 32]
    assert len(torch.cat(images).flatten(1).unique(dim=0)) == 64


def test_a_last_batch_that_is_not_full_is_dropped(toy_data):
    assert len(TrainingLoader(toy_data, replace(RECIPE, batch_size=48))) == 1


def test_a_dataset_smaller_than_a_batch_still_trains(toy_data):
    sizes = [len(y) for _, y in TrainingLoader(toy_data, replace(RECIPE, batch_size=100)).epoch(0)]
    assert sizes == [64]


def test_test_batches_keep_the_order_and_the_rest(toy_data):
    batches = list(batches_of(toy_data.test, 20))
    assert [len(y) for _, y in batches] == [20, 12]
    assert torch.cat([y for _, y in batches]).tolist() == toy_data.test.labels.tolist()


def test_tunes_are_not_shifted_as_images_are():
    events = np.arange(32).reshape(2, 16) % 3
    tunes = TuneDataset("two", TuneSplit(events), TuneSplit(events))
    (inputs, targets), *_ = TrainingLoader(tunes, Recipe(batch_size=2, augment=True)).epoch(0)
    assert sorted(inputs.tolist()) == sorted(events.tolist())
    assert torch.equal(inputs, targets)
