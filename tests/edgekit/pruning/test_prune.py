from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from edgekit.cli import cli
from edgekit.data import load_dataset
from edgekit.models import ModelSpec, count_macs
from edgekit.pruning import Budget, Cost, Pruning, paired_latencies_ms, prune, train_and_prune
from edgekit.pruning.report import disagreements
from edgekit.training import Recipe, evaluate, fit_spec, load_checkpoint, train
from runtime.errors import CheckpointError, PruneError

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu")
SPEC = ModelSpec("resnet20", width=0.5, dynamic_conv="pointwise")
QUIET = {"progress": False}


def quick(rate=0.5, method="psfp", **more):
    return Pruning(method, Budget(rate=rate), epochs=1, finetune_epochs=1, **more)


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    return train(
        fit_spec(SPEC, toy_data), toy_data, RECIPE, tmp_path_factory.mktemp("runs") / "source", progress=False
    )


def test_a_pruned_checkpoint_is_smaller_and_says_so(tmp_path, toy_data, source):
    pruned = prune(source, toy_data, tmp_path / "pruned", quick(), **QUIET)
    model = pruned.build()
    before, after = pruned.pruning["before"], pruned.pruning["after"]
    assert after["macs"] == count_macs(model, (1, 8, 8)) < before["macs"]
    assert after["params"] == sum(p.numel() for p in model.parameters()) < before["params"]
    assert before["test_top1"] == source.metrics["test_top1"]
    assert after["test_top1"] == pruned.metrics["test_top1"] == evaluate(model, toy_data.test)
    assert before["latency_ms"] > 0
    assert pruned.pruning["source_sha256"] == source.sha256
    # 32 channels keep 16, 16 keep 8, 8 keep 8
    assert [len(indices) for indices in pruned.plan.values()] == [8] * 3 + [16] * 3


def test_a_pruned_checkpoint_reloads_with_the_same_outputs(tmp_path, toy_data, source):
    pruned = prune(source, toy_data, tmp_path / "pruned", quick(), **QUIET)
    inputs = torch.from_numpy(toy_data.test.batch(range(8))[0])
    loaded = load_checkpoint(tmp_path / "pruned")
    assert loaded == pruned
    assert torch.equal(loaded.build()(inputs), pruned.build()(inputs))
    conv = next(iter(loaded.plan))
    assert (
        loaded.build().get_submodule(conv).out_channels == source.build().get_submodule(conv).out_channels - 8
    )


def test_a_pruned_checkpoint_can_be_pruned_again(tmp_path, toy_data, source):
    once = prune(source, toy_data, tmp_path / "once", quick(0.3), **QUIET)
    twice = prune(once, toy_data, tmp_path / "twice", quick(0.4), **QUIET)
    name = "stages.2.0.conv1.conv"
    assert set(once.plan[name]) < set(twice.plan[name])
    assert load_checkpoint(twice.path).build().get_submodule(name).out_channels == 32 - len(twice.plan[name])


def test_an_interrupted_pruning_continues(tmp_path, toy_data, source, monkeypatch):
    whole = prune(source, toy_data, tmp_path / "whole", quick(), **QUIET)
    monkeypatch.setattr("edgekit.pruning.run.physically_remove", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prune(source, toy_data, tmp_path / "run", quick(), **QUIET)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="pass --resume"):
        prune(source, toy_data, tmp_path / "run", quick(), **QUIET)
    resumed = prune(source, toy_data, tmp_path / "run", quick(), resume=True, **QUIET)
    expected = whole.build().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.build().state_dict().items())
    assert prune(source, toy_data, tmp_path / "run", quick(), resume=True, **QUIET) == resumed


def test_a_finished_pruning_is_not_taken_for_another(tmp_path, toy_data, source):
    prune(source, toy_data, tmp_path / "run", quick(), **QUIET)
    for other in (quick(0.4), quick(method="sfp"), quick(reestimate=False)):
        with pytest.raises(CheckpointError, match=r"holds a run with .*; resume with the same"):
            prune(source, toy_data, tmp_path / "run", other, resume=True, **QUIET)


