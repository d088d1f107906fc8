import msgspec
import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, build_model
from edgekit.training import load_checkpoint, save_checkpoint
from edgekit.training.checkpoint import CHECKPOINT_FILE, WEIGHTS_FILE
from edgekit.training.weights import load_weights
from runtime.errors import CheckpointError, VersionConflict

SPEC = ModelSpec("resnet20", num_classes=2, width=0.25, image_size=8, in_channels=1)


def write(folder, model, image, spec=SPEC):
    return save_checkpoint(
        folder,
        model,
        spec=spec,
        dataset="toy",
        image=image,
        labels=("above", "below"),
        recipe={"epochs": 1},
        metrics={"test_top1": 0.5},
    )


def rewrite(folder, **changes):
    document = msgspec.json.decode((folder / CHECKPOINT_FILE).read_bytes())
    (folder / CHECKPOINT_FILE).write_bytes(msgspec.json.encode(document | changes))


def test_a_checkpoint_builds_the_same_network(tmp_path, toy_data):
    model = build_model(SPEC).eval()
    saved = write(tmp_path / "run", model, toy_data.image)
    loaded = load_checkpoint(tmp_path / "run")
    inputs = torch.from_numpy(toy_data.test.batch(range(4))[0])
    assert loaded == saved
    assert not loaded.build().training
    assert torch.equal(loaded.build()(inputs), model(inputs))


def test_its_dictionary_is_ready_for_json(tmp_path, toy_data):
    saved = write(tmp_path / "run", build_model(SPEC), toy_data.image)
    plain = msgspec.json.decode(msgspec.json.encode(saved.to_dict()))
    assert plain["path"] == str(tmp_path / "run")
    assert plain["spec"]["name"] == "resnet20"
    assert plain["sha256"] == saved.sha256


def test_sha256_stands_for_the_weights_too(tmp_path, toy_data):
    first = write(tmp_path / "a", build_model(SPEC), toy_data.image)
    second = write(tmp_path / "b", build_model(SPEC), toy_data.image)
    assert first.sha256 != second.sha256


def test_a_second_checkpoint_in_the_same_folder_is_refused(tmp_path, toy_data):
    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    with pytest.raises(CheckpointError, match="holds a checkpoint already"):
        write(tmp_path / "run", build_model(SPEC), toy_data.image)


def test_a_folder_without_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="make one with: edgekit train"):
        load_checkpoint(tmp_path)


def test_a_changed_byte_is_noticed(tmp_path, toy_data):
    checkpoint = write(tmp_path / "run", build_model(SPEC), toy_data.image)
    weights = tmp_path / "run" / WEIGHTS_FILE
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointError, match="does not match its sha256"):
        load_checkpoint(tmp_path / "run")
    with pytest.raises(CheckpointError, match="does not match its sha256"):
        checkpoint.build()


def test_missing_weights_are_named(tmp_path, toy_data):
    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    (tmp_path / "run" / WEIGHTS_FILE).unlink()
    with pytest.raises(CheckpointError, match=f"lacks {WEIGHTS_FILE}"):
        load_checkpoint(tmp_path / "run")


def test_weights_of_another_model_name_the_first_that_differ(tmp_path, toy_data):
    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    rewrite(
        tmp_path / "run",
        spec=msgspec.to_builtins(ModelSpec("resnet20", num_classes=3, width=0.25, image_size=8)),
    )
    checkpoint = load_checkpoint(tmp_path / "run")
    with pytest.raises(
        CheckpointError, match=r"stem\.conv\.weight is \(8, 1, 3, 3\), the model's is \(8, 3, 3, 3\)"
    ):
        checkpoint.build()


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.zeros(2, 3)}, "bias is missing"),
        (
            {"weight": torch.zeros(2, 3), "bias": torch.zeros(2), "extra": torch.zeros(1)},
            "extra is not in the model",
        ),
        (
            {"weight": torch.zeros(2, 4), "bias": torch.zeros(2)},
            r"weight is \(2, 4\), the model's is \(2, 3\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(tensors, message):
    with pytest.raises(CheckpointError, match=f"somewhere holds the weights of another model: {message}"):
        load_weights(nn.Linear(3, 2), tensors, "somewhere")


def test_a_newer_schema_is_a_version_conflict(tmp_path, toy_data):
    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    rewrite(tmp_path / "run", schema_version=99)
    with pytest.raises(VersionConflict, match="upgrade edgekit"):
        load_checkpoint(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": "above"}, "does not fit its schema"),
        ({"spec": {"name": "resnet19"}}, "unknown model 'resnet19'"),
        ({"plan": {"stem.conv": ["one"]}}, "does not fit its schema"),
    ],
)
def test_a_document_out_of_schema_is_refused(tmp_path, toy_data, change, message):
    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    rewrite(tmp_path / "run", **change)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path / "run")


def test_broken_json_is_refused(tmp_path):
    (tmp_path / CHECKPOINT_FILE).write_bytes(b'{"spec": ')
    with pytest.raises(CheckpointError, match="not valid JSON"):
        load_checkpoint(tmp_path)


def test_weights_that_are_no_safetensors_are_refused(tmp_path, toy_data):
    import hashlib

    write(tmp_path / "run", build_model(SPEC), toy_data.image)
    (tmp_path / "run" / WEIGHTS_FILE).write_bytes(b"pickle")
    rewrite(tmp_path / "run", weights_sha256=hashlib.sha256(b"pickle").hexdigest())
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_checkpoint(tmp_path / "run")
