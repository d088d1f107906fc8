"""Rounds: labels that the network finds, and that survive an interruption."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from edgekit.data import Boxes, Dataset, Fields, Label, Split
from edgekit.tasks import Classification, Round
from edgekit.training import Recipe, Trainer
from edgekit.training.rounds import LABELS_FILE
from runtime.errors import CheckpointError, TrainingError
from tests.edgekit.training.interrupt import Interrupt
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.rounds_program import fit, half_labelled
from tests.places import ROOT


def sure_labels(log):
    return [(line.get("round"), line.get("examples")) for line in log]


def test_a_network_learns_from_the_labels_that_it_found(tmp_path):
    """A quarter of the images has a label: the rest is labelled by the network, again and again."""
    data = half_labelled()
    model, log = fit(tmp_path / "run", data)
    _, alone = fit(tmp_path / "alone", data, rounds=())
    assert [line.get("round") for line in log] == [None, None, 1, 1, 2, 2]
    assert log[2]["examples"] == log[3]["examples"] > 12
    assert "round" not in alone[-1]
    assert log[-1]["test_top1"] > 0.9
    assert not (model[0].weight == fit(tmp_path / "again", data, rounds=())[0][0].weight).all()


@pytest.mark.parametrize("epoch", [1, 2, 3, 4, 5])
def test_a_resumed_run_has_the_same_labels_and_ends_with_the_same_bits(tmp_path, epoch):
    data = half_labelled()
    whole, log = fit(tmp_path / "whole", data)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", data, Interrupt(epoch))
    resumed, again = fit(tmp_path / "parts", data, resume=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert sure_labels(log) == sure_labels(again)


def test_a_run_that_is_killed_within_a_round_goes_on_to_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "tests.edgekit.training.rounds_program", tmp_path / "parts"]
    killed = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "parts" / LABELS_FILE).is_file()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the killed one: sums over threads round otherwise
    try:
        whole, _ = fit(tmp_path / "whole", half_labelled())
        resumed, _ = fit(tmp_path / "parts", half_labelled(), resume=True)
    finally:
        torch.set_num_threads(threads)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_labels_that_are_gone_or_of_another_round_are_told(tmp_path):
    data = half_labelled()
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, data, Interrupt(5))
    labels = (tmp_path / LABELS_FILE).read_bytes()
    (tmp_path / LABELS_FILE).unlink()
    with pytest.raises(CheckpointError, match="the labels of round 2, cannot be read"):
        fit(tmp_path, data, resume=True)
    (tmp_path / LABELS_FILE).write_bytes(labels.replace(b'"epoch":"4"', b'"epoch":"2"'))
    with pytest.raises(CheckpointError, match="holds the labels of epoch 2, those of 4 are needed"):
        fit(tmp_path, data, resume=True)


@dataclass(frozen=True)
class Odd(Classification):
    name: ClassVar[str] = "odd"
    found: Round | None = None

    def rounds(self, epochs):
        return (0,)

    def relabel(self, net, split, rng):
        return self.found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Round(np.arange(0), np.arange(0)), "round 1 of 'odd' keeps 0 examples"),
        (Round(np.array([64]), np.array([0])), "one or more of 0 to 63"),
        (Round(np.arange(3), np.array([0])), "3 images have 1 labels"),
        (Round(np.arange(3), {"mask": np.zeros(3)}), "new labels are called mask; the images have no such"),
    ],
)
def test_a_round_that_does_not_fit_is_told(tmp_path, toy_data, found, message):
    trainer = Trainer(tiny_net(), Recipe(epochs=1, batch_size=16, device="cpu"), task=Odd(found=found))
    with pytest.raises(TrainingError, match=message):
        trainer.fit(toy_data, tmp_path, identity={}, progress=False)


def test_a_field_is_labelled_again_and_the_others_stay(toy_data):
    count = len(toy_data.train)
    columns = {"boxes": np.ones((count, 1, 4), np.float32), "classes": np.zeros(count, np.int64)}
    fields = Fields({"boxes": Boxes(8), "classes": Label()}, columns)
    split = Split(toy_data.train.images, fields, toy_data.image)
    again = split.relabelled(np.array([5, 3]), {"classes": np.array([7, 8])})
    assert again.labels["classes"].tolist() == [7, 8]
    assert (again.labels["boxes"] == 1).all()
    assert (again.images[[0]] == toy_data.train.images[[5]]).all()
    assert isinstance(replace(toy_data, train=again), Dataset)
