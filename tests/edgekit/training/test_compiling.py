"""Compiled steps: what acts on the network acts on them, and what fails is told."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from edgekit.pruning import METHODS
from edgekit.training import QuantizationAware, Trainer
from runtime.errors import TrainingError
from tests.edgekit.pruning.nets import RECIPE, method_for, same_bits
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.two_processes import network

COMPILED = replace(RECIPE, epochs=2, compile=True)


@pytest.fixture
def traced(monkeypatch):
    """Let torch.compile trace as ever, but run what it traced without a compiler: to the bit the same."""
    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))


@pytest.mark.parametrize("method", ["psfp", "increg", "spp", "from-scratch"])
def test_methods_act_on_compiled_steps(method, traced, tmp_path, toy_data):
    trained = []
    for recipe in (COMPILED, replace(COMPILED, compile=False)):
        model = network()
        hooks = [QuantizationAware(), method_for(model, METHODS.get(method))]
        (tmp_path / str(recipe.compile)).mkdir()
        trainer = Trainer(model, recipe, hooks)
        trainer.fit(toy_data, tmp_path / str(recipe.compile), identity={}, progress=False)
        trained.append((trainer.model, hooks[1].plan))
    assert trained[0][1] == trained[1][1] != {}
    assert same_bits(trained[0][0], trained[1][0]) == []


def test_a_compiler_that_fails_is_one_error(monkeypatch, tmp_path, toy_data):
    def fails(*_):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fails))
    with pytest.raises(TrainingError, match=r"cannot be compiled \(.*no C\+\+ compiler.*leave out --compile"):
        Trainer(tiny_net(), COMPILED).fit(toy_data, tmp_path, identity={}, progress=False)


@pytest.mark.slow
def test_compiled_steps_learn_what_plain_ones_do(tmp_path, toy_data):
    losses = []
    for recipe in (replace(COMPILED, augment=False), replace(COMPILED, augment=False, compile=False)):
        (tmp_path / str(recipe.compile)).mkdir()
        trainer = Trainer(tiny_net(), recipe)
        log = trainer.fit(toy_data, tmp_path / str(recipe.compile), identity={}, progress=False)
        losses.append(log[-1]["train_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=0.2)  # dropout draws otherwise
