"""Networks of the user's own files, pruned by whatever is asked and exported again."""

from dataclasses import replace

import pytest
import torch

from edgekit.models import ModelSpec, count_macs
from edgekit.pruning import METHODS, Budget, Pruning, prune, train_and_prune
from edgekit.training import Recipe, fit_spec, train
from runtime.errors import CheckpointError, PruneError
from tests.edgekit.user_net import write_user_net

RECIPE = Recipe(epochs=1, batch_size=16, device="cpu")
QUIET = {"progress": False}


def how(method="psfp", **budget):
    return Pruning(method, Budget(**{"rate": 0.5, "round_to": 4} | budget), epochs=1, finetune_epochs=1)


@pytest.fixture
def net(tmp_path):
    return write_user_net(tmp_path)


def dense(net, function, data, recipe=RECIPE):
    spec = fit_spec(ModelSpec(f"{net}:{function}"), data)
    return train(spec, data, recipe, net.parent / "dense", **QUIET)


@pytest.mark.parametrize("function", ["plain", "fire", "flat", "tied"])
@pytest.mark.parametrize("scope", ["inside", "all"])
def test_a_users_network_is_pruned_and_loads_again(function, scope, net, toy_data, tmp_path):
    source = dense(net, function, toy_data)
    small = prune(source, toy_data, tmp_path / "small", how(scope=scope), **QUIET)
    before, after = (count_macs(one.build(), (1, 8, 8)) for one in (source, small))
    assert after == small.pruning["after"]["macs"] < before
    assert small.spec == source.spec


def test_a_users_network_that_learned_to_be_quantised_is_pruned_twice(net, toy_data, tmp_path):
    source = dense(net, "plain", toy_data, replace(RECIPE, qat=True))
    half = prune(source, toy_data, tmp_path / "half", how(macs=0.6, rate=None), **QUIET)
    less = prune(half, toy_data, tmp_path / "less", how("stripe"), **QUIET)
    assert less.pruning["after"]["params"] < half.pruning["after"]["params"]
    assert less.build()(torch.zeros(1, 1, 8, 8)).shape == (1, 2)


@pytest.mark.parametrize("method", METHODS)
def test_a_users_network_is_pruned_while_it_trains(method, net, toy_data, tmp_path):
    spec = fit_spec(ModelSpec(f"{net}:plain"), toy_data)
    budget = how(method, rate=None, macs=0.6)
    small = train_and_prune(spec, toy_data, RECIPE, tmp_path / "small", budget, **QUIET)
    assert set(small.pruning["removed"]) <= {"3", "7"}
    assert small.pruning["after"]["macs"] <= 0.6 * small.pruning["before"]["macs"]


def test_a_pruning_is_not_resumed_with_another_file(net, toy_data, tmp_path):
    source = dense(net, "plain", toy_data)
    prune(source, toy_data, tmp_path / "small", how(), **QUIET)
    net.write_text(net.read_text() + "\n")
    with pytest.raises(CheckpointError, match="has changed since the network was trained"):
        prune(source, toy_data, tmp_path / "other", how(), **QUIET)


def test_a_network_without_convolutions_says_why_nothing_goes(net, toy_data, tmp_path):
    source = dense(net, "linear", toy_data)
    with pytest.raises(PruneError, match=r"linear has nothing to prune; .* and it has none as a module"):
        prune(source, toy_data, tmp_path / "small", how(), **QUIET)
