"""What every pruning method keeps, whichever it is."""

from dataclasses import replace

import pytest
import torch

from edgekit.models import ModelSpec
from edgekit.models.surgery.removal import physically_remove
from edgekit.pruning import METHODS, Budget, Pruning, make_method, prune
from edgekit.training import fit_spec
from edgekit.training import train as train_spec
from tests.edgekit.pruning.nets import HALF, RECIPE, method_for, one_group, same_bits, small_model, train
from tests.edgekit.training.interrupt import Interrupt


@pytest.mark.parametrize("name", [name for name in METHODS if name != "asfp"])
def test_an_interrupted_run_of_any_method_ends_with_the_same_bits(name, tmp_path, toy_data):
    def run(folder, *more, **fit):
        model = small_model(dynamic_conv="pointwise")
        method = method_for(model, METHODS.get(name), HALF)
        train(model, [method, *more], folder, toy_data, **fit)
        return method, model

    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    method, model = run(tmp_path / "whole")
    for epoch in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", Interrupt(epoch), resume=epoch > 1)
    resumed, same = run(tmp_path / "parts", resume=True)
    assert resumed.plan == method.plan
    assert resumed.report() == method.report()
    assert same_bits(model, same) == []


@pytest.mark.parametrize("name", METHODS)
def test_any_method_removes_what_its_budget_says(name, tmp_path, toy_data):
    model = small_model()
    method = method_for(model, METHODS.get(name), HALF)
    train(model, [method], tmp_path, toy_data)
    compact = physically_remove(model, method.plan, torch.rand(2, 1, 8, 8))
    kept = [compact.get_submodule(group.name).out_channels for group in method.groups]
    assert kept == [group.channels // 2 for group in method.groups]


def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'increg' has no option 'b'; its options: a, t, increment"):
        make_method("increg", *one_group(8, 4), {"b": 1})


def test_random_choices_follow_the_seed(tmp_path, toy_data):
    plans = []
    for seed in (0, 0, 1):
        model = small_model()
        method = method_for(model, METHODS.get("random"))
        train(model, [method], tmp_path, toy_data, recipe=replace(RECIPE, epochs=1, seed=seed))
        plans.append(method.plan)
    assert plans[0] == plans[1] != plans[2]


def test_the_thin_network_keeps_widths_and_no_weight(tmp_path, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.5), toy_data)
    trained = train_spec(spec, toy_data, replace(RECIPE, epochs=1), tmp_path / "dense", progress=False)
    how = Pruning("thin", Budget(rate=0.5, round_to=4), finetune_epochs=0)
    first, other = (
        prune(trained, toy_data, tmp_path / f"{seed}", how, recipe=replace(RECIPE, seed=seed), progress=False)
        for seed in (0, 1)
    )
    weights = [checkpoint.build().stages[0][0].conv1.conv.weight for checkpoint in (trained, first, other)]
    assert len(weights[1]) == len(weights[2]) == len(weights[0]) // 2
    assert not any((row == whole).all() for row in weights[1] for whole in weights[0])
    assert not torch.equal(weights[1], weights[2])
    assert first.pruning["budget"]["share"] == "uniform"


def test_methods_that_choose_at_the_end_share_out_by_what_is_then(tmp_path, toy_data):
    model = small_model()
    method = method_for(model, METHODS.get("one-shot"), Budget(rate=0.1, share="global", round_to=4))
    name = method.groups[-1].name
    before = method.counts.get(name, 0)
    with torch.no_grad():
        model.get_submodule(name).weight[:4] *= 100  # beside these the others are small
    train(model, [method], tmp_path, toy_data, recipe=replace(RECIPE, epochs=1))
    assert before < method.counts[name] == len(method.plan[name])
    assert min(method.plan[name]) > 3
