"""A checkpoint as a place to start from: pruned ones are trained on, and commands prune what they name."""

from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.models import ModelSpec
from edgekit.pruning import Budget, Pruning, prune
from edgekit.training import Recipe, fit_spec, load_checkpoint, starting_network, train
from runtime.errors import CheckpointError
from tests.edgekit.training.interrupt import Interrupt

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu")
SPEC = ModelSpec("resnet20", width=0.25)
HALF = Budget(rate=0.5, round_to=1)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory, toy_data):
    folder = tmp_path_factory.mktemp("runs")
    whole = train(fit_spec(SPEC, toy_data), toy_data, RECIPE, folder / "whole", progress=False)
    how = Pruning("one-shot", HALF, epochs=0, finetune_epochs=1)
    return prune(whole, toy_data, folder / "pruned", how, progress=False)


def go_on(init, data, folder, recipe=RECIPE, **more):
    return train(fit_spec(SPEC, data), data, recipe, folder, init=init, progress=False, **more)


def bits(checkpoint):
    return list(checkpoint.build().state_dict().values())


def test_a_pruned_network_learns_to_be_quantised(pruned, toy_data, tmp_path):
    found = go_on(pruned, toy_data, tmp_path / "run", replace(RECIPE, epochs=1, lr=1e-12, qat=True))
    assert (found.plan, found.pruning) == (pruned.plan, pruned.pruning)
    before, after = (dict(c.build().named_parameters()) for c in (pruned, found))
    assert before.keys() == after.keys()
    for name, parameter in before.items():  # it began with these weights
        torch.testing.assert_close(after[name], parameter, atol=1e-6, rtol=0)


def test_it_has_a_classifier_for_other_classes(pruned, toy_data, tmp_path):
    data = replace(toy_data, labels=["above", "below", "elsewhere"])
    found = go_on(pruned, data, tmp_path / "run")
    assert found.build().classifier.linear.out_features == 3
    assert found.plan == pruned.plan


def test_a_run_that_was_killed_ends_with_the_same_bits(pruned, toy_data, tmp_path):
    whole = go_on(pruned, toy_data, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go_on(pruned, toy_data, tmp_path / "run", hooks=[Interrupt(1)])
    with pytest.raises(CheckpointError, match=r"of a pruned network broke off in .*; pass --resume"):
        starting_network(SPEC.name, tmp_path / "run")
    with pytest.raises(CheckpointError, match="weights of another model"):
        go_on(None, toy_data, tmp_path / "run", resume=True)
    resumed = go_on(pruned, toy_data, tmp_path / "run", resume=True)
    assert all(map(torch.equal, bits(whole), bits(resumed)))


def test_other_choices_than_the_whole_networks_are_told(pruned, toy_data, tmp_path):
    wider = fit_spec(replace(SPEC, width=0.5, block="sge"), toy_data)
    with pytest.raises(CheckpointError, match=r"has width 0.25, block 'none', asked is width 0.5, block"):
        train(wider, toy_data, RECIPE, tmp_path / "run", init=pruned, progress=False)


def test_commands_and_files_prune_the_checkpoint_that_they_name(tmp_path, toy_data, pruned, monkeypatch):
    monkeypatch.setattr("edgekit.data.load_dataset", lambda *_, **__: toy_data)
    whole = pruned.path.with_name("whole")
    recipe = tmp_path / "half.yaml"
    recipe.write_text(
        f"model: resnet20\ndata: toy\nwidth: 0.25\nimage-size: 8\nepochs: 1\nbatch-size: 16\ninit: {whole}\n"
        "prune: {method: one-shot, rate: 0.5, round-to: 1, epochs: 0, finetune-epochs: 1, teacher: dense}\n"
    )
    few = ["--width", "0.25", "--epochs", "1", "--batch-size", "16", "--device", "cpu", "--round-to", "1"]
    few += ["--prune", "one-shot", "--rate", "0.5", "--teacher", "dense"]
    told = ["resnet20", "--data", "toy", *few, "--init", str(whole)]
    for name, arguments in (("file", [str(recipe), "--device", "cpu"]), ("told", told)):
        shown = CliRunner().invoke(cli, ["train", *arguments, "-o", str(tmp_path / name)])
        assert shown.exit_code == 0, shown.stderr
        found = load_checkpoint(tmp_path / name)
        assert found.pruning["source_sha256"] == load_checkpoint(whole).sha256
        assert found.plan == pruned.plan
        assert str(whole) in str(found.run["recipes"][1]["use"])  # learns from it
    alone = CliRunner().invoke(cli, ["train", *told[:-2], "-o", str(tmp_path / "alone")])
    assert alone.exit_code == 2
    assert "teacher 'dense' is the checkpoint that is pruned, and there is none" in alone.stderr
    other = CliRunner().invoke(cli, ["train", *told, "--act", "dyrelu-b", "-o", str(tmp_path / "other")])
    assert other.exit_code == 1
    assert "has act 'default', asked is act 'dyrelu-b'; ask for what it has" in other.stderr