def test_batch_norm_is_estimated_anew_after_the_removal(tmp_path, toy_data, source):
    at_once = {"method": "one-shot", "budget": Budget(rate=0.5), "epochs": 0, "finetune_epochs": 0}
    pruned = prune(source, toy_data, tmp_path / "anew", Pruning(**at_once), **QUIET)
    as_was = prune(source, toy_data, tmp_path / "was", Pruning(**at_once, reestimate=False), **QUIET)
    assert pruned.pruning["removed_top1"] == as_was.pruning["removed_top1"] == as_was.metrics["test_top1"]
    assert pruned.pruning["reestimated_top1"] == pruned.metrics["test_top1"]
    assert as_was.pruning["reestimated_top1"] is None
    weights, same = pruned.build().state_dict(), as_was.build().state_dict()
    changed = {name.rpartition(".")[2] for name in weights if not torch.equal(weights[name], same[name])}
    assert changed == {"running_mean", "running_var", "num_batches_tracked"}


def test_a_network_is_trained_pruned_and_fine_tuned_in_one_go(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    how = Pruning("sfp", Budget(macs=0.7), finetune_epochs=1)
    pruned = train_and_prune(spec, toy_data, RECIPE, tmp_path / "run", how, **QUIET)
    report = pruned.pruning
    assert report["epochs"] == RECIPE.epochs
    assert report["after"]["macs"] <= 0.7 * report["before"]["macs"]
    assert load_checkpoint(pruned.path).build()
    again = train_and_prune(spec, toy_data, RECIPE, tmp_path / "run", how, resume=True, **QUIET)
    assert again == pruned


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_rate_that_removes_nothing_is_refused_before_training(tmp_path, toy_data, source):
    with pytest.raises(PruneError, match=r"rate 0\.1 removes no channel of resnet20"):
        prune(source, toy_data, tmp_path / "pruned", quick(0.1), **QUIET)
    assert not (tmp_path / "pruned").exists()


def test_other_data_is_refused(tmp_path, toy_data, source):
    with pytest.raises(
        CheckpointError, match=r"'toy' of 8 pixels and 2 classes, got 'digits' of 16 pixels and 10"
    ):
        prune(source, load_dataset("digits", image_size=16), tmp_path / "pruned", quick(), **QUIET)


def test_an_unknown_method_names_the_near_one(tmp_path, toy_data, source):
    with pytest.raises(ValueError, match=r"did you mean .*psfp"):
        prune(source, toy_data, tmp_path / "pruned", quick(method="pfsp"), **QUIET)


def test_a_latency_that_does_not_follow_the_macs_is_warned_of():
    before = Cost(macs=100, params=10, latency_ms=1.0, test_score=1.0)
    assert disagreements(before, replace(before, macs=50, latency_ms=0.7)) == ()
    (warning,) = disagreements(before, replace(before, macs=50, latency_ms=0.8))
    assert "MACs fell to 50% but eager latency to 80%" in warning


def test_paired_latencies_take_turns_and_leave_the_threads_alone():
    class Sleeper(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def forward(self, x):
            order.append((self.name, torch.get_num_threads()))
            return x

    order = []
    threads = torch.get_num_threads()
    latencies_ms = paired_latencies_ms([Sleeper("a"), Sleeper("b")], torch.zeros(1), runs=2, warmup=1)
    assert order == [("b", 1), ("a", 1), ("a", 1), ("b", 1), ("b", 1), ("a", 1)]
    assert len(latencies_ms) == 2
    assert all(latency_ms >= 0 for latency_ms in latencies_ms)
    assert torch.get_num_threads() == threads


def test_the_commands_train_and_prune_a_folder_of_photos(tmp_path):
    import json

    from PIL import Image

    for name, grey in (("dark", 30), ("light", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8), (grey + number,) * 3).save(tmp_path / "photos" / name / f"{number}.png")
    photos = ["--data-root", str(tmp_path / "photos")]
    runs = [str(tmp_path / name) for name in ("trained", "pruned")]
    options = ["--image-size", "8", "--width", "0.5", "--epochs", "1", "--batch-size", "8", "--device", "cpu"]
    trained = CliRunner().invoke(
        cli, ["train", "resnet20", "--data", "folder", *photos, *options, "-o", runs[0]]
    )
    assert trained.exit_code == 0, trained.output
    assert f"checkpoint: {runs[0]}" in trained.stdout

    again = CliRunner().invoke(
        cli, ["train", "resnet20", "--data", "folder", *photos, *options, "-o", runs[0]]
    )
    assert again.exit_code == 1
    assert "pass --resume" in again.stderr

    pruned = CliRunner().invoke(cli, ["prune", runs[0], *photos, "--macs", "80%", "--json", "-o", runs[1]])
    assert pruned.exit_code == 0, pruned.output
    report = json.loads(pruned.stdout)["pruning"]
    assert report["after"]["macs"] < report["before"]["macs"]

    table = CliRunner().invoke(cli, ["prune", runs[0], *photos, "--macs", "80%", "--resume", "-o", runs[1]])
    assert "right after the removal: " in table.stdout
    assert [line.split()[0] for line in table.stdout.splitlines()[2:6]] == [
        "MACs",
        "parameters",
        "latency,",
        "test",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["train", "mobilenet_v9", "--data", "digits"],
            2,
            "unknown model 'mobilenet_v9'; did you mean mobilenet_v2",
        ),
        (["train", "resnet20", "--data", "digit"], 2, "did you mean digits"),
        (["train", "resnet20", "--data", "digits", "--act", "gelu"], 2, "act='gelu'"),
        (["train", "resnet20", "--data", "digits", "--epochs", "0"], 2, "epochs is 0"),
        (["train", "resnet20", "--data", "digits", "--recipe", "digit-demo"], 2, "did you mean digits-demo"),
        (
            ["train", "resnet20", "--data", "digits", "--resume", "-o", "nowhere"],
            1,
            "start it without --resume",
        ),
        (
            ["train", "resnet20", "--data", "digits", "--init", "imagenet"],
            2,
            "no ImageNet weights for 'resnet20'",
        ),
        (["train", "resnet20", "--data", "digits", "--macs", "50%"], 2, "--macs is for pruning; add --prune"),
        (["train", "resnet20", "--data", "digits", "--prune", "sfb"], 2, "did you mean sfp"),
        (["prune", "nowhere"], 1, "nowhere is not a checkpoint"),
        (["prune", "nowhere", "--macs", "half"], 2, "'half' is no amount; write a share as 50%"),
        (["prune", "nowhere", "--macs", "50%", "--rate", "0.5"], 2, "rate, macs are given; choose one"),
        (["prune", "nowhere", "--option", "A"], 2, "write NAME=VALUE"),
        (["prune", "nowhere", "--rates", "none.json"], 1, "name a JSON file of rates"),
    ],
)
def test_bad_arguments_are_one_line_errors(tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == status
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not any(tmp_path.rglob("checkpoint.json"))


@pytest.mark.slow
def test_soft_pruning_keeps_more_accuracy_than_one_shot_at_the_same_rate(tmp_path):
    """Right after the removal, before any fine-tuning, after equally many epochs, over three seeds."""
    digits = load_dataset("digits", image_size=8)
    spec = fit_spec(ModelSpec("resnet20", width=0.5), digits)
    kept = {"psfp": [], "one-shot": []}
    for seed in range(3):
        recipe = Recipe(epochs=6, device="cpu", seed=seed)
        source = train(spec, digits, recipe, tmp_path / f"source{seed}", progress=False)
        for method, accuracies in kept.items():
            out = tmp_path / f"{method}{seed}"
            recipe = Recipe(device="cpu", seed=seed)
            how = Pruning(method, Budget(rate=0.5), epochs=20, finetune_epochs=1)
            pruned = prune(source, digits, out, how, recipe=recipe, progress=False)
            accuracies.append(pruned.pruning["removed_top1"])
    assert sum(kept["psfp"]) > sum(kept["one-shot"]) + 0.3, kept
