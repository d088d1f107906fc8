"""What holds for every training technique."""

import inspect

import pytest
import torch

from edgekit.training import TECHNIQUES, Hook, load_recipe
from tests.edgekit.training.interrupt import Interrupt
from tests.edgekit.training.nets import tiny_net

OPTIONS = {
    "random-erasing": {"probability": 1.0},
    "patch-shuffle": {"probability": 1.0, "maps": 0.5, "side": 8},
}
OPTIONS |= {"best": {"share": 0.25}, "ema": {"decay": 0.9}, "rco": {"anchors": 2, "greedy": 0.8}}


def use(name, teacher):
    given = (
        {"teacher": str(teacher.path)}
        if "teacher" in inspect.signature(TECHNIQUES.get(name)).parameters
        else {}
    )
    return {name: OPTIONS.get(name, {}) | given}


@pytest.mark.parametrize(
    "names", [*TECHNIQUES, "ema+best", "kd+mixup+grafting", "rco+cutmix+ema", "patch-shuffle+grafting"]
)
def test_a_run_that_was_killed_ends_with_the_same_bits(names, fit, teacher, tmp_path):
    chosen = {key: value for name in names.split("+") for key, value in use(name, teacher).items()}
    whole = fit(chosen)
    with pytest.raises(KeyboardInterrupt):
        fit(chosen, hooks=[Interrupt(2)], folder=tmp_path / "parts")
    # Hooks are stored by their place: the resumed run has one that does nothing in the other's.
    resumed = fit(chosen, hooks=[Hook()], folder=tmp_path / "parts", resume=True)
    others = resumed.trained().state_dict()
    for name, tensor in whole.trained().state_dict().items():
        assert torch.equal(tensor, others[name]), name
    assert [line["train_loss"] for line in whole.log] == [line["train_loss"] for line in resumed.log]


@pytest.mark.parametrize("name", TECHNIQUES)
def test_it_is_a_recipe_of_its_own_name(name):
    assert load_recipe(f"digits-demo+{name}").recipe.use == {name: {}}


@pytest.mark.parametrize(
    "use",
    [
        {"random-erasing": {"probability": 0.0}},
        {"patch-shuffle": {"probability": 0.0}},
        {"patch-shuffle": {"probability": 1.0, "side": 1, "maps": 1.0}},
        {"mixup": {"alpha": 0.0}},
        {"cutmix": {"alpha": 0.0}},
        {"grafting": {"nets": 1}},
        {"ema": {"decay": 0.0}},
        {"clip": {"norm": 1e9}},
    ],
    ids=str,
)
def test_turned_off_it_leaves_the_bits_of_plain_training(use, same_bits):
    assert same_bits(use)


def test_a_teacher_without_weight_leaves_the_bits_of_plain_training(same_bits, teacher):
    assert same_bits({"kd": {"teacher": str(teacher.path), "weight": 0.0}})


def test_uout_without_noise_leaves_the_bits_of_training_without_dropout(fit):
    bare = tiny_net()
    del bare[5]
    assert torch.equal(fit(net=bare).model[0].weight, fit({"uout": {"beta": 0.0}}).model[0].weight)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("random-erasing", {"least": 0.5, "most": 0.4}, "0 < least <= most"),
        ("patch-shuffle", {"side": 0}, "side 1 or more"),
        ("patch-shuffle", {"maps": 1.5}, "maps=1.5"),
        ("mixup", {"alpha": -1}, "alpha is -1"),
        ("ema", {"decay": 1.0}, "decay is 1.0"),
        ("clip", {"norm": 0}, "norm is 0"),
        ("best", {"share": 1.0}, "share is 1.0"),
        ("best", {"share": 0.001}, "sets 0 apart"),
        ("route", {"anchors": 1}, "anchors is 1"),
        ("grafting", {"nets": 0}, "nets=0"),
        ("uout", {"beta": -0.1}, "beta is -0.1"),
        ("reestimate", {"images": 0}, "images is 0"),
    ],
)
def test_options_out_of_range_are_refused(name, options, message, fit):
    with pytest.raises(ValueError, match=message):
        fit({name: options})
