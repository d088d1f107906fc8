"""A pruning that is killed in every epoch of both of its phases ends with the bits of one that never was."""

from dataclasses import replace

import pytest

from edgekit.models import ModelSpec
from edgekit.pruning import METHODS, Budget, Pruning, prune, train_and_prune
from edgekit.pruning.run import PHASES
from edgekit.training import Hook, Recipe, fit_spec, train
from edgekit.training.run import own_hooks
from tests.edgekit.pruning.nets import same_bits

pytestmark = pytest.mark.slow  # some seconds for each method
RECIPE = Recipe(epochs=2, batch_size=16, device="cpu", lr=0.01, warmup_epochs=0, temperature_epochs=0)
SPEC = ModelSpec("resnet20", width=0.25)
QUIET = {"progress": False}
TECHNIQUES = {"ema": {"decay": 0.9}, "mixup": {}, "best": {"share": 0.25}}


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_data):
    folder = tmp_path_factory.mktemp("source") / "run"
    return train(fit_spec(SPEC, toy_data), toy_data, RECIPE, folder, **QUIET)


class Kill(Hook):
    """Stops like Ctrl-C in one epoch of one phase."""

    at = None

    def on_step_end(self, run):
        if (run.folder.name, run.epoch) == self.at:
            raise KeyboardInterrupt


def differences(run, folder, monkeypatch):
    """Say what differs between a whole run and one that is killed in each of its epochs, 2 a phase."""
    kill = Kill()
    monkeypatch.setattr("edgekit.pruning.run.own_hooks", lambda recipe: [*own_hooks(recipe), kill])
    whole = run(folder / "whole", resume=False)
    for number, kill.at in enumerate((phase, epoch) for phase in PHASES for epoch in (0, 1)):
        with pytest.raises(KeyboardInterrupt):
            run(folder / "parts", resume=number > 0)
    kill.at = None
    ended = run(folder / "parts", resume=True)
    for figure in ("constants", "removed", "removed_top1", "reestimated_top1"):
        assert ended.pruning[figure] == whole.pruning[figure]
    return same_bits(ended.build(), whole.build())


@pytest.mark.parametrize("method", METHODS)
def test_any_method_on_a_checkpoint(method, source, toy_data, tmp_path, monkeypatch):
    how = Pruning(method, Budget(rate=0.5, round_to=4), epochs=2, finetune_epochs=2, teacher="dense")

    def run(folder, resume):
        return prune(source, toy_data, folder, how, resume=resume, **QUIET)

    assert differences(run, tmp_path, monkeypatch) == []


@pytest.mark.parametrize("method", ["psfp", "increg", "spp", "stripe", "from-scratch"])
def test_methods_with_techniques_while_the_network_is_trained(method, toy_data, tmp_path, monkeypatch):
    recipe = replace(RECIPE, use=TECHNIQUES, optimizer="adamw", accumulate=2, qat=True)
    how = Pruning(method, Budget(macs=0.7, round_to=4), epochs=2, finetune_epochs=2)

    def run(folder, resume):
        return train_and_prune(
            fit_spec(SPEC, toy_data), toy_data, recipe, folder, how, resume=resume, **QUIET
        )

    assert differences(run, tmp_path, monkeypatch) == []
