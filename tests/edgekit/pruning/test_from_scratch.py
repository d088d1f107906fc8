from dataclasses import replace

import pytest
import torch

from edgekit.models import ModelSpec, count_macs
from edgekit.pruning import Budget, Pruning, train_and_prune
from edgekit.pruning.from_scratch import PruningFromScratch, gated_layers
from edgekit.training import fit_spec
from tests.edgekit.pruning.nets import HALF, RECIPE, method_for, one_group, small_model, train

QUICK = replace(RECIPE, epochs=2)


def test_only_the_gates_learn(tmp_path, toy_data):
    model = small_model()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    method = method_for(model, PruningFromScratch)
    train(model, [method], tmp_path, toy_data, recipe=QUICK)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
    assert [name for name, _ in model.named_parameters()] == list(before)
    gates = torch.cat(list(method.scores(None).values()))
    assert ((gates >= 0) & (gates <= 1)).all()
    assert gates.min() < 0.95


def test_gates_are_drawn_to_their_mean(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, PruningFromScratch, r=0.6, gamma=5000.0, lr=0.02)
    train(model, [method], tmp_path, toy_data, recipe=replace(RECIPE, epochs=12))
    assert method.report()["mean_gate"] == pytest.approx(0.6, abs=0.05)


def test_gates_act_behind_batch_norm_of_the_layer_that_makes_the_channels():
    model = small_model()
    method = method_for(model, PruningFromScratch, Budget(rate=0.5, scope="all"))
    places = {group.name: gated_layers(model, group) for group in method.groups}
    assert places["stages.0.0.conv1.conv"] == ["stages.0.0.conv1.bn"]
    assert places["stages.1.0.conv2.conv"][1] == "stages.1.0.shortcut.bn"


def test_gates_of_one_are_the_network_itself():
    model, gated = small_model().eval(), small_model().eval()
    method_for(gated, PruningFromScratch)
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(model(x), gated(x))


def test_the_widths_found_are_trained_from_random_weights_within_the_budget(tmp_path, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.5), toy_data)
    how = Pruning("from-scratch", Budget(macs=0.6, round_to=4), epochs=1, finetune_epochs=1)
    pruned = train_and_prune(spec, toy_data, QUICK, tmp_path / "a", how, progress=False)
    report = pruned.pruning
    assert report["budget"]["share"] == "global"
    assert 0.55 < report["after"]["macs"] / report["before"]["macs"] <= 0.6
    widths = report["constants"]["widths"]
    assert count_macs(pruned.build(), (1, 8, 8)) == report["after"]["macs"]
    again = train_and_prune(spec, toy_data, QUICK, tmp_path / "b", how, progress=False)
    assert again.pruning["constants"]["widths"] == widths  # the same seed


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"r is 1\.5"):
        PruningFromScratch(*one_group(8, 4), r=1.5)


def test_half_is_half(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, PruningFromScratch, replace(HALF, share="uniform"))
    train(model, [method], tmp_path, toy_data, recipe=QUICK)
    assert all(len(method.plan[group.name]) == group.channels // 2 for group in method.groups)
