"""A placed network goes all the way: trained, kept, resumed, pruned, exported."""

import json
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.export import EXPORT_BACKENDS, lower
from edgekit.models import ModelSpec
from edgekit.nn import DynamicConv2d, DynamicReLU
from edgekit.pruning import Budget, Pruning, prune
from edgekit.search.placement import place_for_run
from edgekit.search.placement.for_run import PLACEMENT_FILE
from edgekit.training import Hook, Recipe, fit_spec, load_checkpoint, train
from runtime.errors import CheckpointError

RECIPE = Recipe(epochs=1, batch_size=16, device="cpu")
AT = ("stages.0.1.act", "stages.1.0.shortcut.conv", "stages.2.0.conv1.act")
SPEC = ModelSpec("resnet20", width=0.5, act="dyrelu-b", dynamic_conv="pointwise", dynamic_at=AT)


def dynamic_paths(model):
    return {path for path, layer in model.named_modules() if isinstance(layer, DynamicConv2d | DynamicReLU)}


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    folder = tmp_path_factory.mktemp("placed") / "source"
    spec = fit_spec(SPEC, toy_data)
    return train(spec, toy_data, RECIPE, folder, placement={"budget": 0.1}, progress=False)


def test_a_checkpoint_keeps_the_placement(toy_data, source):
    loaded = load_checkpoint(source.path)
    assert loaded.spec.dynamic_at == AT
    assert loaded.placement == {"budget": 0.1}
    assert dynamic_paths(loaded.build()) == set(AT)


def test_a_placed_network_is_pruned_where_it_is_dynamic_and_where_not(tmp_path, toy_data, source):
    how = Pruning("one-shot", Budget(rate=0.5), epochs=1, finetune_epochs=1)
    pruned = prune(source, toy_data, tmp_path / "p", how, progress=False)
    model = load_checkpoint(pruned.path).build()
    assert dynamic_paths(model) == set(AT)
    assert model.get_submodule("stages.2.0.conv1.act").fc1.in_channels == 16  # of 32
    assert pruned.placement == {"budget": 0.1}


def test_an_interrupted_run_of_a_placed_network_goes_on(tmp_path, toy_data):
    class Stop(Exception):
        pass

    class StopAfterTwo(Hook):
        def on_epoch_begin(self, run):
            if run.epoch == 1:
                raise Stop

    spec, recipe = fit_spec(SPEC, toy_data), replace(RECIPE, epochs=2)
    with pytest.raises(Stop):
        train(spec, toy_data, recipe, tmp_path / "run", hooks=[StopAfterTwo()], progress=False)
    resumed = train(spec, toy_data, recipe, tmp_path / "run", resume=True, progress=False)
    whole = train(spec, toy_data, recipe, tmp_path / "whole", progress=False)
    inputs = torch.from_numpy(toy_data.test.batch(range(4))[0])
    assert torch.equal(resumed.build()(inputs), whole.build()(inputs))


@pytest.mark.parametrize("engine", ["litert", pytest.param("executorch", marks=pytest.mark.slow)])
def test_a_placed_network_exports_into_the_delegate(toy_data, source, engine):
    example = torch.from_numpy(toy_data.test.batch([0])[0]).clone(memory_format=torch.contiguous_format)
    exported = EXPORT_BACKENDS.get(engine)(lower(source.build()), (example,))
    assert exported.delegation.fallback == ()


def test_a_run_that_is_resumed_keeps_its_layers(tmp_path, digits_spec, saved_costs):
    folder = tmp_path / "run"
    lines = []
    first, kept = place_for_run(digits_spec, "1%", folder, costs=saved_costs, on_message=lines.append)
    assert kept["dynamic_at"] == list(first.dynamic_at)
    assert "of 69 layers are dynamic" in lines[-1] or lines[-1].startswith("Warning")
    again, _ = place_for_run(digits_spec, "100%", folder, costs=saved_costs, resume=True)
    assert again == first
    (folder / PLACEMENT_FILE).write_text("{}")
    with pytest.raises(CheckpointError, match="is no placement"):
        place_for_run(digits_spec, "1%", folder, resume=True)


ARGUMENTS = ["mobilenet_v2", "--width", "0.1", "--image-size", "8"]


def test_place_prints_every_layer_and_the_budget(saved_costs):
    shape = [*ARGUMENTS, "--in-channels", "1", "--num-classes", "10", "--no-verify"]
    result = CliRunner().invoke(
        cli, ["place", *shape, "--dynamic-budget", "10%", "--costs", str(saved_costs)]
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert sum(line.startswith("x ") for line in lines) == 10
    assert lines[-1] == (
        f"10 of 69 layers are dynamic ({lines[-1].split('(')[1].split(')')[0]}): predicted +0.1 ms, "
        "+10.0% of 1 ms; budget 10.0% on litert"
    )


def test_place_json_is_the_librarys_record(saved_costs):
    shape = [*ARGUMENTS, "--in-channels", "1", "--num-classes", "10", "--no-verify", "--json"]
    result = CliRunner().invoke(
        cli, ["place", *shape, "--dynamic-budget", "0.1", "--costs", str(saved_costs)]
    )
    shown = json.loads(result.stdout)
    assert shown["budget"] == 0.1
    assert shown["machine"] == "a phone"
    assert shown["dynamic_at"] == [site["path"] for site in shown["sites"] if site["chosen"]]


@pytest.mark.parametrize(
    "command", [["place", "mobilenet_v2"], ["train", "mobilenet_v2", "--data", "digits"]]
)
def test_a_wrong_budget_is_a_usage_error(tmp_path, command):
    out = ["-o", str(tmp_path / "run")] if command[0] == "train" else []
    result = CliRunner().invoke(cli, [*command, *out, "--dynamic-budget", "10"])
    assert result.exit_code == 2
    assert "write 10% or 0.1" in result.stderr


def test_train_places_within_the_budget_and_stores_it(tmp_path, saved_costs):
    out = tmp_path / "run"
    arguments = ["train", *ARGUMENTS, "--data", "digits", "--epochs", "1", "-o", str(out)]
    result = CliRunner().invoke(cli, [*arguments, "--dynamic-budget", "2%", "--costs", str(saved_costs)])
    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(out)
    assert checkpoint.placement["budget"] == 0.02
    assert len(checkpoint.spec.dynamic_at) <= 2
    assert dynamic_paths(checkpoint.build()) == set(checkpoint.spec.dynamic_at)
    assert "budget 2.0% on litert" in result.stderr
