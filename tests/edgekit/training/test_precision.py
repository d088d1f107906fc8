from dataclasses import replace

import pytest

from edgekit.models import ModelSpec, build_model
from edgekit.training import Recipe, fit_spec, load_checkpoint, precision, train
from edgekit.training.precision import settle_precision, time_share
from runtime.errors import CheckpointError

AUTO = Recipe(epochs=2, batch_size=16, device="cpu", precision="auto", temperature_epochs=0)
SPEC = ModelSpec("resnet20", width=0.25)


@pytest.fixture
def bfloat16(monkeypatch):
    """A machine that computes in bfloat16, with a trial that comes to what the test sets."""

    class Trial:
        share, tried = 0.6, 0

        def __call__(self, *_):
            self.tried += 1
            return self.share

    trial = Trial()
    monkeypatch.setattr(precision, "_has_bfloat16", lambda _: True)
    monkeypatch.setattr(precision, "time_share", trial)
    return trial


@pytest.mark.parametrize(("share", "decided"), [(0.6, "bf16-mixed"), (0.97, "32-true"), (1.4, "32-true")])
def test_bfloat16_is_taken_where_it_is_quicker(share, decided, bfloat16, toy_data, tmp_path, capsys):
    bfloat16.share = share
    recipe = settle_precision(AUTO, None, toy_data, tmp_path, progress=True)
    assert recipe == replace(AUTO, precision=decided)
    assert (
        f"precision {decided}: a step in bfloat16 takes {share:.0%} of one in float32"
        in capsys.readouterr().err
    )


def test_a_precision_that_is_given_is_not_tried(bfloat16, toy_data, tmp_path):
    asked = replace(AUTO, precision="32-true")
    assert settle_precision(asked, None, toy_data, tmp_path) is asked
    assert settle_precision(replace(AUTO, qat=True), None, toy_data, tmp_path).precision == "32-true"
    assert bfloat16.tried == 0


def test_a_resumed_run_goes_on_with_what_was_decided(bfloat16, toy_data, tmp_path):
    spec = fit_spec(SPEC, toy_data)
    checkpoint = train(spec, toy_data, AUTO, tmp_path / "run", progress=False)
    assert checkpoint.recipe["precision"] == "bf16-mixed"
    bfloat16.share = 2.0  # today it would be another
    assert train(spec, toy_data, AUTO, tmp_path / "run", resume=True, progress=False) == checkpoint
    assert bfloat16.tried == 1
    with pytest.raises(CheckpointError, match="precision 'bf16-mixed', asked is '32-true'"):
        train(
            spec, toy_data, replace(AUTO, precision="32-true"), tmp_path / "run", resume=True, progress=False
        )


def test_processes_could_decide_differently(toy_data, tmp_path):
    with pytest.raises(ValueError, match="for 2 processes; choose 32-true or bf16-mixed"):
        settle_precision(replace(AUTO, devices=2), None, toy_data, tmp_path)


def test_the_trial_is_of_real_steps_and_leaves_random_numbers_alone(toy_data):
    import torch

    spec = fit_spec(SPEC, toy_data)
    torch.manual_seed(0)
    share = time_share(lambda: build_model(spec), AUTO, toy_data)
    assert 0.01 < share < 100
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(1))


def test_a_run_in_bfloat16_is_a_checkpoint_of_float32(bfloat16, toy_data, tmp_path):
    train(fit_spec(SPEC, toy_data), toy_data, AUTO, tmp_path / "run", progress=False)
    tensors = load_checkpoint(tmp_path / "run").build().state_dict().values()
    assert not any("bfloat16" in str(tensor.dtype) for tensor in tensors)
