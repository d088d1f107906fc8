"""Candidates that work one at a time, and scores that learn which are good."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.models import build_model
from edgekit.search.blocks import space_of
from edgekit.search.blocks.classes import easiest_first, first_share, part_of
from edgekit.search.blocks.costs import BlockCosts
from edgekit.search.blocks.learning import BlockLearning, SomeClasses, kept_candidates
from edgekit.search.blocks.supernet import Place, build_supernet, places_of
from edgekit.tasks import Batch
from edgekit.training import Trainer
from tests.edgekit.search.blocks.conftest import RECIPE


@pytest.fixture
def supernet(spec):
    torch.manual_seed(0)
    return build_supernet(space_of(spec, ("k3e1", "k5e2")))


def test_a_path_is_the_network_of_its_blocks(spec, supernet):
    space = space_of(spec, ("k3e1", "k5e2"))
    rows = [len(names) - 1 for names in space.candidates]
    for place, row in zip(places_of(supernet), rows, strict=True):
        place.take([row])
    choices = [names[row] for names, row in zip(space.candidates, rows, strict=True)]
    alone = build_model(space.spec_of(choices))
    alone.load_state_dict(
        {
            key: value
            for name, value in supernet.state_dict().items()
            for key in [_without_candidate(name, choices)]
            if key is not None
        }
    )
    images = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(alone.eval()(images), supernet.eval()(images))


def _without_candidate(name, choices):
    parts = name.split(".")
    if parts[0] != "blocks":
        return name
    if parts[2] == "candidates" and parts[3] == choices[int(parts[1])]:
        return ".".join([*parts[:2], *parts[4:]])
    return None


def test_block_passes_are_counted_and_skipped_ones_are_none():
    place = Place({"k3e1": nn.Conv2d(2, 2, 1), "skip": nn.Identity()})
    for rows in ([0], [1], [0, 1]):
        place.take(rows, torch.ones(len(rows)))
        place(torch.zeros(5, 2, 4, 4))
    assert place.take_count() == 10
    assert place.take_count() == 0


def test_a_trimmed_candidate_is_never_drawn_and_leaves_no_weights(digits, supernet, tmp_path):
    for place in places_of(supernet):
        place.keep([name for name in place.names if name != "k5e2"] if len(place.names) > 1 else ["own"])
    assert not any("k5e2" in name for name in supernet.state_dict())
    drawn = set()

    class Watch(BlockLearning):
        def on_step_end(self, run):
            drawn.update(name for place in self._places for name in place.path)
            super().on_step_end(run)

    _train(Watch, supernet, digits, tmp_path)
    assert drawn == {"own", "k3e1", "skip"}


def test_scores_learn_and_weights_get_nothing_of_the_images_they_are_judged_by(digits, supernet, tmp_path):
    changed = []

    class Watch(BlockLearning):
        def _learn(self, run):
            before = {name: p.clone() for name, p in run.model.named_parameters()}
            super()._learn(run)
            changed.append({n for n, p in run.model.named_parameters() if not torch.equal(p, before[n])})

    _train(Watch, supernet, digits, tmp_path)
    open_places = {f"blocks.{i}.score" for i, place in enumerate(places_of(supernet)) if len(place.names) > 1}
    assert changed == [open_places] * 4  # every second of eight steps


def test_latency_above_the_budget_drives_scores_to_faster_blocks(digits, supernet, tmp_path):
    costs = BlockCosts(
        1.0, tuple({n: 0.0 if n != "k5e2" else 5.0 for n in p.names} for p in places_of(supernet)), 9.0
    )
    _train(BlockLearning, supernet, digits, tmp_path, costs=costs, mu=100.0)
    open_places = [place.probabilities() for place in places_of(supernet) if len(place.names) > 1]
    assert max(likely["k5e2"] for likely in open_places) < 1 / 3


def _train(hook, supernet, digits, folder, costs=None, mu=1.0):
    costs = costs or BlockCosts(1.0, tuple(dict.fromkeys(p.names, 1.0) for p in places_of(supernet)), 9.0)
    split = digits.train.part(np.arange(64))
    learning = hook(split, costs, 1.0, every=2, lr=0.2, mu=mu, stage=1)
    trainer = Trainer(supernet, replace(RECIPE, epochs=2, limit=0), [learning])
    trainer.fit(replace(digits, train=split, test=split), folder, identity={}, progress=False)


def test_what_is_far_less_likely_goes_but_never_the_best_within_the_budget():
    probabilities = [{"a": 0.8, "b": 0.15, "c": 0.05}, {"a": 0.4, "b": 0.6}]
    assert kept_candidates(probabilities, ("a", "b"), 0.5) == [["a"], ["a", "b"]]
    assert kept_candidates(probabilities, ("c", "a"), 0.5) == [["a", "c"], ["a", "b"]]
    assert kept_candidates(probabilities, ("a", "b"), 0.0) == [["a", "b", "c"], ["a", "b"]]


def test_logits_of_other_classes_are_left_out():
    outputs = torch.tensor([[9.0, 1.0, 2.0, 3.0]])
    task = SomeClasses(classes=(1, 3))
    few = torch.tensor([[1.0, 3.0]])
    (loss,) = task.losses(lambda inputs: inputs, Batch(outputs, torch.tensor([3]))).values()
    assert loss == nn.functional.cross_entropy(few, torch.tensor([1]))
    assert task.decode([outputs.numpy()], np.array([3])).tolist() == [3]


def test_classes_that_a_network_knows_come_first(digits):
    class Knows(nn.Module):
        """Is right about 7 always, about 2 half of the time."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            sevens = torch.zeros(len(x), 10)
            sevens[:, 7] = 1
            return sevens

    order = easiest_first(Knows(), digits.train, 10, seed=0)
    assert order[0] == 7
    assert sorted(order) == list(range(10))
    assert first_share(order, 0.25) == (0, 7)  # two at least
    assert first_share(order, 1.0) == tuple(range(10))
    assert set(part_of(digits.train, (0, 7)).labels) == {0, 7}
