from dataclasses import replace

import msgspec
import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec, build_model
from edgekit.nn import DynamicConv2d
from edgekit.training import (
    EndAtOnce,
    Hook,
    Recipe,
    Trainer,
    build_optimizer,
    evaluate,
    fit_spec,
    load_checkpoint,
    train,
)
from edgekit.training.layout import use_fastest_layout
from edgekit.training.state import STATE_FILE, load_state
from edgekit.training.weights import start_from
from runtime.errors import CheckpointError, TrainingError
from tests.edgekit.training.interrupt import Interrupt
from tests.edgekit.training.nets import tiny_net

RECIPE = Recipe(epochs=3, batch_size=16, device="cpu", temperature_epochs=0)
SPEC = ModelSpec("resnet20", width=0.25)


def test_training_learns(tmp_path, toy_data):
    trainer = Trainer(tiny_net(), replace(RECIPE, epochs=5, lr=0.1))
    log = trainer.fit(toy_data, tmp_path, identity={}, progress=False)
    assert log[-1]["test_top1"] == 1.0
    assert log[-1]["train_loss"] < log[0]["train_loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, toy_data, optimizer):
    recipe = replace(RECIPE, epochs=4, optimizer=optimizer, lr=0.01)
    whole = Trainer(tiny_net(), recipe)
    (tmp_path / "whole").mkdir()
    log = whole.fit(toy_data, tmp_path / "whole", identity={}, progress=False)

    (tmp_path / "parts").mkdir()
    with pytest.raises(KeyboardInterrupt):
        Trainer(tiny_net(), recipe, [Interrupt(2)]).fit(
            toy_data, tmp_path / "parts", identity={}, progress=False
        )
    assert load_state(tmp_path / "parts").epoch == 2
    resumed = Trainer(tiny_net(), recipe)
    log_resumed = resumed.fit(toy_data, tmp_path / "parts", identity={}, resume=True, progress=False)

    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    assert [line["train_loss"] for line in log_resumed] == [line["train_loss"] for line in log]


class Counter(Hook):
    """Keeps a number that nothing but its own history gives."""

    def __init__(self):
        self.total = torch.zeros((), dtype=torch.int64)

    def on_step_end(self, run):
        self.total += run.step

    def on_epoch_end(self, run):
        if run.epoch == 2:
            run.stop()

    def metrics(self, run):
        return {"total": int(self.total)}

    def state_dict(self):
        return {"total": self.total}

    def load_state_dict(self, state):
        self.total = state["total"].clone()


def test_a_hook_keeps_its_state_over_an_interruption_and_may_end_the_training(tmp_path, toy_data):
    recipe = replace(RECIPE, epochs=5)  # of four steps
    with pytest.raises(KeyboardInterrupt):
        Trainer(tiny_net(), recipe, [Counter(), Interrupt(1)]).fit(
            toy_data, tmp_path, identity={}, progress=False
        )
    resumed = {"identity": {}, "resume": True, "progress": False}
    log = Trainer(tiny_net(), recipe, [Counter()]).fit(toy_data, tmp_path, **resumed)
    assert [line["total"] for line in log] == [sum(range(4)), sum(range(8)), sum(range(12))]
    assert Trainer(tiny_net(), recipe, [Counter()]).fit(toy_data, tmp_path, **resumed) == log  # it was over


def test_a_state_without_a_hooks_part_is_refused(tmp_path, toy_data):
    Trainer(tiny_net(), RECIPE).fit(toy_data, tmp_path, identity={}, progress=False)
    with pytest.raises(CheckpointError, match="lacks 'total' of Counter"):
        Trainer(tiny_net(), RECIPE, [Counter()]).fit(
            toy_data, tmp_path, identity={}, resume=True, progress=False
        )


def test_a_training_that_ends_at_once_leaves_the_model_alone(tmp_path, toy_data):
    model = tiny_net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    ended = []

    class Last(Hook):
        def finalize(self, run):
            ended.append(run.epoch)

    hooks = [EndAtOnce(), Last()]
    assert Trainer(model, RECIPE, hooks).fit(toy_data, tmp_path, identity={}, progress=False) == []
    assert ended == [0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_two_half_batches_make_the_step_of_a_whole_one(tmp_path, toy_data):
    def weights(**changes):
        trainer = Trainer(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), replace(RECIPE, **changes))
        nn.init.zeros_(trainer.model[1].weight)
        nn.init.zeros_(trainer.model[1].bias)
        trainer.fit(toy_data, tmp_path, identity={}, progress=False)
        return trainer.model[1].weight, trainer.steps_per_epoch

    plain = {"augment": False, "epochs": 1}
    whole, steps = weights(batch_size=32, **plain)
    halves, as_many = weights(batch_size=16, accumulate=2, **plain)
    assert steps == as_many == 2
    assert torch.allclose(whole, halves, atol=1e-6)


def test_the_seed_decides_everything(tmp_path, toy_data):
    def weights(seed, name):
        (tmp_path / name).mkdir()
        trainer = Trainer(tiny_net(), replace(RECIPE, seed=seed))
        trainer.fit(toy_data, tmp_path / name, identity={}, progress=False)
        return trainer.model[0].weight

    first = weights(0, "a")
    assert torch.equal(first, weights(0, "b"))
    assert not torch.equal(first, weights(1, "c"))


def test_hooks_are_called_in_order(tmp_path, toy_data):
    calls = []

    class Recorder(Hook):
        pass

    def record(moment):
        standard = getattr(Hook, moment)
        return lambda self, *given: (calls.append(moment), standard(self, *given))[1]

    for moment in [name for name in vars(Hook) if not name.startswith("_")]:
        setattr(Recorder, moment, record(moment))
    Trainer(tiny_net(), replace(RECIPE, epochs=2, batch_size=32), [Recorder()]).fit(
        toy_data, tmp_path, identity={}, progress=False
    )
    steps = ["on_step_begin", "on_backward_end", "on_step_end"] * 2
    epoch = ["on_epoch_begin", *steps, "on_epoch_end", "metrics", "state_dict"]
    assert calls == ["prepare", "on_train_begin", *epoch, *epoch, "finalize"]


def test_metrics_are_one_json_line_per_epoch(tmp_path, toy_data):
    Trainer(tiny_net(), RECIPE).fit(toy_data, tmp_path, identity={}, progress=False)
    lines = [msgspec.json.decode(line) for line in (tmp_path / "metrics.jsonl").read_bytes().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert set(lines[0]) == {"epoch", "lr", "train_loss", "test_top1", "duration_s"}


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, toy_data):
    class Spoil(Hook):
        def on_step_end(self, trainer):
            trainer.model[0].weight.fill_(float("nan"))

    told = r"the loss is nan in epoch 0, step 1 \(the output of layer '0' is not finite\); .* lower --lr"
    with pytest.raises(TrainingError, match=told):
        Trainer(tiny_net(), RECIPE, [Spoil()]).fit(toy_data, tmp_path, identity={}, progress=False)
    assert not (tmp_path / STATE_FILE).exists()


def test_weights_that_the_last_step_spoiled_do_not_replace_good_ones(tmp_path, toy_data):
    class Spoil(Hook):
        def on_step_end(self, trainer):
            if trainer.step == 2 * trainer.steps_per_epoch - 1:
                trainer.model[0].weight.fill_(float("inf"))

    told = r"0\.weight is not finite after epoch 1, .* the state of epoch 0 is kept in .*: lower --lr"
    with pytest.raises(TrainingError, match=told):
        Trainer(tiny_net(), RECIPE, [Spoil()]).fit(toy_data, tmp_path, identity={}, progress=False)
    state = load_state(tmp_path)
    assert state.epoch == 1
    assert all(torch.isfinite(tensor).all() for tensor in state.model.values())


def test_weights_decay_and_vectors_do_not():
    optimizer = build_optimizer(tiny_net(), replace(RECIPE, weight_decay=0.1))
    shapes = [{len(p.shape) for p in group["params"]} for group in optimizer.param_groups]
    assert shapes == [{2, 4}, {1}]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_evaluate_scores_and_leaves_the_mode_alone(toy_data):
    class Above(nn.Module):
        """Says 0 where the upper half is brighter."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, x):
            halves = x.reshape(len(x), 2, -1).mean(2)
            return halves * self.weight

    model = Above().train()
    assert evaluate(model, toy_data.test) == 1.0
    assert model.training
    model.weight.data.fill_(-1.0)
    assert evaluate(model, toy_data.test) == 0.0


def test_resuming_another_run_is_refused(tmp_path, toy_data):
    Trainer(tiny_net(), RECIPE).fit(toy_data, tmp_path, identity={"model": "a"}, progress=False)
    with pytest.raises(CheckpointError, match=r"holds a run with model .a., asked is .b."):
        Trainer(tiny_net(), RECIPE).fit(
            toy_data, tmp_path, identity={"model": "b"}, resume=True, progress=False
        )


def test_nothing_to_resume_is_refused(tmp_path, toy_data):
    with pytest.raises(CheckpointError, match="start it without --resume"):
        Trainer(tiny_net(), RECIPE).fit(toy_data, tmp_path, identity={}, resume=True, progress=False)


def test_a_damaged_state_is_refused(tmp_path):
    (tmp_path / STATE_FILE).write_bytes(b"cut short")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_state(tmp_path)


def test_train_makes_a_checkpoint_that_scores_what_it_says(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    checkpoint = train(spec, toy_data, RECIPE, tmp_path / "run", progress=False)
    assert checkpoint.metrics["test_top1"] == evaluate(checkpoint.build(), toy_data.test)
    assert checkpoint.recipe["epochs"] == 3
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "checkpoint.json",
        "metrics.jsonl",
        "weights.safetensors",
    ]


def test_train_continues_an_interrupted_run(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    whole = train(spec, toy_data, RECIPE, tmp_path / "whole", progress=False)
    with pytest.raises(KeyboardInterrupt):
        train(spec, toy_data, RECIPE, tmp_path / "run", hooks=[Interrupt(1)], progress=False)
    with pytest.raises(CheckpointError, match="pass --resume"):
        train(spec, toy_data, RECIPE, tmp_path / "run", progress=False)
    resumed = train(spec, toy_data, RECIPE, tmp_path / "run", resume=True, progress=False)
    for name, tensor in whole.build().state_dict().items():
        assert torch.equal(tensor, resumed.build().state_dict()[name]), name


def test_resuming_a_finished_run_returns_it(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    first = train(spec, toy_data, RECIPE, tmp_path / "run", progress=False)
    (tmp_path / "run" / STATE_FILE).touch()  # killed after the checkpoint was written
    assert train(spec, toy_data, RECIPE, tmp_path / "run", resume=True, progress=False) == first
    assert not (tmp_path / "run" / STATE_FILE).exists()


def test_resuming_a_finished_run_with_other_arguments_is_refused(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    train(spec, toy_data, RECIPE, tmp_path / "run", progress=False)
    with pytest.raises(CheckpointError, match=r"holds a run with lr 0\.05, asked is 0\.01"):
        train(spec, toy_data, replace(RECIPE, lr=0.01), tmp_path / "run", resume=True, progress=False)


def test_metrics_of_a_run_that_was_killed_after_its_last_epoch_are_whole(tmp_path, toy_data, monkeypatch):
    def kill(*args, **kwargs):
        raise KeyboardInterrupt

    spec = fit_spec(SPEC, toy_data)
    with monkeypatch.context() as patch:
        patch.setattr("edgekit.training.run.save_checkpoint", kill)
        with pytest.raises(KeyboardInterrupt):
            train(spec, toy_data, RECIPE, tmp_path / "run", progress=False)
    metrics = tmp_path / "run" / "metrics.jsonl"
    lines = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join(lines[:-1]))  # the state is written before the last line
    train(spec, toy_data, RECIPE, tmp_path / "run", resume=True, progress=False)
    assert metrics.read_bytes() == b"".join(lines)


def test_train_refuses_a_spec_of_another_size(tmp_path, toy_data):
    with pytest.raises(ValueError, match="does not fit dataset 'toy'"):
        train(SPEC, toy_data, RECIPE, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_train_starts_from_a_checkpoint(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    source = train(spec, toy_data, RECIPE, tmp_path / "source", progress=False)
    still = replace(RECIPE, epochs=1, lr=1e-12, seed=5)
    copy = train(spec, toy_data, still, tmp_path / "copy", init=source.build(), progress=False)
    weight = "stem.conv.weight"
    assert torch.allclose(copy.build().state_dict()[weight], source.build().state_dict()[weight], atol=1e-6)


def test_other_classes_get_a_new_classifier_on_the_old_features():
    old, new = (build_model(replace(SPEC, num_classes=n, image_size=8)) for n in (10, 2))
    random = new.classifier.linear.weight.clone()
    start_from(new, old.state_dict(), "old")
    assert torch.equal(new.stem.conv.weight, old.stem.conv.weight)
    assert torch.equal(new.classifier.linear.weight, random)


def test_train_refuses_a_checkpoint_of_another_model(tmp_path, toy_data):
    source = train(
        fit_spec(SPEC, toy_data), toy_data, replace(RECIPE, epochs=1), tmp_path / "a", progress=False
    )
    wider = fit_spec(replace(SPEC, width=0.5), toy_data)
    with pytest.raises(CheckpointError, match="holds the weights of another model"):
        train(wider, toy_data, RECIPE, tmp_path / "b", init=source.build(), progress=False)


def test_temperature_falls_to_one_by_the_last_epoch_and_is_saved(tmp_path, toy_data):
    seen = []

    class Watch(Hook):
        def on_epoch_end(self, trainer):
            convs = [m for m in trainer.model.modules() if isinstance(m, DynamicConv2d)]
            seen.append({conv.attention.temperature.item() for conv in convs})

    spec = fit_spec(replace(SPEC, dynamic_conv="pointwise"), toy_data)
    recipe = replace(RECIPE, temperature_epochs=10)
    checkpoint = train(spec, toy_data, recipe, tmp_path / "run", hooks=[Watch()], progress=False)
    assert seen == [{30.0}, {15.5}, {1.0}]
    saved = [v.item() for name, v in checkpoint.build().state_dict().items() if name.endswith("temperature")]
    assert set(saved) == {1.0}


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path):
    """DDP restarts the program, so it needs a program of its own."""
    import os
    import subprocess
    import sys

    from PIL import Image

    for name, grey in (("dark", 30), ("light", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (8, 8), (grey + number,) * 3).save(tmp_path / "photos" / name / f"{number}.png")
    command = [sys.executable, "-m", "edgekit", "train", "resnet20", "--data", "folder", "--image-size", "8"]
    command += [
        "--data-root",
        str(tmp_path / "photos"),
        "--width",
        "0.25",
        "--epochs",
        "2",
        "--batch-size",
        "8",
    ]
    command += ["--device", "cpu", "--devices", "2", "-o", str(tmp_path / "run")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert load_checkpoint(tmp_path / "run").recipe["devices"] == 2

    command = [sys.executable, "-m", "edgekit", "prune", str(tmp_path / "run"), "--rate", "0.5"]
    command += ["--data-root", str(tmp_path / "photos"), "-o", str(tmp_path / "pruned")]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert load_checkpoint(tmp_path / "pruned").plan


def test_maps_lie_channels_last_while_a_network_trains_and_give_the_same_weights(
    tmp_path, toy_data, monkeypatch
):
    def weights(name):
        torch.manual_seed(0)
        model = build_model(replace(SPEC, width=1.0, num_classes=2, image_size=8, in_channels=1))
        kernel = model.stages[0][0].conv1.conv

        class Look(Hook):
            def on_train_begin(self, run):
                seen.append(kernel.weight.is_contiguous(memory_format=torch.channels_last))

        trainer = Trainer(model, replace(RECIPE, lr=1e-3), [Look()])
        (tmp_path / name).mkdir()
        trainer.fit(toy_data, tmp_path / name, identity={}, progress=False)
        assert kernel.weight.is_contiguous()
        return model.state_dict()

    seen = []
    fast = weights("fast")
    monkeypatch.setattr("edgekit.training.trainer.use_fastest_layout", lambda *_: torch.contiguous_format)
    plain = weights("plain")
    assert seen == [True, False]
    for name, tensor in plain.items():
        assert torch.allclose(tensor, fast[name], atol=1e-4, rtol=1e-3), name


def test_tests_may_be_rarer_than_epochs_but_the_last_one_is_tested(tmp_path, toy_data):
    recipe = replace(RECIPE, epochs=5, eval_every=2)
    log = Trainer(tiny_net(), recipe).fit(toy_data, tmp_path, identity={}, progress=False)
    assert ["test_top1" in line for line in log] == [False, True, False, True, True]


def test_a_limit_trains_on_fewer_images(tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    steps = []

    class Count(Hook):
        def on_step_end(self, run):
            steps.append(len(run.dataset.train))

    recipe = replace(RECIPE, epochs=1, limit=32)
    checkpoint = train(spec, toy_data, recipe, tmp_path / "run", hooks=[Count()], progress=False)
    assert steps == [32, 32]
    assert checkpoint.recipe["limit"] == 32


def test_a_network_that_asks_for_the_usual_layout_trains_in_it(tmp_path, toy_data):
    class Viewed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.linear = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 2)

        def forward(self, x):
            return self.linear(self.conv(x).view(len(x), -1))

    log = Trainer(Viewed(), RECIPE).fit(toy_data, tmp_path, identity={}, progress=False)
    assert len(log) == 3


@pytest.mark.parametrize(
    ("channels", "layout"), [(15, torch.contiguous_format), (16, torch.channels_last)], ids=["few", "enough"]
)
def test_a_strided_1x1_convolution_of_few_channels_is_trained_in_the_usual_layout(channels, layout):
    """Channels last, its gradient is written past the end of its memory: uxlfoundation/oneDNN#6035."""
    net = nn.Sequential(nn.Conv2d(3, channels, 3), nn.Conv2d(channels, 8, 1, stride=2))
    assert use_fastest_layout(net, torch.zeros(2, 3, 8, 8)) == layout
    assert net[0].weight.is_contiguous(memory_format=layout)
