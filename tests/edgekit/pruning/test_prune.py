from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from edgekit.cli import cli
from edgekit.data import load_dataset
from edgekit.models import ModelSpec, count_macs
from edgekit.pruning import Cost, paired_latencies_ms, prune
from edgekit.pruning.run import disagreements
from edgekit.training import Recipe, evaluate, fit_spec, load_checkpoint, train
from runtime.errors import CheckpointError, PruneError

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu")
SPEC = ModelSpec("resnet20", width=0.5, dynamic_conv="pointwise")
QUICK = {"epochs": 1, "finetune_epochs": 1, "progress": False}


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    return train(
        fit_spec(SPEC, toy_data), toy_data, RECIPE, tmp_path_factory.mktemp("runs") / "source", progress=False
    )


def test_a_pruned_checkpoint_is_smaller_and_says_so(tmp_path, toy_data, source):
    pruned = prune(source, toy_data, tmp_path / "pruned", rate=0.5, **QUICK)
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
    pruned = prune(source, toy_data, tmp_path / "pruned", rate=0.5, **QUICK)
    inputs = torch.from_numpy(toy_data.test.batch(range(8))[0])
    loaded = load_checkpoint(tmp_path / "pruned")
    assert loaded == pruned
    assert torch.equal(loaded.build()(inputs), pruned.build()(inputs))
    conv = next(iter(loaded.plan))
    assert (
        loaded.build().get_submodule(conv).out_channels == source.build().get_submodule(conv).out_channels - 8
    )


def test_a_pruned_checkpoint_can_be_pruned_again(tmp_path, toy_data, source):
    once = prune(source, toy_data, tmp_path / "once", rate=0.3, **QUICK)
    twice = prune(once, toy_data, tmp_path / "twice", rate=0.4, **QUICK)
    name = "stages.2.0.conv1.conv"
    assert set(once.plan[name]) < set(twice.plan[name])
    assert load_checkpoint(twice.path).build().get_submodule(name).out_channels == 32 - len(twice.plan[name])


def test_an_interrupted_pruning_continues(tmp_path, toy_data, source, monkeypatch):
    whole = prune(source, toy_data, tmp_path / "whole", rate=0.5, **QUICK)
    monkeypatch.setattr("edgekit.pruning.run.physically_remove", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prune(source, toy_data, tmp_path / "run", rate=0.5, **QUICK)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="pass --resume"):
        prune(source, toy_data, tmp_path / "run", rate=0.5, **QUICK)
    resumed = prune(source, toy_data, tmp_path / "run", rate=0.5, resume=True, **QUICK)
    expected = whole.build().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.build().state_dict().items())
    assert prune(source, toy_data, tmp_path / "run", rate=0.5, resume=True, **QUICK) == resumed


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_rate_that_removes_nothing_is_refused_before_training(tmp_path, toy_data, source):
    with pytest.raises(PruneError, match=r"rate 0\.1 removes no channel of resnet20"):
        prune(source, toy_data, tmp_path / "pruned", rate=0.1, **QUICK)
    assert not (tmp_path / "pruned").exists()


def test_other_data_is_refused(tmp_path, toy_data, source):
    with pytest.raises(
        CheckpointError, match=r"'toy' of 8 pixels and 2 classes, got 'digits' of 16 pixels and 10"
    ):
        prune(source, load_dataset("digits", image_size=16), tmp_path / "pruned", **QUICK)


def test_an_unknown_method_names_the_near_one(tmp_path, toy_data, source):
    with pytest.raises(ValueError, match=r"did you mean .*psfp"):
        prune(source, toy_data, tmp_path / "pruned", method="pfsp", **QUICK)


def test_a_latency_that_does_not_follow_the_macs_is_warned_of():
    before = Cost(macs=100, params=10, latency_ms=1.0, test_top1=1.0)
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

    pruned = CliRunner().invoke(cli, ["prune", runs[0], *photos, "--rate", "0.5", "--json", "-o", runs[1]])
    assert pruned.exit_code == 0, pruned.output
    report = json.loads(pruned.stdout)["pruning"]
    assert report["after"]["macs"] < report["before"]["macs"]

    table = CliRunner().invoke(cli, ["prune", runs[0], *photos, "--rate", "0.5", "--resume", "-o", runs[1]])
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
        (["prune", "nowhere"], 1, "nowhere is not a checkpoint"),
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
            pruned = prune(
                source,
                digits,
                out,
                method=method,
                rate=0.5,
                epochs=20,
                finetune_epochs=1,
                recipe=recipe,
                progress=False,
            )
            accuracies.append(pruned.pruning["removed_top1"])
    assert sum(kept["psfp"]) > sum(kept["one-shot"]) + 0.3, kept
