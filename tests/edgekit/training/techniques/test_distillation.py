"""Distillation, routes of teachers, and students that follow them."""

from dataclasses import replace

import pytest
import torch

from edgekit.training import Hook, load_checkpoint, make_techniques
from edgekit.training.techniques.distillation import divergence
from edgekit.training.techniques.rco import RouteConstrained
from edgekit.training.techniques.route import route_of
from edgekit.training.techniques.route_search import furthest
from runtime.errors import CheckpointError
from tests.edgekit.training.techniques.tiny import RECIPE

WANTED, OUTPUTS = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))


def test_the_divergence_is_the_papers():
    p, q = (torch.softmax(logits / 4, 1) for logits in (WANTED, OUTPUTS))
    expected = 16 * (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(divergence(WANTED, OUTPUTS, 4.0), expected)
    assert divergence(WANTED, WANTED, 4.0).item() == pytest.approx(0, abs=1e-6)


def test_of_several_students_the_divergences_are_added():
    both = torch.stack([OUTPUTS, WANTED + 1 + OUTPUTS])
    expected = sum(divergence(WANTED, outputs, 2.0) for outputs in both)
    torch.testing.assert_close(divergence(WANTED, both, 2.0), expected)


@pytest.mark.parametrize("temperature", [20.0, 50.0])
def test_gradients_keep_their_size_at_high_temperatures(temperature):
    """Hinton's limit: (z_s - z_t) / N per logit, for logits that are centred."""
    wanted, outputs = (z - z.mean(1, keepdim=True) for z in (WANTED, OUTPUTS))
    outputs = outputs.clone().requires_grad_()
    divergence(wanted, outputs, temperature).backward()
    torch.testing.assert_close(outputs.grad * len(outputs), (outputs - wanted) / 5, atol=0.03, rtol=0)


def test_the_loss_is_the_weighed_sum(fit, teacher):
    still = {"epochs": 1, "lr": 1e-12, "augment": False}
    plain, pure, half = (
        fit({"kd": {"teacher": str(teacher.path), "weight": weight}}, **still).log[0]["train_loss"]
        for weight in (0.0, 1.0, 0.5)
    )
    assert half == pytest.approx((plain + pure) / 2, rel=1e-5)
    assert plain != pytest.approx(pure, rel=0.01)


def test_the_teacher_is_not_trained_and_the_student_comes_closer(fit, teacher, toy_data):
    inputs = torch.from_numpy(toy_data.test.batch(range(32))[0])
    theirs = teacher.build()(inputs).detach()

    def distance(trainer):
        return divergence(theirs, trainer.model.eval()(inputs), 4.0).item()

    use = {"kd": {"teacher": str(teacher.path)}}
    student, alone = fit(use, epochs=8, lr=0.2), fit(epochs=8, lr=0.2)
    assert distance(student) < 0.75 * distance(alone)
    assert load_checkpoint(teacher.path).sha256 == teacher.sha256


@pytest.mark.parametrize("name", ["kd", "rco"])
def test_the_teacher_is_in_eval_mode_and_gets_no_gradient(name, fit, teacher):
    class Look(Hook):
        modes, gradients = [], []

        def on_backward_end(self, run):
            theirs = run.techniques[0].teacher
            self.modes.append(theirs.training)
            self.gradients += [p.grad for p in theirs.parameters()]

    look = Look()
    trainer = fit({name: {"teacher": str(teacher.path)}}, hooks=[look])
    assert look.modes == [False] * 16  # four epochs of four steps
    assert set(look.gradients) == {None}
    finished = teacher.build().state_dict()  # running statistics included
    after = trainer.techniques[0].teacher.state_dict()
    assert all(torch.equal(tensor, finished[key]) for key, tensor in after.items())


def test_mixing_reaches_the_teacher_in_either_order(fit, teacher):
    kd = {"kd": {"teacher": str(teacher.path)}}
    first, last = fit({"mixup": {}, **kd}, epochs=2), fit({**kd, "mixup": {}}, epochs=2)
    assert torch.equal(first.model[0].weight, last.model[0].weight)
    assert not torch.equal(first.model[0].weight, fit(kd, epochs=2).model[0].weight)


def test_a_teacher_of_other_classes_is_refused(teacher, toy_data):
    recipe = replace(RECIPE, use={"kd": {"teacher": str(teacher.path)}})
    with pytest.raises(CheckpointError, match=r"8 pixels and 2 classes, the student is on 'toy' of 8 and 3"):
        make_techniques(recipe, replace(toy_data, labels=["a", "b", "c"]))
    with pytest.raises(CheckpointError, match="nowhere is not a checkpoint"):
        make_techniques(replace(RECIPE, use={"kd": {"teacher": "nowhere"}}), toy_data)


def test_a_teacher_that_was_exchanged_is_refused(fit, teacher, tmp_path):
    class Stop(Hook):
        def on_epoch_begin(self, run):
            if run.epoch == 1:
                raise KeyboardInterrupt

    place = tmp_path / "teacher"
    place.symlink_to(teacher.path)
    use = {"kd": {"teacher": str(place)}}
    with pytest.raises(KeyboardInterrupt):
        fit(use, hooks=[Stop()], folder=tmp_path / "student")
    copied = tmp_path / "other"
    copied.mkdir()
    for name in ("checkpoint.json", "weights.safetensors"):
        (copied / name).write_bytes((teacher.path / name).read_bytes())
    text = (copied / "checkpoint.json").read_text()
    (copied / "checkpoint.json").write_text(text.replace('"train_loss"', '"loss"'))
    place.unlink()
    place.symlink_to(copied)
    with pytest.raises(CheckpointError, match="is not the one that this run began with"):
        fit(use, hooks=[Hook()], folder=tmp_path / "student", resume=True)


def test_a_route_has_weights_after_equal_shares_of_the_epochs(teacher):
    assert [path.name for path in route_of(teacher.path)] == [f"epoch-000{n}.safetensors" for n in (1, 2, 3)]


def anchors_of(teacher, **options):
    technique = RouteConstrained(str(teacher.path), **options)
    return [technique.states[place] for place in technique.anchors]


def test_anchors_come_in_order_and_end_with_the_finished_teacher(teacher):
    every = anchors_of(teacher)
    assert len(every) == 4
    finished = teacher.build().state_dict()
    assert all(torch.equal(tensor, finished[name]) for name, tensor in every[-1].items())
    steps = [int(state["stem.bn.num_batches_tracked"]) for state in every]
    assert steps == sorted(set(steps))
    two = anchors_of(teacher, anchors=2)
    assert [int(state["stem.bn.num_batches_tracked"]) for state in two] == [steps[1], steps[3]]


class Watch(Hook):
    def __init__(self, technique=None):
        self.technique, self.rates, self.teachers = technique, [], []

    def on_step_end(self, run):
        self.rates.append(run.optimizer.param_groups[0]["lr"])


def test_the_rate_starts_again_with_every_anchor(fit, teacher):
    def rates(use):
        watch = Watch()
        fit(use, hooks=[watch], epochs=4, warmup_epochs=0)
        return watch.rates

    path = str(teacher.path)
    found = rates({"rco": {"teacher": path, "anchors": 2}})
    assert found[:8] == found[8:]
    assert found[0] == max(found)
    assert found[:8] == sorted(found[:8], reverse=True)
    assert rates({"rco": {"teacher": path, "anchors": 1}}) == rates({})


def followed(fit, teacher, **options):
    """Return the places on the teacher's route that a student followed, epoch by epoch."""

    class WatchAnchors(Hook):
        def on_step_end(self, run):
            (hook,) = (h for h in run.hooks if hasattr(h, "followed"))
            places.append(hook.followed[-1])

    places = []
    fit({"rco": {"teacher": str(teacher.path), **options}}, hooks=[WatchAnchors()], epochs=3)
    return places[:: len(places) // 3]


def test_the_greedy_search_goes_as_far_as_the_student_can_follow(fit, teacher):
    assert followed(fit, teacher, anchors=3) == [1, 2, 3]  # equal intervals
    assert followed(fit, teacher, anchors=3, greedy=1e-6) == [1, 3, 3]  # nothing is too hard
    assert followed(fit, teacher, anchors=3, greedy=1.0) == [1, 2, 3]  # all that is harder is


def test_the_next_anchor_is_the_furthest_within_the_threshold():
    assert furthest([1.0, 1.1, 1.25, 1.3], 0.8) == 2
    assert furthest([1.0, 2.0, 1.2, 3.0], 0.8) == 2  # beyond one that is harder
    assert furthest([1.0, 2.0, 3.0], 0.8) == 1  # the student has to go on
    assert furthest([1.0], 0.8) == 0  # the finished teacher


def test_one_anchor_is_plain_distillation_bit_by_bit(fit, teacher):
    path = str(teacher.path)
    kd, rco = fit({"kd": {"teacher": path}}), fit({"rco": {"teacher": path, "anchors": 1}})
    assert all(
        torch.equal(tensor, rco.model.state_dict()[name]) for name, tensor in kd.model.state_dict().items()
    )


@pytest.mark.parametrize(
    ("anchors", "epochs", "error", "message"),
    [
        (5, 6, CheckpointError, "has 3 anchors on its route and its finished network, asked are 5"),
        (4, 3, ValueError, "4 anchors do not fit in 3 epochs"),
    ],
)
def test_more_anchors_than_there_are_or_fit_are_refused(anchors, epochs, error, message, fit, teacher):
    with pytest.raises(error, match=message):
        fit({"rco": {"teacher": str(teacher.path), "anchors": anchors}}, epochs=epochs)


def test_a_teacher_without_a_route_is_refused(teacher, tmp_path):
    for name in ("checkpoint.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((teacher.path / name).read_bytes())
    with pytest.raises(CheckpointError, match=r"asked are several; train it with --use route:anchors=N"):
        RouteConstrained(str(tmp_path))
