"""Networks of the user's own files: trained, kept, and refused once the file is another one."""

import msgspec
import pytest
import torch
from click.testing import CliRunner

from edgekit.cli import cli
from edgekit.export import find_origin
from edgekit.models import ModelSpec
from edgekit.training import Recipe, fit_spec, load_checkpoint, starting_network, train
from edgekit.training.checkpoint import CHECKPOINT_FILE
from edgekit.training.state import load_state
from runtime.bundle.digest import file_sha256
from runtime.errors import CheckpointError, ExportError, TrainingError
from tests.edgekit.training.interrupt import Interrupt
from tests.edgekit.user_net import write_user_net

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu")


@pytest.fixture
def net(tmp_path):
    return write_user_net(tmp_path)


def trained(net, function, data, **changes):
    spec = fit_spec(ModelSpec(f"{net}:{function}"), data)
    return train(
        spec, data, Recipe(**{"epochs": 2, "device": "cpu"} | changes), net.parent / "run", progress=False
    )


@pytest.mark.parametrize("function", ["plain", "fire", "flat", "lazy", "tied"])
def test_a_users_network_is_trained_and_loads_again(function, net, toy_data):
    checkpoint = load_checkpoint(trained(net, function, toy_data).path)
    model = checkpoint.build()
    inputs, labels = toy_data.test.batch(range(32))
    right = (model(torch.from_numpy(inputs)).argmax(1).numpy() == labels).mean()
    assert right == checkpoint.metrics["test_top1"]
    assert checkpoint.spec.name == f"{net.resolve()}:{function}"
    assert checkpoint.spec.file_sha256 == file_sha256(net)
    assert checkpoint.spec.num_classes == 2


def test_a_users_network_resumes_to_the_same_bits(net, toy_data, tmp_path):
    spec = fit_spec(ModelSpec(f"{net}:plain"), toy_data)
    whole = train(spec, toy_data, RECIPE, tmp_path / "whole", progress=False)
    with pytest.raises(KeyboardInterrupt):
        train(spec, toy_data, RECIPE, tmp_path / "parts", hooks=[Interrupt(1)], progress=False)
    resumed = train(spec, toy_data, RECIPE, tmp_path / "parts", resume=True, progress=False)
    expected = whole.build().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.build().state_dict().items())


def test_a_training_that_broke_off_is_a_place_to_start_from(net, toy_data, tmp_path):
    spec = fit_spec(ModelSpec(f"{net}:plain"), toy_data)
    with pytest.raises(KeyboardInterrupt):
        train(spec, toy_data, RECIPE, tmp_path / "run", hooks=[Interrupt(1)], progress=False)
    kept = load_state(tmp_path / "run").model
    start = starting_network(spec.name, tmp_path / "run").state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in start.items())
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        starting_network(spec.name, tmp_path)


def test_a_file_that_changed_since_its_checkpoint_is_told(net, toy_data):
    checkpoint = trained(net, "plain", toy_data)
    net.write_text(net.read_text() + "\n")
    with pytest.raises(
        CheckpointError, match=r"net\.py has changed since .*; restore the file, or train again"
    ):
        checkpoint.build()
    net.unlink()
    with pytest.raises(CheckpointError, match=r"there is no file at .*net\.py, .*; put it there again"):
        checkpoint.build()


def test_a_run_is_not_resumed_with_another_file(net, toy_data):
    trained(net, "plain", toy_data)
    net.write_text(net.read_text() + "\n")
    spec = fit_spec(ModelSpec(f"{net}:plain"), toy_data)
    with pytest.raises(CheckpointError, match=r"holds a run with file_sha256 .*; resume with the same"):
        train(spec, toy_data, Recipe(epochs=2, device="cpu"), net.parent / "run", resume=True, progress=False)


@pytest.mark.parametrize("change", [{"name": "net.py:plain"}, {"file_sha256": None}])
def test_a_checkpoint_that_does_not_say_which_file_is_refused(change, net, toy_data):
    path = trained(net, "plain", toy_data).path / CHECKPOINT_FILE
    document = msgspec.json.decode(path.read_bytes())
    document["spec"] |= change
    path.write_bytes(msgspec.json.encode(document))
    with pytest.raises(CheckpointError, match="without its folder or its sha256"):
        load_checkpoint(path.parent)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        ("three_classes", ValueError, r"makes a tensor of shape \(2, 3\) of 2 images; .* have 2 classes"),
        ("several_outputs", ValueError, "makes tuple of 2 images"),
        ("no_network", ValueError, "net.py:no_network returns int"),
        ("colour", ExportError, r"forward of images \(2, 1, 8, 8\) failed: RuntimeError"),
        ("frozen", TrainingError, "all 11 parameters of the network are frozen"),
        ("nothing", ValueError, "has no function 'nothing'"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(function, error, message, net, toy_data):
    with pytest.raises(error, match=message):
        trained(net, function, toy_data)


def test_a_frozen_network_is_told_before_precisions_are_tried(net, toy_data):
    with pytest.raises(TrainingError, match="frozen"):
        trained(net, "frozen", toy_data, precision="auto")


def test_choices_of_edgekits_own_models_are_not_for_a_users():
    with pytest.raises(ValueError, match=r"width=0\.5 is for edgekit's models, and net\.py:plain makes"):
        ModelSpec("some/where/net.py:plain", width=0.5)


def test_a_bundle_does_not_tell_where_the_file_lies(net, toy_data, monkeypatch):
    checkpoint = trained(net, "plain", toy_data)
    monkeypatch.setattr("edgekit.data.load_dataset", lambda *_, **__: toy_data)
    origin = find_origin(str(checkpoint.path))
    assert origin.facts["model"]["name"] == "net.py:plain"
    assert str(net.parent) not in msgspec.json.encode(origin.facts).decode()


def test_the_commands_take_a_users_network_from_end_to_end(net, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = ["--epochs", "1", "--image-size", "8", "--limit", "100", "--device", "cpu"]
    made = CliRunner().invoke(cli, ["train", "net.py:plain", "--data", "digits", *short])
    assert made.exit_code == 0, made.output
    assert "checkpoint: runs/net-plain-digits" in made.stdout
    pruned = ["prune", "runs/net-plain-digits", "--rate", "0.5", "--epochs", "1", "--finetune-epochs", "1"]
    made = CliRunner().invoke(cli, [*pruned, "-o", "small"])
    assert made.exit_code == 0, made.output
    kept = [m.out_channels for m in load_checkpoint("small").build() if isinstance(m, torch.nn.Conv2d)]
    assert kept == [16, 8, 8]
    net.write_text("# other code\n" + net.read_text())
    refused = CliRunner().invoke(cli, ["export", "small"])
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") <= 2
    assert "has changed since the network was trained" in refused.stderr
