from dataclasses import replace

import pytest
import torch

from edgekit.models import ModelSpec
from edgekit.training import Trainer, fit_spec, make_techniques, train
from tests.edgekit.training.nets import tiny_net
from tests.edgekit.training.techniques.tiny import RECIPE


@pytest.fixture(scope="session")
def teacher(tmp_path_factory, toy_data):
    """A checkpoint on the toy data, with three weights on its way."""
    folder = tmp_path_factory.mktemp("teacher") / "run"
    recipe = replace(RECIPE, epochs=4, use={"route": {"anchors": 4}})
    return train(
        fit_spec(ModelSpec("resnet20", width=0.25), toy_data), toy_data, recipe, folder, progress=False
    )


@pytest.fixture
def fit(tmp_path, toy_data):
    """Return a function that trains a tiny net with techniques: ``fit({"ema": {}}, epochs=2)``."""
    made = iter(range(1000))

    def run(use=None, *, hooks=(), folder=None, resume=False, net=None, **changes):
        recipe = replace(RECIPE, use=use or {}, **changes)
        folder = folder or tmp_path / f"run{next(made)}"
        folder.mkdir(exist_ok=True)
        trainer = Trainer(net or tiny_net(), recipe, hooks, techniques=make_techniques(recipe, toy_data))
        trainer.log = trainer.fit(toy_data, folder, identity={}, resume=resume, progress=False)
        return trainer

    return run


@pytest.fixture
def same_bits(fit):
    """Return a function that asks whether training with ``use`` ends with the bits of plain training."""

    def ask(use):
        plain, other = (trainer.trained().state_dict() for trainer in (fit(), fit(use)))
        return all(torch.equal(tensor, other[name]) for name, tensor in plain.items())

    return ask
