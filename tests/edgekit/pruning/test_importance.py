import pytest
import torch
from torch import nn

from edgekit.models.surgery.groups import ChannelGraph
from edgekit.pruning import METHODS, Budget
from edgekit.pruning.importance import loss_gradients
from edgekit.tasks import Classification
from edgekit.training import Recipe
from runtime.errors import PruneError
from tests.edgekit.pruning.nets import EXAMPLE, method_for, small_model

PEERS = ("magnitude", "fpgm", "lamp", "bn-scale", "taylor")


class AtEnd:
    """What a method sees of a run that is over."""

    def __init__(self, model, dataset):
        self.model, self.dataset, self.recipe = model.eval(), dataset, Recipe()
        self.task, self.device, self.step = Classification(), torch.device("cpu"), 0


def chosen(name, model, dataset, budget=None):
    method = method_for(model, METHODS.get(name), budget or Budget(rate=0.5, round_to=4))
    method.finalize(AtEnd(model, dataset))
    return method


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("dynamic", ["none", "pointwise"])
def test_channels_that_do_nothing_go_first(name, dynamic, toy_data):
    model = small_model(dynamic_conv=dynamic)
    target = "stages.1.0.conv1.conv"
    with torch.no_grad():
        for group in ChannelGraph(model, EXAMPLE).groups():
            if group.name != target:
                continue
            for part in group.parts:
                layer = model.get_submodule(part.layer)
                weight = layer.weight if part.is_output else layer.weight.transpose(0, 1)
                weight[::2] *= 1e-4
    method = chosen(name, model, toy_data)
    assert method.plan[target] == tuple(range(0, 16, 2))


def test_taylor_gradients_are_those_of_the_whole_loss(toy_data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    run = AtEnd(model, toy_data)
    total = loss_gradients(run, images=64)
    inputs, labels = (torch.from_numpy(a) for a in toy_data.train.batch(range(64)))
    (nn.functional.cross_entropy(model(inputs), labels) * 64).backward()
    assert torch.allclose(total["1.weight"], model[1].weight.grad, atol=1e-3)
    assert torch.equal(loss_gradients(run, images=8)["1.weight"], loss_gradients(run, images=8)["1.weight"])


def test_lamp_lets_layers_compete(toy_data):
    method = chosen("lamp", small_model(), toy_data, Budget(rate=0.3, share="global", round_to=4))
    shares = {len(method.plan.get(group.name, ())) / group.channels for group in method.groups}
    assert len(shares) > 1


def test_a_measure_that_finds_nothing_says_so(toy_data):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2)
    )
    with pytest.raises(PruneError, match="2 has nothing that BNScaleImportance measures"):
        chosen("bn-scale", model, toy_data)
