"""Every method prunes networks of selective kernels and of spatial enhance."""

import pytest

from edgekit.models import ModelSpec
from edgekit.pruning import METHODS, Budget, Pruning, train_and_prune
from edgekit.training import Recipe, fit_spec, load_checkpoint

RECIPE = Recipe(epochs=1, batch_size=32, device="cpu")
QUICK = ("sfp", "increg", "spp")  # each of another kind; the others run with the slow tests
ALL = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in METHODS]


@pytest.mark.parametrize("block", ["sk", "sge"])
@pytest.mark.parametrize("method", ALL)
def test_every_method_removes_channels_of_blocks(method, block, tmp_path, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.25, block=block), toy_data)
    how = Pruning(method, Budget(rate=0.5, round_to=2), finetune_epochs=0)
    pruned = train_and_prune(spec, toy_data, RECIPE, tmp_path / "run", how, progress=False)
    assert pruned.pruning["left_out"] == {}
    assert len(pruned.plan) >= 5  # of 9; a method may share the rate out as it finds best
    network = load_checkpoint(pruned.path).build()
    for name, indices in pruned.plan.items():
        stage, within = name.split(".")[1:3]
        first = network.stages[int(stage)][int(within)].conv1
        kept = {part.conv.out_channels for part in (first.branches if block == "sk" else [first])}
        assert kept == {8 * 2 ** max(0, int(stage) - 1) - len(indices)}


@pytest.mark.parametrize("block", ["sk", "sge"])
def test_whole_streams_of_channels_go_through_blocks(block, tmp_path, toy_data):
    spec = fit_spec(ModelSpec("resnet20", width=0.25, block=block), toy_data)
    how = Pruning("one-shot", Budget(rate=0.5, round_to=2, scope="all"), finetune_epochs=0)
    pruned = train_and_prune(spec, toy_data, RECIPE, tmp_path / "run", how, progress=False)
    assert pruned.pruning["left_out"] == {}
    network = pruned.build()
    assert network.stem.conv.out_channels == 4
    if block == "sge":
        enhance = network.stages[0][0].enhance
        assert enhance.membership.shape == (8, 4, 1, 1)
