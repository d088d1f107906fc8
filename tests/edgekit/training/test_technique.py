from dataclasses import replace

import pytest
import torch
from torch import nn

from edgekit.models import ModelSpec
from edgekit.training import (
    RECIPES,
    TECHNIQUES,
    Hook,
    Recipe,
    Supervised,
    Technique,
    Trainer,
    fit_spec,
    load_recipe,
    make_techniques,
    register_technique,
    train,
)
from edgekit.training.technique import with_teacher
from runtime.errors import CheckpointError

RECIPE = Recipe(epochs=2, batch_size=16, device="cpu", temperature_epochs=0)
SPEC = ModelSpec("resnet20", width=0.25)


class Scaled(Technique):
    """Multiplies the loss, counts steps, and can paint images black."""

    def __init__(self, factor: float = 1.0, black: bool = False):
        self.factor, self.black = factor, black
        self.steps = 0

    def objective(self, inner):
        class Times:
            def losses(_, run, batch):
                return {name: self.factor * loss for name, loss in inner.losses(run, batch).items()}

        return Times()

    def hooks(self):
        class Count(Hook):
            def on_step_end(_, run):
                self.steps += 1

        return [Count()]

    def augment(self, pixels, rng):
        return pixels * 0 if self.black else pixels


@pytest.fixture
def scaled():
    register_technique("scaled")(Scaled)
    yield "scaled"
    for registry in (RECIPES, TECHNIQUES):
        del registry._entries["scaled"]


def fitted(folder, data, *techniques, **changes):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2))
    trainer = Trainer(net, replace(RECIPE, **changes), techniques=techniques)
    log = trainer.fit(data, folder, identity={}, progress=False)
    return trainer, log


def test_a_technique_that_changes_nothing_gives_the_bits_of_plain_training(tmp_path, toy_data):
    plain, _ = fitted(tmp_path, toy_data)
    same, _ = fitted(tmp_path, toy_data, Technique(), Scaled())
    assert torch.equal(plain.model[2].weight, same.model[2].weight)
    assert isinstance(plain.objective, Supervised)


def test_a_technique_replaces_the_loss_acts_in_hooks_and_changes_images(tmp_path, toy_data):
    still = {"lr": 1e-12, "augment": False}
    once, thrice = Scaled(black=True), Scaled(factor=3.0, black=True)
    _, plain = fitted(tmp_path, toy_data, **still)
    _, log = fitted(tmp_path, toy_data, once, **still)
    _, log_of_three = fitted(tmp_path, toy_data, thrice, **still)
    assert thrice.steps == 8
    assert log_of_three[0]["train_loss"] == pytest.approx(3 * log[0]["train_loss"], rel=1e-5)
    assert log[0]["train_loss"] != plain[0]["train_loss"]  # all images were black


def test_several_networks_train_as_one_and_one_is_kept(tmp_path, toy_data):
    class Twins(nn.Module):
        def __init__(self, first, second):
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x):
            return self.first(x)

    class Two(Technique):
        def network(self, model):
            return Twins(model, nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(64, 2)))

        def trained(self, network):
            return network.second

    trainer, _ = fitted(tmp_path, toy_data, Two())
    assert trainer.trained() is trainer.model.second


def test_a_recipe_names_its_techniques_and_is_joined_by_plus(scaled):
    both = load_recipe("digits-demo+scaled")
    assert both.recipe == replace(load_recipe("digits-demo").recipe, use={"scaled": {}})
    assert both.model == load_recipe("digits-demo").model
    assert load_recipe("scaled+digits-demo").recipe == both.recipe
    with pytest.raises(ValueError, match="did you mean scaled"):
        load_recipe("digits-demo+scald")


def test_an_unknown_option_names_the_known_ones(scaled, toy_data):
    with pytest.raises(ValueError, match=r"'scaled' has no option 'facter'; did you mean factor"):
        make_techniques(replace(RECIPE, use={"scaled": {"facter": 2}}), toy_data)
    with pytest.raises(ValueError, match="has no option 'xyz'; its options: factor, black"):
        make_techniques(replace(RECIPE, use={"scaled": {"xyz": 2}}), toy_data)


def test_an_option_that_must_be_given_is_asked_for(toy_data):
    with pytest.raises(ValueError, match=r"'kd' got no 'teacher'; give it: kd:teacher=\.\.\."):
        make_techniques(replace(RECIPE, use={"kd": {}}), toy_data)


def test_a_teacher_is_given_to_those_who_learn_from_one():
    assert with_teacher({"ema": {}}, "t") == {"ema": {}, "kd": {"teacher": "t"}}
    rco = {"rco": {"anchors": 2}}
    assert with_teacher(rco, "t") == {"rco": {"anchors": 2, "teacher": "t"}}
    assert rco == {"rco": {"anchors": 2}}


def test_what_a_recipe_uses_is_part_of_the_run(scaled, tmp_path, toy_data):
    spec = fit_spec(SPEC, toy_data)
    recipe = replace(RECIPE, epochs=1, use={"scaled": {"factor": 2.0}})
    checkpoint = train(spec, toy_data, recipe, tmp_path / "run", progress=False)
    assert checkpoint.recipe["use"] == {"scaled": {"factor": 2.0}}
    assert train(spec, toy_data, recipe, tmp_path / "run", resume=True, progress=False) == checkpoint
    other = replace(recipe, use={"scaled": {"factor": 3.0}})
    with pytest.raises(CheckpointError, match="holds a run with use"):
        train(spec, toy_data, other, tmp_path / "run", resume=True, progress=False)
