"""Several players in one training: turns, memory over an interruption, and who is named when it fails."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from edgekit.tasks import Player
from edgekit.training import Recipe, Trainer
from edgekit.training.state import load_state
from edgekit.training.techniques.mixing import Mixup
from runtime.errors import TrainingError
from tests.edgekit.training.interrupt import Interrupt
from tests.edgekit.training.players import Duel, Pair

RECIPE = Recipe(epochs=4, batch_size=16, device="cpu", temperature_epochs=0, lr=0.02)  # of four steps


def fit(folder, data, *hooks, task=None, resume=False, **changes):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    trainer = Trainer(Pair(), replace(RECIPE, **changes), hooks, task or Duel())
    log = trainer.fit(data, folder, identity={}, resume=resume, progress=False)
    return trainer.model, log


def test_each_player_acts_in_its_turn_and_changes_its_own_parameters(tmp_path, toy_data):
    before = Pair()
    net, log = fit(tmp_path / "run", toy_data)
    assert net.acted.tolist() == [16, 8]
    assert not torch.equal(net.critic.weight, before.critic.weight)
    assert not torch.equal(net.student[0].weight, before.student[0].weight)
    assert not torch.equal(net.teacher[0].weight, before.teacher[0].weight)
    assert net.queue[:2, 0].tolist() == [15.0, 14.0]
    named = {name for name in log[-1] if name.startswith("train_loss_")}
    assert named == {f"train_loss_{name}" for name in ("real", "fake", "cross_entropy", "pleased")}


def test_a_player_leaves_what_is_not_its_own_alone(tmp_path, toy_data):
    class CriticAlone(Duel):
        def players(self, net):
            return super().players(net)[:1]

    net, _ = fit(tmp_path / "run", toy_data, task=CriticAlone())
    assert torch.equal(net.student[0].weight, Pair().student[0].weight)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_resumed_duel_ends_with_the_same_bits(tmp_path, toy_data, precision):
    whole, log = fit(tmp_path / "whole", toy_data, precision=precision)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", toy_data, Interrupt(2), precision=precision)
    assert load_state(tmp_path / "parts").epoch == 2
    resumed, again = fit(tmp_path / "parts", toy_data, precision=precision, resume=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    own = [{name: value for name, value in line.items() if name != "duration_s"} for line in log]
    assert own == [{name: value for name, value in line.items() if name != "duration_s"} for line in again]


def test_the_loss_that_is_no_number_is_named(tmp_path, toy_data):
    with pytest.raises(TrainingError, match="the loss 'pleased' is nan in epoch 0, step 1"):
        fit(tmp_path / "run", toy_data, task=Duel(spoil=True))


def test_what_does_not_go_with_players_is_refused():
    with pytest.raises(ValueError, match="Mixup changes the loss or the network, and task 'duel'"):
        Trainer(Pair(), RECIPE, task=Duel(), techniques=[Mixup()])
    with pytest.raises(ValueError, match="players call its parts"):
        Trainer(Pair(), replace(RECIPE, compile=True), task=Duel())
    with pytest.raises(ValueError, match="must be 1 or more"):
        Player("a", [], lambda net, batch: {}, every=0)
    wrong = Player("a", list(nn.Linear(1, 1).parameters()), lambda net, batch: {}, options={"rho": 1})

    class Wrong(Duel):
        def players(self, net):
            return (wrong,)

    with pytest.raises(ValueError, match="sgd does not take them"):
        Trainer(Pair(), RECIPE, task=Wrong())
